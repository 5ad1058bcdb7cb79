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
  /** 200..999 for a final response (Node lets apps send what the standards do not know), 1xx (not 101) for an informational one. */
  status: number;
  reason: string;
  headers: HeaderList;
}

/** What the B cell tells the drone about a request, besides the head itself. */
export interface ExchangeRequest extends RequestHead {
  /** The real client, after trusted proxies were taken into account. */
  remoteAddress: string;
  remotePort: number;
  /** The organism's listening address that the client reached. */
  localAddress: string;
  localPort: number;
  /** True when the client spoke TLS to the organism. */
  encrypted: boolean;
  /** Index into the DNA's `listen`. */
  listener: number;
  requestId: string;
  /** True when a body follows (chunks, then `end`). False: `end` is never called, the request is whole. */
  hasBody: boolean;
  /** True for a request that asks for an upgrade; the app may answer with `tunnel()`. */
  upgrade: boolean;
}
