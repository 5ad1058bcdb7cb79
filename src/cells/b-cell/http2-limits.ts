/**
 * What one HTTP/2 connection may cost. One connection carries what a hundred would in HTTP/1.1, so each known way of having a
 * server work for nothing has a bound here, nghttp2's own or ours.
 *
 * Held by nghttp2 itself, without a number here: CONTINUATION frames without end (8 a head), answers to SETTINGS and PING
 * that a client does not read (1,000), DATA frames without a byte (as malformed frames).
 */
import type http2 from "node:http2";
import type { ReaderLimits } from "../../http/request-reader.ts";

export const http2Limits = {
  /** Requests at a time. Browsers open fewer than a hundred; what they have more waits on their side. */
  streamsMax: 100,
  /** Of a request's body: sent on before we say that there is room for more. */
  streamWindowBytes: 128 * 1024,
  /** Of all bodies together. An app that does not read one body must not stop the others, up to this. */
  connectionWindowBytes: 2 * 1024 * 1024,
  /** Answers that a client does not take (tiny windows): past this its further requests are refused, to be sent again. */
  outstandingBytesMax: 8 * 1024 * 1024,
  /** nghttp2's own memory of a connection, in its unit of a million bytes. */
  sessionMemoryMegabytes: 8,
  /** A client's memory for header compression: what HTTP/2 says by default. A larger one would be ours to keep. */
  headerTableBytes: 4_096,
  /** RST_STREAM frames (rapid reset): so many at once, then so many a second; then nghttp2 ends the connection. */
  resetsAtOnce: 200,
  resetsPerSecond: 20,
  /** Requests that end before their answer has, whoever makes them (MadeYouReset has us do it). As above, and ours. */
  abandonedAtOnce: 200,
  abandonedPerSecond: 20,
  /** SETTINGS and PING frames: gRPC clients send one in some seconds, browsers none. */
  chatterAtOnce: 100,
  chatterPerSecond: 10,
  /** Malformed frames, and streams beyond those that are allowed, in a connection's life. */
  malformedMax: 100,
  rejectedMax: 100,
  /** Between the notice that a connection will end and its end: what was sent in the meantime is still answered. */
  goawayMs: 1_000,
  /** A session that was closed and still has its socket. */
  closingMs: 5_000,
} as const;

export function sessionOptions(limits: ReaderLimits): http2.ServerSessionOptions {
  return {
    settings: {
      enablePush: false,
      headerTableSize: http2Limits.headerTableBytes,
      initialWindowSize: http2Limits.streamWindowBytes,
      maxConcurrentStreams: http2Limits.streamsMax,
      maxHeaderListSize: headerListBytes(limits),
    },
    maxDeflateDynamicTableSize: http2Limits.headerTableBytes,
    // Twice what is allowed: a little too many are told so (431), and only floods are cut off.
    maxHeaderListPairs: 2 * limits.fieldsMax,
    maxSessionMemory: http2Limits.sessionMemoryMegabytes,
    maxSettings: 32,
    maxOutstandingPings: 1,
    maxSessionInvalidFrames: http2Limits.malformedMax,
    maxSessionRejectedStreams: http2Limits.rejectedMax,
    peerMaxConcurrentStreams: 0,
    streamResetBurst: http2Limits.resetsAtOnce,
    streamResetRate: http2Limits.resetsPerSecond,
  };
}

/** Twice the limit again, and the 32 bytes that HTTP/2 counts for each field. */
function headerListBytes({ headBytesMax, fieldsMax }: ReaderLimits): number {
  return 2 * headBytesMax + 32 * fieldsMax;
}
