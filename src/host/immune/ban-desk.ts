/**
 * Where a person's wishes about bans are met: looking, adding, lifting, importing.
 *
 * This one works on the memory while no cell does. For a living organism there will be another, which asks a T cell, so that
 * a wish is announced like any other ban; until then a wish to change anything is refused there, for a ban that is only
 * written down protects nobody. Commands know the interface and not which of the two they have.
 *
 * What a person adds keeps to the widest and longest that any DNA allows; cells that carry it out hold it to their own.
 */
import type { BanBody } from "../../core/record.ts";
import type { ListedBan } from "../../immune/bans/lists.ts";
import { defaultBanPolicy, readPolicy, whyUnlawful } from "../../immune/bans/policy.ts";
import { incidentOf } from "../../immune/bans/sentencing.ts";
import { CellwsError } from "../../lib/cellws-error.ts";
import { setTimeout as sleep } from "node:timers/promises";
import { hasCells, runDir, runDirExists, whoLives } from "../run-dir.ts";
import { bansMaxInitially, openMemory, type Memory, type MemoryNotice, type NotWritten } from "./memory.ts";
import { ensureStateDir, listStateDirs, stateBase, stateDir } from "./state-dir.ts";

export interface Added {
  readonly added: readonly BanBody[];
  readonly refused: ReadonlyArray<{ readonly range: string; readonly why: string }>;
}

export interface BanDesk {
  readonly name: string;
  readonly notices: readonly MemoryNotice[];
  list(): readonly BanBody[];
  /** `untilMs` of each must be given. */
  add(wishes: ReadonlyArray<ListedBan & { readonly untilMs: number }>): Promise<Added>;
  /** Returns the ranges that were under a ban; the others had none. */
  lift(ranges: readonly string[]): Promise<readonly string[]>;
  close(): void;
}

/** As wide and as long as any DNA may allow. */
export const deskPolicy = readPolicy({
  ...defaultBanPolicy,
  ipv4PrefixBitsMin: 16,
  ipv6PrefixBitsMin: 32,
  durationMsMax: 365 * 24 * 3_600_000,
});

/** Written at once; more would hold the file for too long. */
const batchMax = 1_000;
const leaseWaitMsMax = 3_000;
const leaseRetryMs = 50;

/**
 * `name`: which organism's; where it is not given, the only one that has a memory. `mayCreate`: whether a memory may be begun.
 * Throws CELLWS_E_NO_MEMORY, CELLWS_E_NAME_NEEDED, CELLWS_E_NAME_INVALID, and what opening it throws.
 */
export async function openBanDesk(
  name: string | undefined,
  { mayCreate, willWrite }: { mayCreate: boolean; willWrite: boolean },
): Promise<BanDesk> {
  const chosen = name ?? onlyName();
  const run = runDir(chosen);
  if (willWrite && runDirExists(run) && hasCells(await whoLives(run))) throw runs(chosen);
  const dir = stateDir(chosen);
  if (mayCreate) ensureStateDir(dir);
  else if (!listStateDirs().some((one) => one.name === chosen)) throw noMemory(chosen);
  const { memory, notices } = openMemory({ file: dir.memoryFile, holder: "the command line" });
  return new MemoryDesk(chosen, memory, notices);
}

class MemoryDesk implements BanDesk {
  readonly name: string;
  readonly notices: readonly MemoryNotice[];
  readonly #memory: Memory;

  constructor(name: string, memory: Memory, notices: readonly MemoryNotice[]) {
    this.name = name;
    this.#memory = memory;
    this.notices = notices;
  }

  list(): readonly BanBody[] {
    return this.#memory.bansInForce();
  }

