/**
 * Affinity: which drone a client's requests should go to, for apps that keep something of a client in memory.
 *
 * By cookie: the client brings back which drone it had. The cookie holds no name of anything, but a keyed digest of the
 * drone's id, so that nobody learns the inside from it or picks a drone that he was not given. All B cells of the
 * organism share the key; so all read it alike, and none keeps a table of clients.
 *
 * By address: rendezvous hashing over the drones that are there. When a drone comes or goes, only the clients move whose
 * place that is. An IPv6 client counts by its /64, within which its address changes by the hour.
 *
 * A drone that is gone is replaced by another: affinity is a preference, not a promise. What must outlive a drone belongs
 * into a store that drones share.
 */
import { createHmac } from "node:crypto";
import { isNamed } from "../../http/field-names.ts";
import type { ExchangeRequest, HeaderList, ResponseHead } from "../../http/message.ts";
import { addressGroup } from "../../lib/ip-range.ts";

export type Wish =
  /** This very drone, as long as it is ready. */
  | { readonly kind: "drone"; readonly droneId: string }
  /** The drone that this key falls to. */
  | { readonly kind: "key"; readonly key: string };

export interface Affinity {
  /** A drone has come, or gone. */
  learn(droneId: string): void;
  forget(droneId: string): void;
  wishOf(request: ExchangeRequest): Wish | null;
  /** What the answer should say beyond the app's own head, so that the client comes back to this drone; or null. */
  fieldsFor(request: ExchangeRequest, answer: ResponseHead, wish: Wish | null, droneId: string): HeaderList | null;
}

export const affinityCookieName = "cellws_drone";
/** 128 bits: not to be guessed. */
const tagBytes = 16;
/** Of a Cookie field; what lies behind is not looked at. As long as a whole head may be by default. */
const cookieCharsMax = 16 * 1024;

export class CookieAffinity implements Affinity {
  readonly #key: Buffer;
  readonly #droneOf = new Map<string, string>();
  readonly #tagOf = new Map<string, string>();

  constructor(key: Buffer) {
    this.#key = key;
  }

  learn(droneId: string): void {
    const digest = createHmac("sha256", this.#key).update(`drone/${droneId}`).digest();
    const tag = digest.subarray(0, tagBytes).toString("base64url");
    this.#droneOf.set(tag, droneId);
    this.#tagOf.set(droneId, tag);
  }

  forget(droneId: string): void {
    const tag = this.#tagOf.get(droneId);
    if (tag !== undefined) this.#droneOf.delete(tag);
    this.#tagOf.delete(droneId);
  }

  wishOf(request: ExchangeRequest): Wish | null {
    const tag = cookieOf(request.headers);
    const droneId = tag === null ? undefined : this.#droneOf.get(tag);
    return droneId === undefined ? null : { kind: "drone", droneId };
  }

  fieldsFor(request: ExchangeRequest, answer: ResponseHead, wish: Wish | null, droneId: string): HeaderList | null {
    if (wish?.kind === "drone" && wish.droneId === droneId) return null;
    const tag = this.#tagOf.get(droneId);
    // A shared cache would hand one client's drone to all the others.
    if (tag === undefined || isForSharedCaches(answer.headers)) return null;
    // Until the browser closes: longer than that a drone is seldom there. Lax, so that a link from elsewhere finds its way.
    const secure = isSecure(request) ? "; Secure" : "";
    return ["Set-Cookie", `${affinityCookieName}=${tag}; Path=/; HttpOnly; SameSite=Lax${secure}`];
  }
}

export class AddressAffinity implements Affinity {
  learn(): void {
    // Who is there the pool knows.
  }

  forget(): void {
    // As above.
  }

  wishOf(request: ExchangeRequest): Wish {
    return { kind: "key", key: addressGroup(request.remoteAddress) };
  }

  fieldsFor(): null {
    return null;
  }
}

/** The first of its name: a browser sends the most specific first. */
function cookieOf(headers: HeaderList): string | null {
  for (let i = 0; i < headers.length; i += 2) {
    if (!isNamed(headers[i] as string, "cookie")) continue;
    for (const pair of (headers[i + 1] as string).slice(0, cookieCharsMax).split(";")) {
      const equals = pair.indexOf("=");
      if (equals !== -1 && pair.slice(0, equals).trim() === affinityCookieName) return pair.slice(equals + 1).trim();
    }
  }
  return null;
}

function isForSharedCaches(headers: HeaderList): boolean {
  for (let i = 0; i < headers.length; i += 2) {
    if (isNamed(headers[i] as string, "cache-control") && /\b(public|s-maxage)\b/i.test(headers[i + 1] as string))
      return true;
  }
  return false;
}

/** The client's own line is encrypted: to us, or to the proxy that we believe (others' claims have been removed). */
function isSecure(request: ExchangeRequest): boolean {
  if (request.encrypted) return true;
  for (let i = 0; i < request.headers.length; i += 2) {
    if (isNamed(request.headers[i] as string, "x-forwarded-proto"))
      return /^https\b/i.test(request.headers[i + 1] as string);
  }
  return false;
}
