/**
 * A kin link: a Unix socket that carries one JSON message a line between two cells. Bounded in both directions: a line
 * too long, or a peer that reads too slowly, costs it the link and not our memory. Hormones are dropped first, for they
 * may be lost; records may not, so a link that cannot take them is cut, and reconciled when it opens again.
 */
import type { Socket } from "node:net";
import type { CellId } from "../core/cell.ts";
import type { KinMessage } from "../core/message.ts";
import { kinLineBytesMax, readKinMessage } from "../wire/kin.ts";
import { LineReader } from "./line-reader.ts";
import type { ProtocolFault } from "./misconduct.ts";

/** Above this hormones wait no more, they are lost: at their rate it is minutes of a peer that reads nothing. */
const pulseBacklogBytesMax = 64 * 1024;
/** Above this testimony waits at this end: two full batches. */
const behindBytes = 256 * 1024;
/** Above this the peer is as good as dead. */
const backlogBytesMax = 8 * 1024 * 1024;

export interface KinLinkEvents {
  message(message: KinMessage): void;
  /** Once, whatever the cause. `fault`: what the peer did wrong, if it did. */
  closed(fault: LinkFault | null): void;
}

export interface LinkFault {
  readonly kind: ProtocolFault;
  readonly reason: string;
}

export class KinLink {
  readonly peer: CellId;
  readonly #socket: Socket;
  #fault: LinkFault | null = null;

  constructor(peer: CellId, socket: Socket, rest: Buffer, events: KinLinkEvents) {
    this.peer = peer;
    this.#socket = socket;
    const take = (line: string): void => {
      // More lines may have come with the one for which the link was cut.
      if (this.#fault !== null) return;
      const read = readKinMessage(line);
      if (read.ok) events.message(read.value);
      else this.cut("malformed", `a message that is none: ${read.reason}`);
    };
    const reader = new LineReader(socket, kinLineBytesMax, take, () => this.cut("malformed", "a line too long"));
    socket.on("error", () => undefined);
    socket.on("end", () => socket.end());
    socket.once("close", () => {
      reader.stop();
      events.closed(this.#fault);
    });
    if (rest.length > 0) socket.unshift(rest);
    socket.resume();
  }

  send(message: KinMessage): void {
    if (this.#socket.writableEnded || this.#socket.destroyed) return;
    const backlogBytes = this.#socket.writableLength;
    if (message.type === "pulse" && backlogBytes > pulseBacklogBytesMax) return;
    if (backlogBytes > backlogBytesMax) return this.cut("slow", "reads too slowly");
    this.#socket.write(`${JSON.stringify(message)}\n`);
  }

  /** Whether it reads so slowly that what may wait should wait here. */
  get isBehind(): boolean {
    return this.#socket.writableEnded || this.#socket.destroyed || this.#socket.writableLength > behindBytes;
  }

  /** Closes after what was sent has left. */
  close(): void {
    this.#socket.end();
    // A peer that does not close its end is not waited for.
    this.#socket.setTimeout(closeMsMax, () => this.#socket.destroy());
  }

  /** Ends it at once: what the peer says is not to be listened to. */
  cut(kind: ProtocolFault, reason: string): void {
    this.#fault ??= { kind, reason };
    this.#socket.destroy();
  }
}

const closeMsMax = 500;
