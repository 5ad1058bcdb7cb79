/**
 * Where a person's wishes about bans are met: looking, adding, lifting, importing.
 *
 * It works on the memory itself, whether the organism runs or not: a wish is one transaction, named like any sentence. Where
 * cells run, one of them is told that the memory has changed; a record of it reaches all, and they read on.
 *
 * What a person adds keeps to the widest and longest that any DNA allows; cells that carry it out hold it to their own.
 */
import type { BanBody } from "../../core/record.ts";
import type { ListedBan } from "../../immune/bans/lists.ts";
import { defaultBanPolicy, readPolicy, whyUnlawful } from "../../immune/bans/policy.ts";
import { incidentOf } from "../../immune/bans/sentencing.ts";
import { CellwsError } from "../../lib/cellws-error.ts";
import { setTimeout as sleep } from "node:timers/promises";
import { askCell } from "../control-client.ts";
import { listCellSockets, runDir } from "../run-dir.ts";
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
  /** Whether cells that run have been told of a change. */
  readonly isAnnounced: boolean;
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
/** Each try waits for another's transaction by itself, which takes milliseconds. */
const writeTriesMax = 3;
const writeRetryMs = 50;

/**
 * `name`: which organism's; where it is not given, the only one that has a memory. `mayCreate`: whether a memory may be begun.
 * Throws CELLWS_E_NO_MEMORY, CELLWS_E_NAME_NEEDED, CELLWS_E_NAME_INVALID, and what opening it throws.
 */
export async function openBanDesk(name: string | undefined, { mayCreate }: { mayCreate: boolean }): Promise<BanDesk> {
  const chosen = mayCreate ? (name ?? onlyName()) : memoryName(name);
  const dir = stateDir(chosen);
  if (mayCreate) ensureStateDir(dir);
  const { memory, notices } = openMemory({ file: dir.memoryFile, holder: "the command line" });
  return new MemoryDesk(chosen, memory, notices);
}

class MemoryDesk implements BanDesk {
  readonly name: string;
  readonly notices: readonly MemoryNotice[];
  isAnnounced = false;
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
    for (let at = 0; at < wishes.length; at += batchMax) {
      // Numbered where they are written: a T cell may be writing of the same range.
      const bodies = await this.#write(() => {
        const batch = wishes.slice(at, at + batchMax).flatMap((wish) => {
          const body = this.#draft(wish);
          const why = room <= 0 ? `there are ${bansMaxInitially} bans already` : whyUnlawful(body, deskPolicy);
          if (why === null) room -= 1;
          else refused.push({ range: wish.range, why });
          return why === null ? [body] : [];
        });
        this.#memory.insert(batch);
        return batch;
      });
      added.push(...bodies);
    }
    if (added.length > 0) await this.#announce();
    return { added, refused };
  }

  async lift(ranges: readonly string[]): Promise<readonly string[]> {
    const inForce = new Map(this.list().map((body) => [body.range, body]));
    const lifted = ranges.flatMap((range) => inForce.get(range) ?? []);
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
      const batch = bodies.slice(at, at + batchMax);
      await this.#write(() => this.#memory.insert(batch));
    }
    if (bodies.length > 0) await this.#announce();
    return lifted.map(({ range }) => range);
  }

  close(): void {
    this.#memory.close();
  }

  #draft({ range, action, reason, untilMs }: ListedBan & { readonly untilMs: number }): BanBody {
    const offence = this.#memory.offencesOf(range, action) + 1;
    const times = { issuedAtMs: this.#memory.wallMs(), untilMs: Math.ceil(untilMs) };
    return { kind: "ban", range, action, reason, offence, ...times, incident: incidentOf(range, offence, action) };
  }

  /** Waits for whoever else is writing, but not for long. */
  async #write<T>(work: () => T): Promise<T> {
    for (let tries = 1; ; tries += 1) {
      const outcome: T | NotWritten = this.#memory.write(work);
      if (outcome === "full") throw full();
      if (outcome !== "busy" && outcome !== "not-ours") return outcome;
      if (tries >= writeTriesMax) throw busy();
      await sleep(writeRetryMs);
    }
  }

  /** Any one cell is told, and all hear of it; where none answers they look by themselves before long. */
  async #announce(): Promise<void> {
    const { seq } = this.#memory;
    for (const { path } of listCellSockets(runDir(this.name))) {
      const outcome = await askCell(path, { op: "memory-changed", seq });
      if (outcome.kind === "reply" && outcome.reply.ok) {
        this.isAnnounced = true;
        return;
      }
    }
  }
}

function full(): CellwsError {
  return new CellwsError("CELLWS_E_MEMORY", 1, "the immune system's memory is full", {
    hint: "Lift bans that are not needed, or import fewer.",
  });
}

/** Whose memory is meant, and that there is one. Throws CELLWS_E_NO_MEMORY, CELLWS_E_NAME_NEEDED, CELLWS_E_NAME_INVALID. */
export function memoryName(name: string | undefined): string {
  const chosen = name ?? onlyName();
  // Also judges the name.
  runDir(chosen);
  if (!listStateDirs().some((one) => one.name === chosen)) throw noMemory(chosen);
  return chosen;
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

function busy(): CellwsError {
  return new CellwsError("CELLWS_E_MEMORY_BUSY", 1, "another process is writing to the immune system's memory", {
    hint: "Try again in a moment.",
  });
}
