/**
 * Keys and signatures: each cell has an Ed25519 key pair that it made itself. Who may say what, and therefore what is signed
 * and checked, is wire/belief.ts; this file only lends it the cryptography.
 */
import crypto from "node:crypto";
import type { OrganismRecord } from "../core/record.ts";
import type { Acquaintance } from "../wire/belief.ts";
import * as belief from "../wire/belief.ts";

export type { Acquaintance } from "../wire/belief.ts";

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
  return belief.signRecord(organism, unsigned, (payload) => sign(payload, privateKey));
}

/** Ed25519, for the judge of what comes over a link (wire/belief.ts). */
export const seals: belief.Seals = { isSignedBy, organismId };

/** Why a record is not to be believed, or null. */
export function whyNotBelieved(record: OrganismRecord, known: Acquaintance): string | null {
  return belief.whyNotBelieved(record, known, seals);
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
