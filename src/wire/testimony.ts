/**
 * Testimony on a kin link: batches of marks, sightings and words of infections on their way to a T cell. Nearly everything in it
 * comes, in the end, from clients; so each length and number has its bound here, where it enters, and whoever makes a mark keeps to the same bounds.
 */
import { testimonyHopsMax } from "../core/limits.ts";
import { attackClasses } from "../immune/ledger/attack-class.ts";
import { markLimits, type Mark, type Sighting } from "../immune/ledger/mark.ts";
import { infectionLimits, infectionStages, type InfectionWord } from "../immune/report/infection.ts";
import type { Shape } from "../lib/shape.ts";
import { boolean, integer, listOf, nullable, number, object, oneOf, optional, text, variant } from "../lib/shape.ts";

/** Of each in one message: at a few hundred bytes each well under a line's bound, and quickly checked. */
export const testimonyBatchMax = 512;
/** Words of infections in one message: with all the requests that one may name some ten kilobytes each. */
export const infectionsMax = 64;

export interface Testified {
  readonly type: "testimony";
  readonly marks: readonly Mark[];
  readonly sightings: readonly Sighting[];
  /** Of drones; left out where there are none, which is nearly always. */
  readonly infections?: readonly InfectionWord[];
  readonly hops: number;
}

const client = text(markLimits.clientLengthMax);
const atMs = number(0, Number.MAX_SAFE_INTEGER);
const hash = integer(0, 2 ** 32 - 1);
const mark = object({
  id: text(markLimits.idLengthMax),
  client,
  attackClass: oneOf(...attackClasses),
  rules: listOf(markLimits.rulesMax, integer(0, Number.MAX_SAFE_INTEGER)),
  score: number(0, markLimits.scoreMax),
  cell: text(32),
  atMs,
  evidence: optional(text(markLimits.evidenceLengthMax)),
});
const seen = { client, atMs };
const sighting = variant("kind", {
  clean: object({
    kind: oneOf("clean"),
    ...seen,
    count: integer(1, markLimits.cleanCountMax),
    print: optional(hash),
    path: optional(hash),
  }),
  missing: object({ kind: oneOf("missing"), ...seen, path: hash }),
  login: object({ kind: oneOf("login"), ...seen, failed: boolean }),
  slow: object({ kind: oneOf("slow"), ...seen }),
  "protocol-error": object({ kind: oneOf("protocol-error"), ...seen }),
} satisfies Record<Sighting["kind"], Shape>);

const carried = object({
  requestId: text(infectionLimits.requestIdLengthMax),
  client,
  method: text(infectionLimits.methodLengthMax),
  path: text(infectionLimits.pathLengthMax),
  atMs,
  isOpen: boolean,
});
const infection = object({
  drone: text(32),
  pid: integer(1, Number.MAX_SAFE_INTEGER),
  startTicks: integer(0, Number.MAX_SAFE_INTEGER),
  stage: oneOf(...infectionStages),
  check: nullable(text(infectionLimits.checkLengthMax)),
  found: nullable(text(infectionLimits.foundLengthMax)),
  votes: integer(0, 1_000_000),
  cell: text(32),
  atMs,
  requests: listOf(infectionLimits.requestsMax, carried),
});

export const testimony = object({
  type: oneOf("testimony"),
  marks: listOf(testimonyBatchMax, mark),
  sightings: listOf(testimonyBatchMax, sighting),
  infections: optional(listOf(infectionsMax, infection)),
  hops: integer(1, testimonyHopsMax),
});
