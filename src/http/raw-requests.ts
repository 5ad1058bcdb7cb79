/**
 * Reads requests that stand in a file one after the other, as they would come over a connection. Bytes in, requests out.
 *
 * Read by the reader that serves (request-reader.ts), so that what is refused there is refused here. Two allowances are made
 * for files that people write: blank lines may stand between requests, and a head whose lines end in LF alone is read as
 * if they ended in CR LF, since editors write no CR. A head in which any line has a CR is taken as it is.
 */
import type { HttpErrorCode } from "./http-error.ts";
import { RequestReader, type ReadHead, type ReaderLimits } from "./request-reader.ts";

export type RawRequest =
  | { readonly kind: "request"; readonly head: ReadHead; readonly body: Buffer }
  /** A server would refuse it, and does not know where the next begins. `line`: its request line, as far as there is one. */
  | { readonly kind: "refused"; readonly code: HttpErrorCode; readonly line: string };

/** Lazily, since a file may hold many. After a refused one nothing more comes. */
export function* readRawRequests(bytes: Buffer, limits: Partial<ReaderLimits> = {}): Generator<RawRequest> {
  let at = 0;
  for (;;) {
    while (at < bytes.length && isBlank(bytes[at]!)) at += 1;
    if (at === bytes.length) return;
    const { request, end } = readOne(bytes, at, limits);
    yield request;
    if (request.kind === "refused") return;
    at = end;
  }
}

function readOne(bytes: Buffer, start: number, limits: Partial<ReaderLimits>): { request: RawRequest; end: number } {
  const headEnd = endOfHead(bytes, start);
  const raw = bytes.latin1Slice(start, headEnd);
  const isWrittenByHand = !raw.includes("\r");
  const headText = isWrittenByHand ? `${raw.replace(/\n*$/, "").replaceAll("\n", "\r\n")}\r\n\r\n` : raw;
  const reader = new RequestReader(limits);
  reader.feed(Buffer.from(headText, "latin1"));
  reader.feed(bytes.subarray(headEnd));
  const chunks: Buffer[] = [];
  let head: ReadHead | null = null;
  for (;;) {
    const event = reader.next() ?? reader.finish();
    switch (event?.type) {
      case "head":
        head = event.head;
        break;
      case "body":
        chunks.push(event.chunk);
        break;
      case "end":
        return {
          request: { kind: "request", head: head!, body: Buffer.concat(chunks) },
          end: bytes.length - reader.unreadBytes,
        };
      case "error":
        return { request: { kind: "refused", code: event.code, line: firstLine(raw) }, end: bytes.length };
      case undefined:
        return {
          request: { kind: "refused", code: "CELLWS_HTTP_INCOMPLETE", line: firstLine(raw) },
          end: bytes.length,
        };
    }
  }
}

/** Behind the blank line, or the end of it all. */
function endOfHead(bytes: Buffer, start: number): number {
  for (let at = bytes.indexOf(LF, start); at !== -1; at = bytes.indexOf(LF, at + 1)) {
    if (bytes[at + 1] === LF) return at + 2;
    if (bytes[at + 1] === CR && bytes[at + 2] === LF) return at + 3;
  }
  return bytes.length;
}

function firstLine(head: string): string {
  return head.split(/\r?\n/, 1)[0]!;
}

const CR = 0x0d;
const LF = 0x0a;
const isBlank = (byte: number): boolean => byte === CR || byte === LF;
