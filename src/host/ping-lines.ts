/**
 * Asks cells whether they answer, again and again, over connections that are kept.
 *
 * Each cell asks another one four times a second, for as long as it lives; a connection for each question was a third of all
 * that an organism at rest did. A line that is kept tells no less: who answers on it answers, and who is stopped or blocked does
 * not. It is given up at the first sign of anything else (no answer in time, an end, words that are none), and then, as for cells
 * beyond `linesMax`, the question is asked over a connection of its own, which also finds out whether anybody listens at all.
 */
import net from "node:net";
import type { CellId } from "../core/cell.ts";
import type { ControlRequest, LinkPreamble } from "../wire/control.ts";
import { CONTROL_PROTOCOL_VERSION } from "../wire/control.ts";
import { askCell } from "./control-client.ts";
import type { AskOutcome } from "./control-client.ts";

/** Each costs a descriptor at either end. In a larger organism a cell is asked too seldom for a line to be worth keeping. */
export const linesMax = 16;
/** A reply to a ping is 24 bytes. More than this without an end of line is none. */
const replyBytesMax = 1_024;

const ping: ControlRequest = { op: "ping" };
const question = `${JSON.stringify(ping)}\n`;
const preamble: LinkPreamble = { cellws: CONTROL_PROTOCOL_VERSION, purpose: "control" };
const lineFeed = 10;

export class PingLines {
  readonly #pathOf: (id: CellId) => string;
  readonly #lines = new Map<CellId, Line>();

  constructor(pathOf: (id: CellId) => string) {
    this.#pathOf = pathOf;
  }

  /** Lines that are open. */
  get size(): number {
    return this.#lines.size;
  }

  /** Whether the cell answers within the time, counted from now. */
  async ask(id: CellId, timeoutMs: number): Promise<AskOutcome["kind"]> {
    const askedMs = performance.now();
    const line = this.#lines.get(id) ?? (this.#lines.size < linesMax ? this.#open(id) : null);
    // Each question has its whole time: one that comes while another is open does not share its end.
    if (line !== null && !line.isAsked) {
      const heard = await line.ask(timeoutMs);
      if (heard !== "broken") return heard;
    }
    const leftMs = Math.max(1, timeoutMs - (performance.now() - askedMs));
    return (await askCell(this.#pathOf(id), ping, { timeoutMs: leftMs })).kind;
  }

  /** Lets go of the lines to all but these. */
  keep(isAlive: (id: CellId) => boolean): void {
    for (const [id, line] of this.#lines) if (!isAlive(id)) line.close();
  }

  close(): void {
    for (const line of this.#lines.values()) line.close();
  }

  #open(id: CellId): Line {
    const line: Line = new Line(this.#pathOf(id), () => {
      if (this.#lines.get(id) === line) this.#lines.delete(id);
    });
    this.#lines.set(id, line);
    return line;
  }
}

type Heard = "reply" | "silent" | "broken";

/** One connection, one question at a time. */
class Line {
  readonly #socket: net.Socket;
  readonly #onOver: () => void;
  #settle: ((heard: Heard) => void) | null = null;
  #replyBytes = 0;
  #isOver = false;

  constructor(path: string, onOver: () => void) {
    this.#onOver = onOver;
    // Replies are looked at as they come and nothing of them is kept: one buffer serves for all.
    const buffer = new Uint8Array(replyBytesMax);
    this.#socket = net.connect({
      path,
      onread: {
        buffer,
        callback: (bytes) => {
          this.#receive(buffer.subarray(0, bytes));
          return true;
        },
      },
    });
    this.#socket.write(`${JSON.stringify(preamble)}\n`);
    this.#socket.on("error", () => this.close());
    this.#socket.on("end", () => this.close());
    this.#socket.on("close", () => this.close());
    // A question keeps its cell alive by its timer; a line does not.
    this.#socket.unref();
  }

  get isAsked(): boolean {
    return this.#settle !== null;
  }

  ask(timeoutMs: number): Promise<Heard> {
    return new Promise((resolve) => {
      if (this.#isOver) return resolve("broken");
      const timer = setTimeout(() => {
        this.#settle?.("silent");
        // What came of it later would be taken for the answer to the next question.
        this.close();
      }, timeoutMs);
      this.#settle = (heard) => {
        clearTimeout(timer);
        this.#settle = null;
        resolve(heard);
      };
      this.#socket.write(question);
    });
  }

  close(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#socket.destroy();
    this.#onOver();
    this.#settle?.("broken");
  }

  #receive(bytes: Uint8Array): void {
    const end = bytes.indexOf(lineFeed);
    this.#replyBytes += bytes.length;
    // Who says more than the answer, or something unasked, does not speak this protocol.
    if (this.#settle === null || (end !== -1 && end !== bytes.length - 1) || this.#replyBytes > replyBytesMax)
      return this.close();
    if (end === -1) return;
    this.#replyBytes = 0;
    this.#settle("reply");
  }
}
