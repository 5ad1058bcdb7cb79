/**
 * Who may say what. Each cell has a key pair that it made itself; its mother certifies the public half together with the
 * other facts of its birth. What comes over a kin link is judged here, where it enters, so that the mind hears only what its
 * source may say. The running cell (host/, with Ed25519) and the simulator (with keys of its own) judge by these rules.
 *
 *   what a cell is        certified by its mother (the founding egg by the organism's very id), and signed by itself
 *                         or, while it is still unborn, by the mother; a role once taken stays
 *   a death               signed by the dead as a farewell; else the kernel must agree, about that very process
 *   a vote, a sentence    each vote signed by its voter
 *   a ban                 signed by a known T cell
 *   the app's state, a stop, a changed memory   signed by any known cell
 *   another DNA           signed by any known cell, and there is such a DNA for all to see: no word can make it up
 *
 * Whether a thing that is genuine is also enough (a majority, a mature voter) is the mind's to say, who knows the electorate.
 */
import { specializedClasses } from "../core/cell.ts";
import type { KinMessage } from "../core/message.ts";
import type { CellBody, CertificateBody, Charge, DeathBody, OrganismRecord, RecordBody } from "../core/record.ts";
import { cellKey, keyOf, lineageMax, supersedes } from "../core/record.ts";
import type { Vote } from "../core/ballot.ts";
import { birthPayload, recordPayload, votePayload } from "./kin.ts";

/** What the judge must know. */
export interface Acquaintance {
  readonly organism: string;
  /** The newest record of a cell, living or dead, as far as it is known. */
  cell(id: string): CellBody | undefined;
  /** What is held under a key, if anything. */
  held(key: string): OrganismRecord | undefined;
  /** The cell that is known as that very process and not found to be a name that nobody answers under, if any. */
  ownerOfProcess(pid: number, startTicks: number): string | undefined;
  /** Whether that very process runs. */
  runs(pid: number, startTicks: number): boolean;
  /** Whether a DNA of that content lies where the administrator puts them. */
  hasDna(revision: string): boolean;
}

/** How signatures are checked: in production by Ed25519. */
export interface Seals {
  isSignedBy(payload: string, signature: string, publicKey: string): boolean;
  /** The organism's name among organisms: a fingerprint of its first egg's key. */
  organismId(eggPublicKey: string): string;
}

export interface Hearing {
  take(message: KinMessage): void;
  refuse(what: string, why: string): void;
}

/** A version this far beyond the one that is held was not reached by honest news: it would silence all later word. */
const versionLeapMax = 1_000;
/** The same for the order of births: no family grows by so many between a mother's birth and her daughter's. */
const birthOrderLeapMax = 1_000_000;

/** Lets in what of a message is to be believed; each record is judged by what is known after the one before. */
export function hear(message: KinMessage, known: Acquaintance, seals: Seals, hearing: Hearing): void {
  if (message.type === "votes") return hearVotes(message.votes, known, seals, hearing);
  if (message.type !== "records") return hearing.take(message);
  // Births in order of age: a daughter's certificate is checked by her mother's key.
  const records = [...message.records].sort((a, b) => birthOrderOf(a) - birthOrderOf(b));
  for (const record of records) {
    // What is no news needs no judge: most of what is heard twice ends here, before any signature is checked.
    if (!supersedes(record, known.held(record.key))) continue;
    const wrong = whyNotBelieved(record, known, seals);
    if (wrong === null) hearing.take({ type: "records", records: [record] });
    else hearing.refuse(record.key, wrong);
  }
}

/** Why a record is not to be believed, or null. */
export function whyNotBelieved(record: OrganismRecord, known: Acquaintance, seals: Seals): string | null {
  const { body, origin } = record;
  if (record.key !== keyOf(body)) return "filed under a wrong key";
  if (record.version > (known.held(record.key)?.version ?? Number.MAX_SAFE_INTEGER) + versionLeapMax)
    return "its version leaps";
  if (body.kind === "cell") {
    const wrong = whyNotBorn(body, known, seals) ?? whyNotBecome(body, known);
    if (wrong !== null) return wrong;
  }
  // A cell's own record brings its key along, certified; everybody else must be known already.
  const publicKey = body.kind === "cell" && origin === body.id ? body.publicKey : known.cell(origin)?.publicKey;
  if (publicKey === undefined) return "from nobody known";
  if (!seals.isSignedBy(recordPayload(known.organism, record), record.signature, publicKey))
    return "not signed by its origin";
  switch (body.kind) {
    case "cell":
      return origin === body.id || (origin === body.mother && body.state === "gestating")
        ? null
        : "told of another cell";
    case "death":
      return whyNotDead(body, origin, known);
    case "certificate":
      return whyNotVoted(body, known, seals);
    case "app":
    case "stop":
    case "memory":
      return null;
    case "dna":
      return known.hasDna(body.revision) ? null : "there is no such DNA";
    case "ban":
      // Whether it keeps to the limits of the DNA is judged where it would be carried out.
      return known.cell(origin)?.class === "t-cell" ? null : "a ban by a cell that is no T cell";
  }
}

/**
 * Why a cell that opens a link is not to be let in, or null. It brings the births of its ancestors along, oldest first: who
 * bore it may have died before anybody here heard of her, and its own birth is believed by her key only.
 */
