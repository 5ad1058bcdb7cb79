/**
 * From a request's target to names of files below a folder, or to nothing. Pure: no file is looked at.
 *
 * What two programs could read differently is no file here: dot segments, empty segments, an encoded slash, a backslash, a
 * byte that is not UTF-8. So a path cannot lead upwards whatever a file system makes of it.
 */
export interface StaticPath {
  /** Decoded names, from the root of the site. */
  readonly segments: readonly string[];
  /** Ends with a slash. */
  readonly isFolder: boolean;
}

/** Deeper is nobody's folder. */
const SEGMENTS_MAX = 64;
/** NAME_MAX on Linux; in characters, which are at least as many bytes. */
const NAME_LENGTH_MAX = 255;

export function readStaticPath(target: string): StaticPath | null {
  const path = pathOf(target);
  if (!path.startsWith("/")) return null;
  const encoded = path.slice(1).split("/");
  if (encoded.length > SEGMENTS_MAX) return null;
  const isFolder = encoded.at(-1) === "";
  if (isFolder) encoded.pop();
  const segments: string[] = [];
  for (const segment of encoded) {
    const name = decode(segment);
    if (name === null || !isName(name)) return null;
    segments.push(name);
  }
  return { segments, isFolder };
}

/** Those below `at`, which is a path as in the DNA; null when it does not lead there, or to what is hidden. */
export function segmentsBelow({ segments }: StaticPath, at: string): readonly string[] | null {
  const prefix = at === "/" ? [] : at.slice(1).split("/");
  if (prefix.length > segments.length || prefix.some((name, i) => name !== segments[i])) return null;
  const below = segments.slice(prefix.length);
  return below.some((name, i) => isHidden(name, prefix.length + i)) ? null : below;
}

/** What begins with a dot is not meant for visitors (.env, .git); but `/.well-known/` is for nobody else (RFC 8615). */
function isHidden(name: string, depth: number): boolean {
  return name.startsWith(".") && !(depth === 0 && name === ".well-known");
}

/** Without the query, and without what absolute-form has before the path. */
function pathOf(target: string): string {
  const withoutQuery = target.split("?", 1)[0] ?? "";
  if (withoutQuery.startsWith("/")) return withoutQuery;
  const path = withoutQuery.replace(/^https?:\/\/[^/]*/i, "");
  return path === "" ? "/" : path;
}

function decode(segment: string): string | null {
  try {
    return decodeURIComponent(segment);
  } catch {
    return null;
  }
}

function isName(name: string): boolean {
  if (name === "" || name === "." || name === ".." || name.length > NAME_LENGTH_MAX) return false;
  return !/[/\\\p{Cc}]/u.test(name);
}
