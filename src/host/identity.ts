/**
 * Who is who, and who may say what. Each cell has an Ed25519 key pair that it made itself; its mother certifies the
 * public half together with the other facts of its birth. Records are checked here, where they enter, so that the core
 * hears only what its source may say:
 *
 *   what a cell is        certified by its mother (the founding egg by the organism's very id), and signed by itself
 *                         or, while it is still unborn, by the mother
 *   a death               signed by the dead as a farewell; else the kernel must agree
 *   the app's state, a stop   signed by any known cell
 */
import crypto from "node:crypto";
import type { CellBody, CertificateBody, Charge, OrganismRecord, RecordBody } from "../core/record.ts";
import { keyOf } from "../core/record.ts";
import { birthPayload, recordPayload, votePayload } from "../wire/kin.ts";

export interface KeyPair {
  /** Raw 32 bytes, base64url. */
  readonly publicKey: string;
  readonly privateKey: crypto.KeyObject;
}

export function makeKeyPair(): KeyPair {
  const { publicKey, privateKey } = crypto.generateKeyPairSync("ed25519");
  const { x } = publicKey.export({ format: "jwk" });
  return { publicKey: x ?? "", privateKey };
}

/** The organism's name among organisms: a fingerprint of the egg's key. */
export function organismId(eggPublicKey: string): string {
  return crypto.createHash("sha256").update(eggPublicKey).digest("hex").slice(0, 16);
}

export function sign(payload: string, privateKey: crypto.KeyObject): string {
  return crypto.sign(null, Buffer.from(payload), privateKey).toString("base64url");
}

/** False for a wrong signature and for anything that is no key or no signature at all. */
export function isSignedBy(payload: string, signature: string, publicKey: string): boolean {
  try {
    return crypto.verify(null, Buffer.from(payload), importKey(publicKey), Buffer.from(signature, "base64url"));
  } catch {
    return false;
  }
}

/** Signs our own word; and, where it is a daughter's birth, certifies it. */
export function signRecord(
  organism: string,
  unsigned: Omit<OrganismRecord, "signature">,
  privateKey: crypto.KeyObject,
): OrganismRecord {
  const record = { ...unsigned, body: certified(organism, unsigned.body, privateKey), signature: "" };
  return { ...record, signature: sign(recordPayload(organism, record), privateKey) };
}

function certified(organism: string, body: RecordBody, privateKey: crypto.KeyObject): RecordBody {
  if (body.kind !== "cell" || body.certificate !== "") return body;
  return { ...body, certificate: sign(birthPayload(organism, body), privateKey) };
}

/** What the judge of records must know. */
export interface Acquaintance {
  readonly organism: string;
  /** The newest record of a cell, living or dead, as far as it is known. */
  cell(id: string): CellBody | undefined;
  /** Whether that very process runs. */
  runs(pid: number, startTicks: number): boolean;
}

/** Why a record is not to be believed, or null. */
export function whyNotBelieved(record: OrganismRecord, known: Acquaintance): string | null {
  const { body, origin } = record;
  if (record.key !== keyOf(body)) return "filed under a wrong key";
  if (body.kind === "cell") {
    const wrong = whyNotBorn(body, known);
    if (wrong !== null) return wrong;
  }
  // A cell's own record brings its key along, certified; everybody else must be known already.
  const publicKey = body.kind === "cell" && origin === body.id ? body.publicKey : known.cell(origin)?.publicKey;
  if (publicKey === undefined) return "from nobody known";
  if (!isSignedBy(recordPayload(known.organism, record), record.signature, publicKey))
    return "not signed by its origin";
  switch (body.kind) {
    case "cell":
      return origin === body.id || (origin === body.mother && body.state === "gestating")
        ? null
        : "told of another cell";
    case "death":
      return origin === body.id || !known.runs(body.pid, body.startTicks) ? null : "that cell's process runs";
    case "certificate":
      return whyNotVoted(body, known);
    case "app":
    case "stop":
      return null;
    case "ban":
      // Whether it keeps to the limits of the DNA is judged where it would be carried out.
      return known.cell(origin)?.class === "t-cell" ? null : "a ban by a cell that is no T cell";
  }
}

/** Only whether the votes are genuine. Whether they are enough is the mind's to say, who knows the electorate. */
function whyNotVoted({ id, charge, votes }: CertificateBody, known: Acquaintance): string | null {
  if (charge.target !== id) return "its charge is against another";
  if (new Set(votes.map((vote) => vote.voter)).size !== votes.length) return "a voter counts twice";
  const isGenuine = votes.every(({ voter, signature }) => isVoteOf(known, voter, charge, signature));
  return isGenuine ? null : "a vote is not its voter's";
}

export function isVoteOf(known: Acquaintance, voter: string, charge: Charge, signature: string): boolean {
  const publicKey = known.cell(voter)?.publicKey;
  return publicKey !== undefined && isSignedBy(votePayload(known.organism, charge), signature, publicKey);
}

function whyNotBorn(body: CellBody, known: Acquaintance): string | null {
  const birth = known.cell(body.id);
  if (birth !== undefined) {
    const same = birth.certificate === body.certificate && birthPayload("", birth) === birthPayload("", body);
    return same ? null : "its birth is not as certified";
  }
  if (body.mother === null && organismId(body.publicKey) !== known.organism) return "not this organism's egg";
  const certifier = body.mother === null ? body.publicKey : known.cell(body.mother)?.publicKey;
  if (certifier === undefined) return "its mother is not known";
  return isSignedBy(birthPayload(known.organism, body), body.certificate, certifier)
    ? null
    : "its birth is not certified";
}

const importedKeys = new Map<string, crypto.KeyObject>();
/** Importing costs more than verifying; an organism has few keys. */
const importedKeysMax = 1_024;

function importKey(publicKey: string): crypto.KeyObject {
  let key = importedKeys.get(publicKey);
  if (key === undefined) {
    key = crypto.createPublicKey({ key: { kty: "OKP", crv: "Ed25519", x: publicKey }, format: "jwk" });
    if (importedKeys.size >= importedKeysMax) importedKeys.clear();
    importedKeys.set(publicKey, key);
  }
  return key;
}
