/** The parts of an HTTP message, as they pass between reader, writer, axon and app. No I/O, no policy. */

/**
 * Headers as they came, in order: name, value, name, value. Bytes are Latin-1 characters.
 * A flat list and not a map, because duplicates and spelling carry meaning and because it is cheap.
 */
export type HeaderList = readonly string[];

export interface RequestHead {
  /** Case-sensitive, as it came. */
  method: string;
  /** The request-target as it came: origin-form, absolute-form, authority-form or `*`. */
  target: string;
  /** HTTP/1.`versionMinor`. */
  versionMinor: 0 | 1;
  headers: HeaderList;
}

export interface ResponseHead {
  /** 200..599 for a final response, 1xx (not 101) for an informational one. */
  status: number;
  reason: string;
  headers: HeaderList;
}
