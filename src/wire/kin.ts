/**
 * The kin link's protocol, whole: a handshake of three lines, then one JSON message a line.
 *
 *   connector                                        acceptor
 *   { cellws, purpose, organism, id, nonce, record, ancestry }  ->
 *                                          <-  { cellws, id, nonce, record, ancestry, proof }
 *   { proof }                                         ->
 *   message, message, ...                            <->  message, message, ...
 *
 * Each proves that it holds the key of its record by signing the other's nonce. Axons begin with the same three lines
 * and go on with frames (wire/axon.ts). Version rule: `cellws` must be equal; cells of one organism are of one build,
 * and a newer build is a new revision, which grows its own cells beside the old ones.
 */
import type { CellBody, Charge, OrganismRecord } from "../core/record.ts";
import { cellClasses, specializedClasses } from "../core/cell.ts";
import { certificateVotesMax, jurySizes, pulseStrengthMax, testimonyHopsMax } from "../core/limits.ts";
import type { KinMessage } from "../core/message.ts";
import { banActions, killReasons, lineageMax } from "../core/record.ts";
import type { Shape } from "../lib/shape.ts";
import { integer, listOf, nullable, object, oneOf, text, tuple, variant } from "../lib/shape.ts";
import type { LinkPurpose } from "./control.ts";
import { testimony } from "./testimony.ts";

export const kinProtocolVersion = 1;

export interface Hello {
  readonly cellws: number;
  readonly purpose: LinkPurpose;
  readonly organism: string;
  readonly id: string;
  readonly nonce: string;
  readonly record: OrganismRecord<CellBody>;
  /** The births of its ancestors, oldest first. */
  readonly ancestry: readonly OrganismRecord[];
}
export interface Welcome {
  readonly cellws: number;
  readonly id: string;
  readonly nonce: string;
  readonly record: OrganismRecord<CellBody>;
  readonly ancestry: readonly OrganismRecord[];
  readonly proof: string;
}
export interface Proof {
  readonly proof: string;
}

/** One line's longest: an inventory of 10,000 records, or a thousand records with stacks. Above it the link is cut. */
export const kinLineBytesMax = 4 * 1024 * 1024;
/** Before the handshake is over nobody is trusted with more than this: a record and lineageMax ancestors', 1 KiB each at most. */
export const handshakeLineBytesMax = 24 * 1024;

/** What is signed to prove one's identity on a link. */
export function proofPayload(
  purpose: LinkPurpose,
  organism: string,
  prover: string,
  verifier: string,
  nonce: string,
): string {
  return JSON.stringify(["cellws-link", kinProtocolVersion, purpose, organism, prover, verifier, nonce]);
}

/** What a mother signs of a daughter: all that never changes. */
export function birthPayload(organism: string, body: CellBody): string {
  const { id, mother, lineage, generation, birthOrder, publicKey, pid, startTicks, bornAt, revision } = body;
  const facts = [id, mother, lineage, generation, birthOrder, publicKey, pid, startTicks, bornAt, revision];
  return JSON.stringify(["cellws-birth", organism, ...facts]);
}

/** What a voter signs: this very process, for this reason, in this window of time. */
export function votePayload(organism: string, { target, pid, startTicks, reason, window, round }: Charge): string {
  return JSON.stringify(["cellws-vote", organism, target, pid, startTicks, reason, window, round]);
}

/** What is signed of a record. */
export function recordPayload(organism: string, { key, version, origin, body }: OrganismRecord): string {
  return JSON.stringify(["cellws-record", organism, key, version, origin, body]);
}

export type Read<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly reason: string };

export const readKinMessage = (line: string): Read<KinMessage> => read<KinMessage>(line, kinMessage);
export const readHello = (line: string): Read<Hello> => read<Hello>(line, hello);
export const readWelcome = (line: string): Read<Welcome> => read<Welcome>(line, welcome);
export const readProof = (line: string): Read<Proof> => read<Proof>(line, object({ proof: signature }));

const id = text(32);
const signature = text(100);
const nonce = text(64);
const count = integer(0, Number.MAX_SAFE_INTEGER);
/** A digest of the DNA, as text. */
const revision = text(80);
const version = integer(kinProtocolVersion, kinProtocolVersion);

