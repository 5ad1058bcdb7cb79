/**
 * The watch over drones: which are looked at, when, and what was found.
 *
 * Intuition: a neighbour glances over the fence at every turn, and looks closely now and then. What it has once seen it does
 * not forget: an infected process does not get well by hiding what it did, so a finding stands until the process is gone.
 * Each cell judges by its own looks alone; that they come to a majority is the business of the ballots (core/ballot.ts).
 */
import type { CellId } from "../../core/cell.ts";
import type { CellBody } from "../../core/record.ts";
import type { Surroundings, Watch } from "./check.ts";
import type { CheckName } from "./checks.ts";
import { checkNames, checks } from "./checks.ts";
import { Look } from "./look.ts";
import type { MembraneRules } from "./rules.ts";

export interface Finding {
  /** What found it: one of the checks from outside, or a canary's answer. */
  readonly check: CheckName | "canary";
  readonly found: string;
}

type Suspect = Pick<CellBody, "id" | "pid" | "startTicks">;

interface Watched {
  readonly pid: number;
  readonly startTicks: number;
  readonly sinceMs: number;
  readonly watches: ReadonlyMap<CheckName, { readonly watch: Watch; lookedMs: number }>;
  finding: Finding | null;
}

/** Drones looked at in one turn of a cell, in turn: 8 looks of some 0.2 ms in 250 ms are under one percent of its time. */
export const looksPerTurnMax = 8;

export class MembraneWatch {
  readonly #rules: MembraneRules;
  readonly #surroundings: Surroundings;
  readonly #watched = new Map<CellId, Watched>();
  #turn = 0;

  constructor(rules: MembraneRules, surroundings: Surroundings) {
    this.#rules = rules;
    this.#surroundings = surroundings;
  }

  /** A glance at the next few of `drones`; the new findings. Forgets whoever is no longer among them. */
  glance(drones: readonly Suspect[], nowMs: number): Array<[CellId, Finding]> {
    for (const id of this.#watched.keys()) if (!drones.some((drone) => drone.id === id)) this.#watched.delete(id);
    const found: Array<[CellId, Finding]> = [];
    for (let i = 0; i < Math.min(looksPerTurnMax, drones.length); i += 1) {
      const drone = drones[this.#turn++ % drones.length];
      if (drone === undefined) continue;
      const before = this.#watched.get(drone.id)?.finding ?? null;
      const now = this.look(drone, nowMs);
      if (now !== null && before === null) found.push([drone.id, now]);
    }
    return found;
  }

  /** Makes the checks that are due on one drone. What is wrong with it, now or from before. */
  look(drone: Suspect, nowMs: number): Finding | null {
    const watched = this.#watchOver(drone, nowMs);
    if (watched.finding !== null) return watched.finding;
    const look = new Look(drone);
    for (const [name, due] of watched.watches) {
      const { everyMs, afterMs } = checks[name];
      if (nowMs - due.lookedMs < everyMs || nowMs - watched.sinceMs < afterMs) continue;
      due.lookedMs = nowMs;
      const found = due.watch(look, nowMs);
      // What was read may be another's by now, who has got the pid.
      if (found !== null && look.isSame()) watched.finding = { check: name, found };
      if (watched.finding !== null) break;
    }
    return watched.finding;
  }

  /** What was found by other means than looking; it stands as what is seen does. */
  note(drone: Suspect, finding: Finding, nowMs: number): void {
    this.#watchOver(drone, nowMs).finding ??= finding;
  }

  /** What was found before. */
  findingOn(id: CellId): Finding | null {
    return this.#watched.get(id)?.finding ?? null;
  }

  #watchOver({ id, pid, startTicks }: Suspect, nowMs: number): Watched {
    const known = this.#watched.get(id);
    if (known !== undefined && known.pid === pid && known.startTicks === startTicks) return known;
    const on = checkNames.filter((name) => checks[name].isOn(this.#rules));
    const watches = new Map(
      on.map((name) => [
        name,
        { watch: checks[name].watch(this.#rules, this.#surroundings), lookedMs: Number.NEGATIVE_INFINITY },
      ]),
    );
    const watched: Watched = { pid, startTicks, sinceMs: nowMs, watches, finding: null };
    this.#watched.set(id, watched);
    return watched;
  }
}
