/**
 * Lines from a socket, bounded. Shared by the handshake and the kin link; the handshake may end in the middle of a
 * chunk, and what comes after belongs to whoever takes the socket over, so the rest can be taken back.
 */
import type { Socket } from "node:net";

export class LineReader {
  readonly #socket: Socket;
  readonly #onLine: (line: string) => void;
  readonly #onOverlong: () => void;
  #lineBytesMax: number;
  #parts: Buffer[] = [];
  #bytes = 0;
  #stopped = false;

  constructor(socket: Socket, lineBytesMax: number, onLine: (line: string) => void, onOverlong: () => void) {
    this.#socket = socket;
    this.#lineBytesMax = lineBytesMax;
    this.#onLine = onLine;
    this.#onOverlong = onOverlong;
    socket.on("data", this.#receive);
  }

  /** Stops reading and returns what was received beyond the last line. The socket is left paused. */
  stop(): Buffer {
    this.#stopped = true;
    this.#socket.pause();
    this.#socket.off("data", this.#receive);
    const rest = Buffer.concat(this.#parts);
    this.#parts = [];
    return rest;
  }

  set lineBytesMax(bytes: number) {
    this.#lineBytesMax = bytes;
  }

  readonly #receive = (chunk: Buffer): void => {
    let from = 0;
    while (!this.#stopped) {
      const end = chunk.indexOf(10, from);
      if (end === -1) break;
      this.#parts.push(chunk.subarray(from, end));
      from = end + 1;
      const line = this.#parts.length === 1 ? (this.#parts[0] ?? chunk) : Buffer.concat(this.#parts);
      this.#parts = [];
      this.#bytes = 0;
      if (line.length > this.#lineBytesMax) return this.#onOverlong();
      // Taken over in the middle of a chunk: what follows this line must be there for `stop` to return.
      if (from < chunk.length) this.#parts = [chunk.subarray(from)];
      const held = this.#parts;
      this.#onLine(line.toString("utf8"));
      if (this.#stopped) return;
      if (held === this.#parts) this.#parts = [];
    }
    if (this.#stopped || from >= chunk.length) return;
    this.#parts.push(chunk.subarray(from));
    this.#bytes += chunk.length - from;
    if (this.#bytes > this.#lineBytesMax) this.#onOverlong();
  };
}