  async add(wishes: ReadonlyArray<ListedBan & { readonly untilMs: number }>): Promise<Added> {
    const added: BanBody[] = [];
    const refused: Array<{ range: string; why: string }> = [];
    let room = bansMaxInitially - this.#memory.bansInForce().length;
    for (const { range, action, reason, untilMs } of wishes) {
      const offence = this.#memory.offencesOf(range, action) + 1;
      const issuedAtMs = this.#memory.wallMs();
      const times = { issuedAtMs, untilMs: Math.ceil(untilMs) };
      const incident = incidentOf(range, offence, action);
      const body: BanBody = { kind: "ban", range, action, reason, offence, ...times, incident };
      const why = room <= 0 ? `there are ${bansMaxInitially} bans already` : whyUnlawful(body, deskPolicy);
      if (why !== null) refused.push({ range, why });
      else {
        added.push(body);
        room -= 1;
      }
    }
    await this.#takeLease();
    for (let at = 0; at < added.length; at += batchMax) {
      expectWritten(this.#memory.record(added.slice(at, at + batchMax)));
    }
    return { added, refused };
  }

  async lift(ranges: readonly string[]): Promise<readonly string[]> {
    const inForce = new Map(this.list().map((body) => [body.range, body]));
    const lifted = ranges.flatMap((range) => inForce.get(range) ?? []);
    await this.#takeLease();
    const wallMs = this.#memory.wallMs();
    // Until its ban would have ended: so long the lifting must be known, lest the ban comes back from somewhere.
    const bodies = lifted.map((body) => ({
      ...body,
      action: "lifted" as const,
      reason: "manual",
      issuedAtMs: wallMs,
      incident: `${body.incident}-lifted`,
    }));
    for (let at = 0; at < bodies.length; at += batchMax) {
      expectWritten(this.#memory.record(bodies.slice(at, at + batchMax)));
    }
    return lifted.map(({ range }) => range);
  }

  close(): void {
    this.#memory.close();
  }

  async #takeLease(): Promise<void> {
    for (let waitedMs = 0; !this.#memory.takeLease(); waitedMs += leaseRetryMs) {
      if (waitedMs >= leaseWaitMsMax) throw busy(this.#memory.leaseHolder());
      await sleep(leaseRetryMs);
    }
  }
}

function expectWritten(written: number | NotWritten): void {
  if (typeof written === "number") return;
  if (written === "full") {
    throw new CellwsError("CELLWS_E_MEMORY", 1, "the immune system's memory is full", {
      hint: "Lift bans that are not needed, or import fewer.",
    });
  }
  throw busy(null);
}

function onlyName(): string {
  const names = listStateDirs().map(({ name }) => name);
  const [only] = names;
  if (only === undefined) {
    throw new CellwsError("CELLWS_E_NO_MEMORY", 1, "no organism has a memory of bans yet", {
      found: `none in ${stateBase()}`,
      hint: "Say which organism with --name, and `cellws bans add` or `import` begins one.",
    });
  }
  if (names.length > 1) {
    throw new CellwsError("CELLWS_E_NAME_NEEDED", 2, "the bans of several organisms could be meant", {
      found: names.join(", "),
      expected: "one of them",
      hint: `Say which with --name, such as --name ${only}.`,
    });
  }
  return only;
}

function noMemory(name: string): CellwsError {
  const names = listStateDirs().map((one) => one.name);
  return new CellwsError("CELLWS_E_NO_MEMORY", 1, `'${name}' has no memory of bans`, {
    found: names.length === 0 ? `none in ${stateBase()}` : `memories of ${names.join(", ")}`,
    hint: "`cellws bans add` or `import` begins one.",
  });
}

function runs(name: string): CellwsError {
  return new CellwsError("CELLWS_E_BANS_RUNNING", 1, `'${name}' runs, and its cells would not hear of the change`, {
    hint: `Stop it first: cellws stop --name ${name}\n(list and export work while it runs.)`,
  });
}

function busy(holder: string | null): CellwsError {
  return new CellwsError("CELLWS_E_MEMORY_BUSY", 1, "another process is writing to the immune system's memory", {
    ...(holder === null ? {} : { found: holder }),
    hint: "Try again in a moment.",
  });
}
