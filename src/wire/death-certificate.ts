/**
 * A death certificate as it is kept: the sentence with all its signatures, and what anybody needs to check it without asking a
 * living cell: who the electors were, and the births of all of them.
 *
 * What the check shows: each vote is signed, over this very process, reason and window of time, by the key of a cell of
 * this organism (its birth is signed by its mother, hers by her mother, up to the founding egg whose key the organism is
 * named after); and they are a majority of the electors. What it cannot show: that the list of electors is the one that
 * the organism had then, which is the word of the cell that wrote it down. Lineages forget their eldest, and the long dead
 * are forgotten: a voter whose line breaks off before the egg is told apart ("untraced").
 */
import { quorum } from "../core/ballot.ts";
import type { CellClass, CellId } from "../core/cell.ts";
import { cellClasses } from "../core/cell.ts";
import type { CellBody, CertificateBody, OrganismRecord } from "../core/record.ts";
import { cellKey } from "../core/record.ts";
import type { Shape } from "../lib/shape.ts";
import { integer, listOf, nullable, object, oneOf, text } from "../lib/shape.ts";
import type { Acquaintance, Seals } from "./belief.ts";
import { isVoteOf, whyNotBelieved } from "./belief.ts";
import type { Read } from "./kin.ts";
import { cellRecordShape, certificateRecordShape, recordPayload } from "./kin.ts";

export const deathCertificateFormat = 1;

export interface DeathCertificate {
  readonly cellws: "death-certificate";
  readonly format: number;
  readonly organism: string;
  readonly name: string;
  /** RFC 3339, of the cell that wrote it down, for people. */
  readonly at: string;
  readonly writtenBy: CellId;
  /** What the condemned was. */
  readonly class: CellClass;
  readonly certificate: OrganismRecord<CertificateBody>;
  /** Who might vote on it, as the writer knew the organism. */
  readonly electors: readonly CellId[];
  /** Cell records of the electors, the condemned and their ancestors, as far as they were known. */
  readonly births: readonly OrganismRecord<CellBody>[];
  /** What the writer itself had found, where it was one that looked. */
  readonly finding: { readonly check: string; readonly found: string } | null;
}

export interface Verdict {
  readonly holds: boolean;
  /** What is wrong; empty if it holds. */
  readonly faults: readonly string[];
  readonly electors: number;
  readonly quorum: number;
  /** Voters whose vote counts. */
  readonly voters: ReadonlyArray<{ readonly id: CellId; readonly traced: boolean }>;
}

/** The largest: a jury of everybody in an organism of some hundreds. */
export const deathCertificateBytesMax = 8 * 1024 * 1024;
const electorsMax = 100_000;

const shape: Shape = object({
  cellws: oneOf("death-certificate"),
  format: integer(deathCertificateFormat, deathCertificateFormat),
  organism: text(64),
  name: text(64),
  at: text(40),
  writtenBy: text(32),
  class: oneOf(...cellClasses),
  certificate: certificateRecordShape,
  electors: listOf(electorsMax, text(32)),
  births: listOf(electorsMax, cellRecordShape),
  finding: nullable(object({ check: text(64), found: text(4_096) })),
});

export function readDeathCertificate(source: string): Read<DeathCertificate> {
  let value: unknown;
  try {
    value = JSON.parse(source);
  } catch {
    return { ok: false, reason: "it is not JSON" };
  }
  const wrong = shape(value);
  return wrong === null ? { ok: true, value: value as DeathCertificate } : { ok: false, reason: wrong };
}