export function whyNotMet(
  record: OrganismRecord,
  ancestry: readonly OrganismRecord[],
  known: Acquaintance,
  seals: Seals,
): string | null {
  const shown = new Map<string, CellBody>();
  const informed: Acquaintance = { ...known, cell: (id) => known.cell(id) ?? shown.get(id) };
  for (const ancestor of ancestry) {
    const { body } = ancestor;
    if (body.kind === "cell" && whyNotBelieved(ancestor, informed, seals) === null) shown.set(body.id, body);
  }
  return whyNotBelieved(record, informed, seals);
}

/** The births of a cell's ancestors, oldest first, as far as it holds them. */
export function ancestryOf(body: CellBody, recordOf: (key: string) => OrganismRecord | undefined): OrganismRecord[] {
  return body.lineage.flatMap((id) => recordOf(cellKey(id)) ?? []);
}

/** Whether a vote is its voter's. */
export function isVoteOf(known: Acquaintance, seals: Seals, voter: string, charge: Charge, signature: string): boolean {
  const publicKey = known.cell(voter)?.publicKey;
  return publicKey !== undefined && seals.isSignedBy(votePayload(known.organism, charge), signature, publicKey);
}

/** Signs our own word; and, where it is a daughter's birth, certifies it. */
export function signRecord(
  organism: string,
  unsigned: Omit<OrganismRecord, "signature">,
  sign: (payload: string) => string,
): OrganismRecord {
  const record = { ...unsigned, body: certified(organism, unsigned.body, sign), signature: "" };
  return { ...record, signature: sign(recordPayload(organism, record)) };
}

function certified(organism: string, body: RecordBody, sign: (payload: string) => string): RecordBody {
  if (body.kind !== "cell" || body.certificate !== "") return body;
  return { ...body, certificate: sign(birthPayload(organism, body)) };
}

function hearVotes(votes: readonly Vote[], known: Acquaintance, seals: Seals, hearing: Hearing): void {
  const genuine = votes.filter(({ voter, charge, signature }) => isVoteOf(known, seals, voter, charge, signature));
  if (genuine.length < votes.length) hearing.refuse(`${votes.length - genuine.length} votes`, "not their voters'");
  if (genuine.length > 0) hearing.take({ type: "votes", votes: genuine });
}

function whyNotVoted({ id, charge, votes }: CertificateBody, known: Acquaintance, seals: Seals): string | null {
  if (charge.target !== id) return "its charge is against another";
  if (new Set(votes.map((vote) => vote.voter)).size !== votes.length) return "a voter counts twice";
  const isGenuine = votes.every(({ voter, signature }) => isVoteOf(known, seals, voter, charge, signature));
  return isGenuine ? null : "a vote is not its voter's";
}

/** The process that is said to have ended must be the cell's own: another pid that does not run proves nothing. */
function whyNotDead({ id, pid, startTicks }: DeathBody, origin: string, known: Acquaintance): string | null {
  const cell = known.cell(id);
  if (cell === undefined) return "of nobody known";
  if (cell.pid !== pid || cell.startTicks !== startTicks) return "not that cell's process";
  return origin === id || !known.runs(pid, startTicks) ? null : "that cell's process runs";
}

function whyNotBorn(body: CellBody, known: Acquaintance, seals: Seals): string | null {
  const birth = known.cell(body.id);
  if (birth !== undefined) {
    const same =
      birth === body || (birth.certificate === body.certificate && birthPayload("", birth) === birthPayload("", body));
    return same ? null : "its birth is not as certified";
  }
  const owner = known.ownerOfProcess(body.pid, body.startTicks);
  // Else a healthy cell's process could be accused, and ended, under the name of a daughter that never was. Where one mother
  // certified both, either may be the ghost: the one that we heard of first must not shut the other out (core/execution.ts).
  if (owner !== undefined && owner !== body.id && known.cell(owner)?.mother !== body.mother)
    return `its process is that of ${owner}`;
  if (body.mother === null && seals.organismId(body.publicKey) !== known.organism) return "not this organism's egg";
  const mother = body.mother === null ? undefined : known.cell(body.mother);
  if (body.mother !== null && mother === undefined) return "its mother is not known";
  if (mother !== undefined && !descends(body, mother)) return "its lineage is not its mother's";
  return seals.isSignedBy(birthPayload(known.organism, body), body.certificate, mother?.publicKey ?? body.publicKey)
    ? null
    : "its birth is not certified";
}

function descends(body: CellBody, mother: CellBody): boolean {
  const lineage = [...mother.lineage, mother.id].slice(-lineageMax);
  return (
    body.generation === mother.generation + 1 &&
    body.birthOrder > mother.birthOrder &&
    body.birthOrder <= mother.birthOrder + birthOrderLeapMax &&
    body.lineage.length === lineage.length &&
    body.lineage.every((id, i) => id === lineage[i])
  );
}

/** Differentiation is one way: who changed roles at will could make any class seem too many or too few. */
function whyNotBecome(body: CellBody, known: Acquaintance): string | null {
  const before = known.cell(body.id);
  if (before === undefined) return null;
  // Who says so hides from probes and from the vote.
  if (before.state !== "gestating" && body.state === "gestating") return "it is born";
  // All others would leave such an egg alone with the organism: one is born an egg, or never is one.
  if (before.class !== "egg" && body.class === "egg") return "nobody becomes an egg";
  const tookRole = (specializedClasses as readonly string[]).includes(before.class);
  return tookRole && body.class !== before.class ? `a ${before.class} stays one` : null;
}

function birthOrderOf(record: OrganismRecord): number {
  return record.body.kind === "cell" ? record.body.birthOrder : Number.MAX_SAFE_INTEGER;
}
