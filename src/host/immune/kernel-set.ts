/**
 * The bans in the kernel (`immune.bans.nftables`): a table of this organism's own, made anew from all bans with each change
 * and given to `nft`, so that a banned client is dropped before any cell hears of it.
 *
 * Only the keeper does this, some moments after a change, so that a hundred bans are one call. B cells refuse by themselves all
 * the same. When the organism ends its table goes; when it is killed, each ban in it ends by its own timeout.
 */
import { spawn } from "node:child_process";
import type { BanBody } from "../../core/record.ts";
import { renderNft } from "../../immune/bans/nftables.ts";

const nftMsMax = 10_000;
const toldLengthMax = 300;

export class KernelSet {
  readonly #name: string;
  readonly #ports: readonly number[];
  #shown = "";
  #isWorking = false;
  /** Why the last attempt failed; null: it did not. */
  trouble: string | null = null;

  constructor(name: string, ports: readonly number[]) {
    this.#name = name;
    this.#ports = ports;
  }

  /** Makes the kernel's set what these bans are, unless it is. */
  async show(bans: readonly BanBody[], wallMs: number): Promise<void> {
    const key = JSON.stringify(bans.map(({ incident, action, untilMs }) => [incident, action, untilMs]));
    if (key === this.#shown || this.#isWorking) return;
    this.#isWorking = true;
    this.trouble = await nft(renderNft(bans, { name: this.#name, ports: this.#ports, wallMs }));
    // After a failure it is tried again with the next change, or look: whoever mends it need not restart anything.
    if (this.trouble === null) this.#shown = key;
    this.#isWorking = false;
  }

  /** Takes the table away. */
  async clear(): Promise<void> {
    if (this.#shown === "") return;
    this.#shown = "";
    await nft(`table inet cellws-${this.#name} {}\ndelete table inet cellws-${this.#name}\n`);
  }
}

/** Null where it went well. */
function nft(text: string): Promise<string | null> {
  return new Promise((resolve) => {
    const child = spawn("nft", ["-f", "-"], { stdio: ["pipe", "ignore", "pipe"], timeout: nftMsMax });
    let told = "";
    child.stderr.on("data", (chunk: Buffer) => {
      if (told.length < toldLengthMax) told += chunk.toString();
    });
    child.on("error", (error) => resolve(error.message));
    child.on("close", (code) =>
      resolve(code === 0 ? null : told.trim().slice(0, toldLengthMax) || `nft ended with ${code}`),
    );
    child.stdin.on("error", () => undefined);
    child.stdin.end(text);
  });
}
