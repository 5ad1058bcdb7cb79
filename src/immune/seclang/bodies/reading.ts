/** What a body reader makes of a request's body: values for rules to look at, and what was wrong with it. */

/** A value under a name, both as byte strings. Names may come again. */
export interface NamedValue {
  readonly name: string;
  readonly value: string;
}

export interface UploadedFile {
  /** The form's field. */
  readonly field: string;
  readonly filename: string;
  readonly bytes: number;
}

export interface BodyReading {
  /** ARGS_POST. */
  readonly args: readonly NamedValue[];
  readonly files: readonly UploadedFile[];
  /** Raw header lines of multipart parts, each under its part's name. */
  readonly partHeaders: readonly NamedValue[];
  readonly xml: XmlReading | null;
  /** What REQBODY_ERROR_MSG says; null: the body was read to its end. What was read before an error counts. */
  readonly error: string | null;
  /** Percent signs of a form that no two digits follow. */
  readonly invalidEncoding: boolean;
  readonly flags: ReadonlySet<MultipartFlag>;
}

export interface XmlReading {
  /** All text, in document order. */
  readonly text: string;
  readonly attributes: readonly string[];
}

/** Oddities of a multipart body: harmless one by one, and how parsers are made to disagree. */
export type MultipartFlag =
  | "MULTIPART_BOUNDARY_QUOTED"
  | "MULTIPART_BOUNDARY_WHITESPACE"
  | "MULTIPART_DATA_BEFORE"
  | "MULTIPART_DATA_AFTER"
  | "MULTIPART_HEADER_FOLDING"
  | "MULTIPART_INVALID_HEADER_FOLDING"
  | "MULTIPART_LF_LINE"
  | "MULTIPART_CRLF_LF_LINES"
  | "MULTIPART_MISSING_SEMICOLON"
  | "MULTIPART_INVALID_QUOTING"
  | "MULTIPART_INVALID_PART"
  | "MULTIPART_UNMATCHED_BOUNDARY"
  | "MULTIPART_FILE_LIMIT_EXCEEDED";

export const EMPTY_READING: BodyReading = {
  args: [],
  files: [],
  partHeaders: [],
  xml: null,
  error: null,
  invalidEncoding: false,
  flags: new Set(),
};
