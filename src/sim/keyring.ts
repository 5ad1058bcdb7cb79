/**
 * Keys and signatures of simulated cells: what Ed25519 is in production. A signature is a hash of a secret and what was
 * signed. Secrets never leave this file, so a cell that lies can sign anything as itself and nothing as another; that is
 * all that the rules (wire/belief.ts) ask of cryptography. Not secure against anybody who computes, and no one here does.
 */
import { hash32 } from "../lib/hash.ts";
import type { Seals } from "../wire/belief.ts";

export class Keyring implements Seals {
  readonly #secrets = new Map<string, string>();

  /** Makes a key pair from a random word, and returns its public half. */
  makeKey(owner: string, word: number): string {
    const publicKey = `key of ${owner}`;
    this.#secrets.set(publicKey, `${word}`);
    return publicKey;
  }

  /** For the holder of the key alone: callers pass the key of the cell that signs. */
  sign(payload: string, publicKey: string): string {
    const secret = this.#secrets.get(publicKey);
    return secret === undefined ? "" : hash32(`${secret}/${payload}`).toString(36);
  }

  isSignedBy(payload: string, signature: string, publicKey: string): boolean {
    return signature !== "" && this.sign(payload, publicKey) === signature;
  }

  organismId(eggPublicKey: string): string {
    return `organism of ${eggPublicKey}`;
  }
}
