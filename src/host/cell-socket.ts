/**
 * The cell's own Unix socket: one door for kin, axons and the command line. The first line says what the caller wants;
 * who says nothing within a moment, or too much, is turned away.
 */
import fs from "node:fs";
import net from "node:net";
import type { ControlReply, ControlRequest } from "../wire/control.ts";
import { CONTROL_PROTOCOL_VERSION } from "../wire/control.ts";
import { handshakeLineBytesMax } from "../wire/kin.ts";
import type { Credentials, Met } from "./handshake.ts";
import { receive } from "./handshake.ts";
import { LineReader } from "./line-reader.ts";

export interface Callers {
  control(request: ControlRequest): ControlReply;
  kin(met: Met & { ok: true }): void;
  axon(met: Met & { ok: true }): void;
  refused(reason: string): void;
}

const firstLineMsMax = 2_000;
/** A question is short, and who has nothing to ask for this long has gone away without saying so. */
const controlLineBytesMax = 16 * 1024;
const controlIdleMsMax = 30_000;
const backlog = 1_024;

export class CellSocket {
  readonly #path: string;
  /** Whose it is to knock as well. */
  readonly #guest: { readonly uid: number; readonly gid: number } | null;
  readonly #credentials: Credentials;
  readonly #callers: Callers;
  readonly #server: net.Server;
  readonly #visitors = new Set<net.Socket>();

  constructor(
    path: string,
    credentials: Credentials,
    callers: Callers,
    guest: { readonly uid: number; readonly gid: number } | null = null,
  ) {
    this.#path = path;
    this.#guest = guest;
    this.#credentials = credentials;
    this.#callers = callers;
    this.#server = net.createServer((socket) => this.#welcome(socket));
  }

  listen(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen({ path: this.#path, backlog }, () => {
        this.#server.off("error", reject);
        try {
          this.#admitGuest();
        } catch (error) {
          reject(error);
          return;
        }
        // Nothing that goes wrong with the door itself is worth a cell's life.
        this.#server.on("error", (error) => this.#callers.refused(error.message));
        resolve();
      });
    });
  }

  /** Root needs no right to connect; the guest becomes the owner, and everybody else stays out. */
  #admitGuest(): void {
    if (this.#guest === null) return;
    const { uid, gid } = this.#guest;
    fs.chmodSync(this.#path, 0o600);
    if (process.getuid?.() !== uid) fs.lchownSync(this.#path, uid, gid);
  }

  /** No more callers; those who only ask questions are let go. */
  async close(): Promise<void> {
    this.#server.close();
    for (const socket of this.#visitors) socket.destroySoon();
    await fs.promises.rm(this.#path, { force: true });
  }

  #welcome(socket: net.Socket): void {
    this.#visitors.add(socket);
    const dismiss = (): void => void socket.destroy();
    const timer = setTimeout(dismiss, firstLineMsMax);
    socket.on("error", dismiss);
    socket.once("close", () => {
      clearTimeout(timer);
      this.#visitors.delete(socket);
    });
    const reader = new LineReader(
      socket,
      handshakeLineBytesMax,
      (line) => {
        clearTimeout(timer);
        const rest = reader.stop();
        if (isControlPreamble(line)) return this.#answer(socket, rest);
        this.#visitors.delete(socket);
        void this.#meet(socket, line, rest);
      },
      dismiss,
    );
  }

  async #meet(socket: net.Socket, line: string, rest: Buffer): Promise<void> {
    const met = await receive(socket, line, rest, this.#credentials);
    if (!met.ok) return this.#callers.refused(met.reason);
    if (met.purpose === "axon") this.#callers.axon(met);
    else this.#callers.kin(met);
  }

  #answer(socket: net.Socket, rest: Buffer): void {
    const reply = (value: ControlReply): void => void socket.write(`${JSON.stringify(value)}\n`);
    const reader = new LineReader(
      socket,
      controlLineBytesMax,
      (line) => reply(this.#ask(line)),
      () => socket.destroy(),
    );
    socket.setTimeout(controlIdleMsMax, () => socket.destroy());
    socket.once("end", () => reader.stop());
    if (rest.length > 0) socket.unshift(rest);
    socket.resume();
  }

  #ask(line: string): ControlReply {
    let request: unknown;
    try {
      request = JSON.parse(line);
    } catch {
      return { ok: false, code: "CELLWS_E_CONTROL", message: "a question must be one line of JSON" };
    }
    return this.#callers.control(request as ControlRequest);
  }
}

function isControlPreamble(line: string): boolean {
  try {
    const { cellws, purpose } = JSON.parse(line) as { cellws?: unknown; purpose?: unknown };
    return cellws === CONTROL_PROTOCOL_VERSION && purpose === "control";
  } catch {
    return false;
  }
}
