/**
 * The door for administrators and their programs: the admin listener's socket, which like the others every cell but the drones
 * inherits. Who is at the door is whoever happens to be there: an egg, neurons, stem cells, T cells; so there is no gap when
 * one of them is killed. B cells have clients to look after, and open it only when there is nobody else.
 *
 * What is behind the door (HTTP, the questions to all cells) is loaded with the first caller: an egg that nobody asks
 * carries none of it, and has no timer. A caller wakes nobody up.
 */
import net from "node:net";
import type { CellClass } from "../../core/cell.ts";
import type { InheritedListener } from "../listeners.ts";
import { dropListeners } from "../listeners.ts";
import type { CellLog } from "../log.ts";
import type { AdminFront } from "./front.ts";

export interface AdminDoorOptions {
  readonly listener: InheritedListener;
  readonly log: CellLog;
  /** Loads what is behind the door. */
  readonly loadFront: () => Promise<AdminFront>;
}

/** Administrators and their programs are few; what comes beyond that waits here. */
const backlog = 64;

export class AdminDoor {
  readonly #options: AdminDoorOptions;
  /** Descriptors to listen on. The last one is also the daughters': a cell that opens with it does not close any more. */
  #fds: number[];
  #server: net.Server | null = null;
  #isClosed = false;
  #front: Promise<AdminFront> | null = null;

  constructor(options: AdminDoorOptions) {
    this.#options = options;
    this.#fds = [options.listener.workFd, options.listener.keepFd];
  }

  /** What this cell is now, and whether there are others to serve callers. */
  heed(cellClass: CellClass, hasOthers: boolean): void {
    if (this.#isClosed) return;
    if (cellClass === "drone") return this.#wallUp();
    const shouldServe = cellClass !== "b-cell" || !hasOthers;
    if (shouldServe) this.#open();
    else if (this.#fds.length > 0) this.#close();
  }

  /** A caller whom somebody else had let in. */
  accept(socket: net.Socket): void {
    socket.on("error", () => socket.destroy());
    this.#front ??= this.#options.loadFront();
    this.#front.then(
      (front) => front.accept(socket),
      (error: unknown) => {
        this.#options.log.error("admin-failed", { err: error }, "the admin listener cannot answer");
        socket.destroy();
      },
    );
  }

  /** This cell leaves. */
  close(): void {
    this.#isClosed = true;
    this.#close();
  }

  #open(): void {
    const fd = this.#server === null ? this.#fds.shift() : undefined;
    if (fd === undefined) return;
    const server = net.createServer({ pauseOnConnect: true }, (socket) => this.accept(socket));
    server.on("error", (error) => this.#options.log.error("admin-failed", { err: error }, "the admin listener failed"));
    server.listen({ fd, backlog });
    this.#server = server;
  }

  #close(): void {
    this.#server?.close();
    this.#server = null;
  }

  /** A drone runs other people's code. It holds no socket that anybody calls at. */
  #wallUp(): void {
    const { listener } = this.#options;
    const isKeepFdUsed = this.#fds.length === 0;
    const isWorkFdUsed = this.#fds.length < 2;
    this.#close();
    // Those that were listened on are closed with their server.
    if (!isWorkFdUsed) dropListeners([{ ...listener, keepFd: listener.workFd }]);
    if (!isKeepFdUsed) dropListeners([{ ...listener, workFd: listener.keepFd }]);
    this.#fds = [];
    this.#isClosed = true;
  }
}
