/**
 * Asks one cell one question over its Unix socket: a preamble line, a request line, one reply line.
 *
 * Every way in which this fails is an ordinary day in an organism (the cell has just died, hangs, is of another
 * version), so each is a value that the caller can tell apart. One connection a question: the command line asks
 * seldom, and a connection that carries a single exchange has no state to get wrong.
 */
import net from "node:net";
import type { ControlReply, ControlRequest, LinkPreamble } from "../wire/control.ts";
import { CONTROL_PROTOCOL_VERSION } from "../wire/control.ts";
import { readControlReply } from "../wire/read-control.ts";

export type AskOutcome =
  | { kind: "reply"; reply: ControlReply }
  /** Nobody listens: the file, if there is one, is a dead cell's. */
  | { kind: "refused" }
  /** Somebody holds the socket and did not answer in time. */
  | { kind: "silent" }
  /** Something came, or the connection broke, but no reply that we understand. */
  | { kind: "garbled"; reason: string };

export interface AskOptions {
  timeoutMs?: number;
}

/** A cell's event loop may be blocked by the app for a while; a person at a terminal waits this long gladly. */
export const ASK_TIMEOUT_MS = 1_000;
/** 10,000 cells at 400 bytes: more is no reply but a mistake. */
const REPLY_BYTES_MAX = 4 * 1024 * 1024;

export function askCell(
  socketPath: string,
  request: ControlRequest,
  { timeoutMs = ASK_TIMEOUT_MS }: AskOptions = {},
): Promise<AskOutcome> {
  return new Promise((resolve) => {
    const socket = net.connect({ path: socketPath });
    const chunks: Buffer[] = [];
    let bytes = 0;

    const settle = (outcome: AskOutcome): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(outcome);
    };
    const timer = setTimeout(() => settle({ kind: "silent" }), timeoutMs);

    socket.on("connect", () => {
      const preamble: LinkPreamble = { cellws: CONTROL_PROTOCOL_VERSION, purpose: "control" };
      socket.write(`${JSON.stringify(preamble)}\n${JSON.stringify(request)}\n`);
    });
    socket.on("data", (chunk: Buffer) => {
      const lineEnd = chunk.indexOf(0x0a);
      bytes += chunk.length;
      if (bytes > REPLY_BYTES_MAX) return settle({ kind: "garbled", reason: `more than ${REPLY_BYTES_MAX} bytes` });
      chunks.push(lineEnd < 0 ? chunk : chunk.subarray(0, lineEnd));
      if (lineEnd >= 0) settle(readLine(Buffer.concat(chunks).toString("utf8")));
    });
    socket.on("end", () => settle({ kind: "garbled", reason: "the cell hung up without a whole reply" }));
    socket.on("error", (error: NodeJS.ErrnoException) => settle(outcomeOfError(error)));
  });
}

/** Whether anybody listens there. Says nothing: to a cell it looks like a connection that changed its mind. */
export function socketAccepts(socketPath: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect({ path: socketPath });
    const settle = (accepts: boolean): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(accepts);
    };
    // The kernel answers for the listener, at once; should it ever not, then somebody is there.
    const timer = setTimeout(() => settle(true), ASK_TIMEOUT_MS);
    socket.on("connect", () => settle(true));
    socket.on("error", (error: NodeJS.ErrnoException) => settle(outcomeOfError(error).kind !== "refused"));
  });
}

/**
 * Does `work` for each item, at most `limit` at a time, and keeps the order of the results.
 * Here because it is for asking many cells: each question takes a file descriptor.
 */
export async function mapBounded<T, R>(
  items: readonly T[],
  limit: number,
  work: (item: T) => Promise<R>,
): Promise<R[]> {
  const results: R[] = Array.from({ length: items.length });
  const entries = items.entries();
  const worker = async (): Promise<void> => {
    for (const [index, item] of entries) results[index] = await work(item);
  };
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, worker));
  return results;
}

/** Under the usual 1,024 descriptors of a process with room to spare. */
export const CONCURRENT_QUESTIONS_MAX = 128;

function readLine(line: string): AskOutcome {
  const read = readControlReply(line);
  return read.ok ? { kind: "reply", reply: read.value } : { kind: "garbled", reason: read.reason };
}

function outcomeOfError(error: NodeJS.ErrnoException): AskOutcome {
  switch (error.code) {
    case "ECONNREFUSED":
    case "ENOENT":
    case "ENOTSOCK":
      return { kind: "refused" };
    case "EAGAIN":
      // Its queue of connections is full: nobody has accepted for a long while, but somebody holds it.
      return { kind: "silent" };
    default:
      return { kind: "garbled", reason: error.code ?? error.message };
  }
}
