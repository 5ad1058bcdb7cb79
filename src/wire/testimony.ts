/**
 * Testimony on a kin link: batches of marks and sightings on their way to a T cell. Everything in it comes, in the end, from
 * clients; so each length and number has its bound here, where it enters, and whoever makes a mark keeps to the same bounds.
 */
import { testimonyHopsMax } from "../core/limits.ts";
import { attackClasses } from "../immune/ledger/attack-class.ts";
import { markLimits, type Mark, type Sighting } from "../immune/ledger/mark.ts";
import type { Shape } from "../lib/shape.ts";
import { boolean, integer, listOf, number, object, oneOf, optional, text, variant } from "../lib/shape.ts";

/** Of each in one message: at a few hundred bytes each well under a line's bound, and quickly checked. */
export const testimonyBatchMax = 512;

export interface Testified {
  readonly type: "testimony";
  readonly marks: readonly Mark[];
  readonly sightings: readonly Sighting[];
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

export const testimony = object({
  type: oneOf("testimony"),
  marks: listOf(testimonyBatchMax, mark),
  sightings: listOf(testimonyBatchMax, sighting),
  hops: integer(1, testimonyHopsMax),
});
