/**
 * Regeneration measured: an organism of two hundred cells of which a share dies at one moment, whichever cells they are.
 * It is whole again when every class has as many as before, in one tree.
 */
import { prngBelow, prngFrom } from "../lib/prng.ts";
import type { CoreDna } from "../core/dna.ts";
import { specializedClasses } from "../core/cell.ts";
import { whyNotOneTree } from "./tree.ts";
import { World } from "./world.ts";
import { neverWorn } from "../core/wear.ts";

export interface MassDeath {
  readonly seed: number;
  readonly percent: number;
  readonly cells: number;
  readonly killed: number;
  /** Until all populations were full again in one tree; null: not within `recoveryMsMax`. */
  readonly recoveryMs: number | null;
}

export const recoveryMsMax = 120_000;
const growthMsMax = 120_000;
const lookEveryMs = 100;

/** 200 cells when whole; many of them stem cells, for two hundred specialised ones take minutes to be called for. */
const largeDna: CoreDna = {
  stemPool: 140,
  population: {
    neuron: { min: 4, max: 6 },
    "b-cell": { min: 16, max: 20 },
    "t-cell": { min: 4, max: 6 },
    drone: { min: 36, max: 40 },
  },
  daughtersMax: 4,
  attenuationMilli: 250,
  hormoneHalfLifeMs: 2_000,
  drainMsMax: 10_000,
  hangMs: 10_000,
  growth: {
    utilizationToGrowMilli: 700,
    utilizationToShrinkMilli: 300,
    queueMsTarget: 50,
    stableWindowMs: 60_000,
    panicWindowMs: 6_000,
    memoryMilliMax: 900,
  },
  restarts: { backoffMsMin: 250, backoffMsMax: 8_000, budget: 20, windowMs: 60_000 },
  wear: neverWorn,
  dormancyIdleMs: 0,
};

/** Grows one organism, and has each share of it die in turn, half a minute after it was whole again. Minutes of computing for each. */
export function* massDeaths(seed: number, percents: readonly number[]): Generator<MassDeath> {
  const delaysMs = { birth: [40, 200], message: [1, 5], appLoad: [20, 400], drain: [0, 300], notice: [1, 15] } as const;
  const world = new World({ seed, dna: largeDna, delaysMs });
  const egg = world.spawnEgg();
  world.tell(egg, { type: "first-connection" });
  untilWhole(world, growthMsMax);
  let prng = prngFrom(seed);
  for (const percent of percents) {
    world.run(30_000);
    const left = world.living().map(({ self }) => self);
    const cells = left.length;
    const killed = Math.floor((cells * percent) / 100);
    while (left.length > cells - killed) {
      const [at, next] = prngBelow(prng, left.length);
      prng = next;
      for (const id of left.splice(at, 1)) world.kill(id);
    }
    yield { seed, percent, cells, killed, recoveryMs: untilWhole(world, recoveryMsMax) };
  }
}

/** How long it took, or null. */
function untilWhole(world: World, forMs: number): number | null {
  const sinceMs = world.nowMs;
  while (world.nowMs - sinceMs < forMs) {
    world.run(lookEveryMs);
    if (isWhole(world)) return world.nowMs - sinceMs;
  }
  return null;
}

function isWhole(world: World): boolean {
  const isFull = specializedClasses.every((c) => world.working[c] >= largeDna.population[c].min);
  return isFull && world.working.stem >= largeDna.stemPool && whyNotOneTree(world) === null;
}
