/**
 * The bans in the kernel (`immune.bans.nftables`): a table of this organism's own, made anew from all bans with each change
 * and given to `nft`, so that a banned client is dropped before any cell hears of it.
 *
 * Only the keeper does this, within a second after a change, so that a hundred bans are one call. B cells refuse by themselves all
 * the same. When the organism ends its table goes; when it is killed, each ban in it ends by its own timeout, and whoever is born
 * next makes it anew.
 */
import { spawn } from "node:child_process";
import type { BanBody } from "../../core/record.ts";
import { renderNft } from "../../immune/bans/nftables.ts";

const nftMsMax = 10_000;
const toldLengthMax = 300;
/**
 * Without a change it is made anew at most so often: when a ban has ended, for one inside of its range may come to light; and
 * after a failure, so that whoever mends it need not restart anything.
 */
const againMsMin = 10_000;
/** And at least so often: others may have flushed all tables, as distributions do when their firewall is loaded anew. */
const againMsMax = 60_000;

/** The bans, where they are kept. */
export interface KeptBans {
  /** Another with each change. */
  readonly seq: number;
  bansInForce(): readonly BanBody[];
}

export class KernelSet {
  readonly #name: string;
  readonly #ports: readonly number[];
  /** What was tried last, and how long that holds by the wall clock. */
  #tried: { readonly seq: number; readonly untilMs: number } | null = null;
  #work: Promise<void> | null = null;
  /** Why the last attempt failed; null: it did not. */
  trouble: string | null = null;

  constructor(name: string, ports: readonly number[]) {
    this.#name = name;
    this.#ports = ports;
  }

  /** Makes the kernel's set what these bans are, unless it is. Called once a second: asks for all bans only when it must. */
  show(kept: KeptBans, wallMs: number): void {
    const { seq } = kept;
    if (this.#work !== null || (this.#tried?.seq === seq && wallMs < this.#tried.untilMs)) return;
    this.#work = this.#make(kept.bansInForce(), seq, wallMs).finally(() => (this.#work = null));
  }

  /** When what is under way is done. */
  async settled(): Promise<void> {
    await this.#work;
  }

  /** Another may show something else now: what was shown counts no more. */
  yield(): void {
    this.#tried = null;
    this.trouble = null;
  }

  /** Takes the table away, also one that a dead predecessor has left. */
  async clear(): Promise<void> {
    // What is under way would come after it.
    await this.settled();
    await nft(`table inet cellws-${this.#name} {}\ndelete table inet cellws-${this.#name}\n`);
  }

  async #make(bans: readonly BanBody[], seq: number, wallMs: number): Promise<void> {
    this.trouble = await nft(renderNft(bans, { name: this.#name, ports: this.#ports, wallMs }));
    const firstEndMs = bans.reduce((first, { untilMs }) => Math.min(first, untilMs), Infinity);
    const goodUntilMs = this.trouble === null ? Math.min(firstEndMs, wallMs + againMsMax) : 0;
    this.#tried = { seq, untilMs: Math.max(wallMs + againMsMin, goodUntilMs) };
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