/** Checks everything that can be checked with nothing but the certificate. */
export function verifyDeathCertificate(document: DeathCertificate, seals: Seals): Verdict {
  const { certificate, electors } = document;
  const { charge, votes, id } = certificate.body;
  const faults: string[] = [];
  const fault = (text_: string): void => void faults.push(text_);

  const { known, traced } = introduce(document, seals, fault);
  const acquaintance: Acquaintance = {
    organism: document.organism,
    cell: (other) => known.get(other),
    held: () => undefined,
    ownerOfProcess: () => undefined,
    runs: () => false,
    hasDna: () => false,
  };
  const jurors = new Set(electors);
  if (jurors.size !== electors.length) fault("an elector is listed twice");
  if (charge.target !== id) fault("the charge is against another cell");
  const condemned = known.get(id);
  if (condemned === undefined) fault("the birth of the condemned is missing");
  else if (condemned.pid !== charge.pid || condemned.startTicks !== charge.startTicks)
    fault("the charge is against another process than the condemned cell's");

  const counted = new Map<CellId, { id: CellId; traced: boolean }>();
  for (const { voter, signature } of votes) {
    if (counted.has(voter)) fault(`${voter} votes twice`);
    else if (voter === id) fault("the condemned votes on itself");
    // Who counts the electorate otherwise may have voted too: such a vote is worth nothing here.
    else if (!jurors.has(voter)) continue;
    else if (!known.has(voter)) fault(`the birth of ${voter} is missing or false`);
    else if (!isVoteOf(acquaintance, seals, voter, charge, signature))
      fault(`the vote of ${voter} is not signed by it`);
    else counted.set(voter, { id: voter, traced: traced.has(voter) });
  }
  const needed = quorum(electors.length);
  if (counted.size < needed)
    fault(`${counted.size} votes of ${electors.length} electors are no majority: ${needed} are`);
  return {
    holds: faults.length === 0,
    faults,
    electors: electors.length,
    quorum: needed,
    voters: [...counted.values()],
  };
}

/** Who everybody is: each birth signed by the mother, as far up as there are any. */
function introduce(
  { organism, births }: DeathCertificate,
  seals: Seals,
  fault: (text: string) => void,
): { known: ReadonlyMap<CellId, CellBody>; traced: ReadonlySet<CellId> } {
  const known = new Map<CellId, CellBody>();
  const traced = new Set<CellId>();
  const told = new Map(births.map((record) => [record.body.id, record]));
  const acquaintance: Acquaintance = {
    organism,
    cell: (id) => known.get(id),
    held: () => undefined,
    ownerOfProcess: (pid, startTicks) =>
      [...known.values()].find((cell) => cell.pid === pid && cell.startTicks === startTicks)?.id,
    runs: () => false,
    hasDna: () => false,
  };
  for (const record of [...births].sort((a, b) => a.body.birthOrder - b.body.birthOrder)) {
    const { body } = record;
    const isOrphan = body.mother !== null && !told.has(body.mother);
    const wrong = isOrphan ? whyNotSelf(organism, record, seals) : whyNotBelieved(record, acquaintance, seals);
    if (wrong !== null) {
      fault(`the birth of ${body.id}: ${wrong}`);
      continue;
    }
    known.set(body.id, body);
    if (body.mother === null || traced.has(body.mother)) traced.add(body.id);
  }
  return { known, traced };
}

/** A cell whose mother is forgotten: at least its word must be its own. */
function whyNotSelf(organism: string, record: OrganismRecord<CellBody>, seals: Seals): string | null {
  if (record.key !== cellKey(record.body.id) || record.origin !== record.body.id) return "not its own word";
  return seals.isSignedBy(recordPayload(organism, record), record.signature, record.body.publicKey)
    ? null
    : "not signed by its key";
}

/** The births that a certificate must bring along. `recordOf`: as this cell holds them. */
export function birthsFor(
  ids: readonly CellId[],
  recordOf: (key: string) => OrganismRecord | undefined,
): Array<OrganismRecord<CellBody>> {
  const all = new Map<CellId, OrganismRecord<CellBody>>();
  const add = (id: CellId): void => {
    const record = recordOf(cellKey(id));
    if (all.has(id) || record?.body.kind !== "cell") return;
    all.set(id, record as OrganismRecord<CellBody>);
    for (const ancestor of record.body.lineage) add(ancestor);
  };
  for (const id of ids) add(id);
  return [...all.values()];
}