const charge = object({
  target: id,
  pid: count,
  startTicks: count,
  reason: oneOf(...killReasons),
  window: count,
  round: integer(0, jurySizes.length - 1),
});
const cellBody = object({
  kind: oneOf("cell"),
  id,
  mother: nullable(id),
  lineage: listOf(lineageMax, id),
  generation: count,
  birthOrder: count,
  publicKey: text(100),
  pid: count,
  startTicks: count,
  bornAt: text(40),
  revision,
  certificate: signature,
  class: oneOf(...cellClasses),
  state: oneOf("gestating", "live", "draining"),
});
const certificateBody = object({
  kind: oneOf("certificate"),
  id,
  charge,
  votes: listOf(certificateVotesMax, object({ voter: id, signature })),
});
const body = variant("kind", {
  cell: cellBody,
  death: object({
    kind: oneOf("death"),
    id,
    pid: count,
    startTicks: count,
    cause: oneOf("crashed", "stopped", "app-failed", "stillborn", "condemned"),
  }),
  certificate: certificateBody,
  app: object({
    kind: oneOf("app"),
    state: oneOf("ready", "failed"),
    attempts: count,
    code: text(64),
    message: text(4_096),
    stack: text(16_384),
    files: listOf(256, text(4_096)),
  }),
  dna: object({ kind: oneOf("dna"), revision }),
  stop: object({ kind: oneOf("stop"), drainMs: count }),
  ban: object({
    kind: oneOf("ban"),
    range: text(48),
    action: oneOf(...banActions),
    reason: text(64),
    offence: integer(1, 1_000_000),
    issuedAtMs: count,
    untilMs: count,
    incident: text(96),
  }),
  memory: object({ kind: oneOf("memory"), seq: count }),
});
const recordOf = (bodyShape: Shape): Shape =>
  object({ key: text(80), version: count, origin: id, body: bodyShape, signature });
const record = recordOf(body);
/** For what is kept of them elsewhere (death-certificate.ts). */
export const cellRecordShape: Shape = recordOf(cellBody);
export const certificateRecordShape: Shape = recordOf(certificateBody);
const pulse = object({
  id: text(64),
  origin: id,
  class: oneOf(...specializedClasses),
  strength: integer(1, pulseStrengthMax),
  wanted: integer(1, 10_000),
  unanswered: count,
  // What arrives has made a hop at least.
  hops: integer(1, 64),
});
const classTally = object({
  cells: count,
  loadMilli: count,
  inFlight: count,
  queued: count,
  queueMs: count,
  marks: count,
  came: count,
  done: count,
  quietMs: count,
  unready: count,
  memoryMilli: count,
  throttledMilli: count,
});
const recordsMax = 10_000;
const kinMessage = variant("type", {
  inventory: object({ type: oneOf("inventory"), entries: listOf(recordsMax, tuple(text(80), count, id)) }),
  records: object({ type: oneOf("records"), records: listOf(recordsMax, record) }),
  pulse: object({ type: oneOf("pulse"), pulse }),
  votes: object({ type: oneOf("votes"), votes: listOf(1_000, object({ charge, voter: id, signature })) }),
  suspect: object({ type: oneOf("suspect"), id, by: id }),
  tally: object({
    type: oneOf("tally"),
    tally: object(Object.fromEntries(cellClasses.map((c) => [c, classTally]))),
    digest: count,
    toTCell: nullable(integer(0, testimonyHopsMax)),
  }),
  testimony,
  "hand-down": object({ type: oneOf("hand-down"), hops: integer(0, 64) }),
} satisfies Record<KinMessage["type"], Shape>);
const ancestry = listOf(lineageMax, recordOf(cellBody));
const hello = object({
  cellws: version,
  purpose: oneOf("kin", "axon"),
  organism: text(64),
  id,
  nonce,
  record: recordOf(cellBody),
  ancestry,
});
const welcome = object({ cellws: version, id, nonce, record: recordOf(cellBody), ancestry, proof: signature });

function read<T>(line: string, shape: Shape): Read<T> {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return { ok: false, reason: "not JSON" };
  }
  const wrong = shape(value);
  return wrong === null ? { ok: true, value: value as T } : { ok: false, reason: wrong };
}
