/** Sends plain HTTP to HTTPS: one answer, without the app. */
import { assert } from "../../lib/assert.ts";
import { isNamed } from "../../http/field-names.ts";
import type { ExchangeRequest, HeaderList } from "../../http/message.ts";
import type { ClientSide } from "./carriage.ts";
import type { Conveyance } from "./conveyance.ts";

/** What a certificate authority asks for, without TLS, before there can be any (RFC 8555, 8.3). */
const acmePath = "/.well-known/acme-challenge/";

/** Where the request is sent to; null when it is to be answered as it is. */
export function redirectTarget(request: ExchangeRequest, httpsPort: number): string | null {
  const { target, headers, encrypted } = request;
  if (encrypted || target.startsWith(acmePath)) return null;
  // Only trusted proxies' word has come this far: to the client it is HTTPS already.
  if (fieldOf(headers, "x-forwarded-proto") === "https") return null;
  const host = fieldOf(headers, "x-forwarded-host") ?? fieldOf(headers, "host") ?? "";
  const name = host.replace(/:[0-9]*$/, "");
  // Without a name (HTTP/1.0) there is nowhere to send it; and `OPTIONS *` asks about this server.
  if (name === "" || target === "*") return null;
  const path = target.startsWith("/") ? target : target.replace(/^https?:\/\/[^/?]*/i, "");
  return `https://${name}${httpsPort === 443 ? "" : `:${httpsPort}`}${path.startsWith("/") ? path : `/${path}`}`;
}

export class Redirect implements Conveyance {
  readonly #request: ExchangeRequest;
  readonly #client: ClientSide;
  readonly #location: string;

  constructor(request: ExchangeRequest, client: ClientSide, location: string) {
    this.#request = request;
    this.#client = client;
    this.#location = location;
  }

  start(): void {
    const isPlainRead = this.#request.method === "GET" || this.#request.method === "HEAD";
    // 308 keeps method and body; for reading 301 says the same, and the oldest clients know it.
    const [status, reason] = isPlainRead ? [301, "Moved Permanently"] : [308, "Permanent Redirect"];
    this.#client.respond({ status, reason, headers: ["Location", this.#location, "Content-Length", "0"] });
    this.#client.end([]);
  }

  /** Not wanted, and read only for the answer to arrive. */
  sendBody(_chunk: Buffer): boolean {
    return true;
  }

  sendEnd(_trailers: HeaderList): void {}

  consumed(bytes: number): void {
    assert(bytes === 0, "a redirect has no body");
  }

  giveUp(): void {}

  cancel(_reason: string): void {}
}

function fieldOf(headers: HeaderList, lower: string): string | null {
  for (let i = 0; i < headers.length; i += 2) if (isNamed(headers[i] as string, lower)) return headers[i + 1] as string;
  return null;
}
