/** What is used of the package, which brings no types. */
declare module "mime-types" {
  /** The Content-Type for a file's extension, with `charset=utf-8` where that belongs to it; false when it is not known. */
  export function contentType(extension: string): string | false;
}
