/**
 * What of a request's head goes on to the drone, and who the client is.
 *
 * Fields that concern only the client's connection end here. So do, unless a trusted proxy sent them, the fields by
 * which proxies say who the client is: anybody can write `X-Forwarded-For: 127.0.0.1`, and many apps believe it.
 *
 * Without a proxy in front, an app sees what it would see in plain Node: the client's own address on the socket, and no
 * forwarding fields at all. Setting them from the real connection was considered and is left to the DNA (`announce`):
 * an app that trusts no proxy would ignore them or (express-rate-limit) take them for an error, and one that does trust
 * falls back to the socket's address, which is true here. Behind trusted proxies the socket's address is the client's
 * too, and the forwarding fields are rewritten to say just that, so that an app that takes the first entry, one that takes the
 * last and one that counts hops all come to the same answer.
 *
 * Only one family of fields is believed. A proxy that writes X-Forwarded-For commonly lets a client's `Forwarded`
 * through untouched, and the other way round; believing whichever is there would believe the client.
 */
import { HOST, isAll } from "./charset.ts";
import { isHopByHop, isNamed, trimBlanks } from "./field-names.ts";
import type { ExchangeRequest, HeaderList } from "./message.ts";
import type { ReadHead } from "./request-reader.ts";

export interface ForwardingPolicy {
  /** "invalid": no IP address at all (`unknown`, `_hidden`, garbage). */
  judgeAddress(address: string): "trusted" | "untrusted" | "invalid";
  /** What the trusted proxies write. The other family is removed. */
  trustedFields: "x-forwarded" | "forwarded";
  /** Tell the app of a direct client in X-Forwarded-* too, for apps that were behind a proxy and read nothing else. */
  announce: boolean;
}

/** What is known of the connection itself. */
export interface ConnectionFacts {
  remoteAddress: string;
  remotePort: number;
  localAddress: string;
  localPort: number;
  encrypted: boolean;
  /** Index into the DNA's `listen`. */
  listener: number;
}

/** Proxies in a row. Beyond it a chain is a mistake or an attack, and its end is taken for the client. */
const HOPS_MAX = 32;
const REQUEST_ID_CHARS_MAX = 128;

export function forwardRequest(
  head: ReadHead,
  connection: ConnectionFacts,
  policy: ForwardingPolicy,
  makeRequestId: () => string,
): ExchangeRequest {
  const isBehindProxy = policy.judgeAddress(connection.remoteAddress) === "trusted";
  const client = isBehindProxy ? readForwarded(head.headers, connection, policy) : directClient(head, connection);
  const headers: string[] = [];
  const namedByConnection = head.connectionTokens.filter((token) => !plainTokens.has(token));
  let requestId: string | null = null;
  for (let i = 0; i < head.headers.length; i += 2) {
    const name = head.headers[i] as string;
    const value = head.headers[i + 1] as string;
    if (isHopByHop(name)) {
      keepOfConnection(head, name, value, headers);
    } else if (isNamed(name, "x-request-id")) {
      if (requestId === null && isRequestId(value)) requestId = value;
    } else if (namedByConnection.length > 0 && namedByConnection.includes(name.toLowerCase())) {
      continue;
    } else {
      const claim = claimOf(name);
      if (claim === "none" || (isBehindProxy && claim === "other")) headers.push(name, value);
      else if (isBehindProxy && claim === "address") headers.push(name, client.address);
    }
  }
  if (isBehindProxy || policy.announce) announce(client, policy, headers);
  requestId ??= makeRequestId();
  headers.push("X-Request-Id", requestId);
  return {
    method: head.method,
    target: head.target,
    versionMinor: head.versionMinor,
    headers,
    remoteAddress: client.address,
    remotePort: client.port,
    localAddress: connection.localAddress,
    localPort: connection.localPort,
    encrypted: connection.encrypted,
    listener: connection.listener,
    requestId,
    hasBody: head.framing === "chunked" || head.contentLength > 0,
    upgrade: head.upgrade,
  };
}

/** Of the connection's fields the app sees those that describe the request to it, in one spelling. */
function keepOfConnection(head: ReadHead, name: string, value: string, headers: string[]): void {
  // Frameworks look at this one to tell whether there is a body.
  if (isNamed(name, "transfer-encoding")) headers.push(name, "chunked");
  if (!head.upgrade || head.method === "CONNECT") return;
  if (isNamed(name, "upgrade")) headers.push(name, value);
  // The reader has made sure that it names `upgrade`; what else it names is not for the app.
  if (isNamed(name, "connection") && !hasConnection(headers)) headers.push(name, "Upgrade");
}

function hasConnection(headers: readonly string[]): boolean {
  for (let i = 0; i < headers.length; i += 2) if (isNamed(headers[i] as string, "connection")) return true;
  return false;
}

/**
 * Tokens of Connection that name no field to remove: options of the connection itself, and fields that are needed to
 * understand the request, which a client cannot declare to be its connection's own.
 */
const plainTokens: ReadonlySet<string> = new Set([
  "keep-alive",
  "close",
  "upgrade",
  "te",
  "host",
  "content-length",
  "content-type",
  "cookie",
  "authorization",
]);

/**
 * Whether a field claims who the client is. "rewritten": one of the fields that `announce` writes. "address": holds just
 * the address. "other": anything else by which some proxy says it, and which a direct client has no business to send.
 */
function claimOf(name: string): "none" | "rewritten" | "address" | "other" {
  // Their first letters are f, x, t and c; most names need no more than that or their length.
  const first = name.charCodeAt(0) | 0x20;
  if (name.length < 9 || (first !== 0x66 && first !== 0x78 && first !== 0x74 && first !== 0x63)) return "none";
  const lower = name.toLowerCase();
  const claim = claims.get(lower);
  if (claim !== undefined) return claim;
  return lower.startsWith("x-forwarded-") ? "other" : "none";
}

const claims: ReadonlyMap<string, "rewritten" | "address" | "other"> = new Map([
  ["forwarded", "rewritten"],
  ["x-forwarded-for", "rewritten"],
  ["x-forwarded-proto", "rewritten"],
  ["x-forwarded-host", "rewritten"],
  ["x-real-ip", "address"],
  ["x-client-ip", "address"],
  ["x-cluster-client-ip", "address"],
  ["x-original-forwarded-for", "other"],
  ["true-client-ip", "other"],
  ["cf-connecting-ip", "other"],
  ["cf-connecting-ipv6", "other"],
  ["fastly-client-ip", "other"],
  ["x-envoy-external-address", "other"],
]);

function isRequestId(value: string): boolean {
  return value.length <= REQUEST_ID_CHARS_MAX && /^[A-Za-z0-9._~+/=:-]+$/.test(value);
}

// ---------------------------------------------------------------------------------------------------------------
// Who the client is

interface Client {
  address: string;
  /** 0: not known. */
  port: number;
  proto: "http" | "https" | null;
  host: string | null;
}

function directClient(head: ReadHead, connection: ConnectionFacts): Client {
  return {
    address: connection.remoteAddress,
    port: connection.remotePort,
    proto: connection.encrypted ? "https" : "http",
    host: head.host === "" ? null : head.host,
  };
}

interface Hop {
  address: string;
  port: number;
  proto: string | null;
  host: string | null;
}

/** From right to left: each trusted proxy vouches for the entry it added, and the first that is not trusted is the client. */
function readForwarded(headers: HeaderList, connection: ConnectionFacts, policy: ForwardingPolicy): Client {
  const hops = policy.trustedFields === "forwarded" ? readForwardedField(headers) : readXForwarded(headers);
  let client: Hop = { address: connection.remoteAddress, port: connection.remotePort, proto: null, host: null };
  for (const hop of hops.slice(-HOPS_MAX).toReversed()) {
    const judged = policy.judgeAddress(hop.address);
    if (judged === "invalid") break;
    client = { ...hop, proto: hop.proto ?? client.proto, host: hop.host ?? client.host };
    if (judged === "untrusted") break;
  }
  const proto = client.proto?.toLowerCase();
  return {
    address: client.address,
    port: client.port,
    proto: proto === "https" || proto === "wss" ? "https" : proto === "http" || proto === "ws" ? "http" : null,
    host: client.host !== null && isAll(client.host, HOST) ? client.host : null,
  };
}

/** Lists that are as long as the list of addresses are read entry by entry; others say it for the whole way. */
function readXForwarded(headers: HeaderList): Hop[] {
  const addresses = listOf(headers, "x-forwarded-for");
  const protos = listOf(headers, "x-forwarded-proto");
  const hosts = listOf(headers, "x-forwarded-host");
  const entry = (list: string[], i: number) => (list.length === addresses.length ? list[i] : list.at(-1)) ?? null;
  return addresses.map((text, i) => ({ ...splitPort(text), proto: entry(protos, i), host: entry(hosts, i) }));
}

/** `for=1.2.3.4;proto=https;host=a, for="[::1]:80"` (RFC 7239). */
function readForwardedField(headers: HeaderList): Hop[] {
  return listOf(headers, "forwarded").map((element) => {
    const hop: Hop = { address: "", port: 0, proto: null, host: null };
    for (const pair of element.split(";")) {
      const equals = pair.indexOf("=");
      const name = trimBlanks(pair.slice(0, Math.max(0, equals))).toLowerCase();
      const value = unquote(trimBlanks(pair.slice(equals + 1)));
      if (name === "for") Object.assign(hop, splitPort(value));
      if (name === "proto") hop.proto = value;
      if (name === "host") hop.host = value;
    }
    return hop;
  });
}

function unquote(text: string): string {
  return text.length >= 2 && text.startsWith('"') && text.endsWith('"') ? text.slice(1, -1) : text;
}

function listOf(headers: HeaderList, lower: string): string[] {
  const list: string[] = [];
  for (let i = 0; i < headers.length; i += 2) {
    if (!isNamed(headers[i] as string, lower)) continue;
    for (const element of (headers[i + 1] as string).split(",")) list.push(trimBlanks(element));
  }
  return list;
}

/** `1.2.3.4`, `1.2.3.4:80`, `::1`, `[::1]`, `[::1]:80`. */
function splitPort(text: string): { address: string; port: number } {
  const match = /^(?:\[([^\]]*)\]|([^:]*))(?::([0-9]{1,5}))?$/.exec(text);
  if (match === null) return { address: text, port: 0 };
  const port = Number(match[3] ?? 0);
  return { address: match[1] ?? match[2] ?? "", port: port <= 65535 ? port : 0 };
}

function announce(client: Client, policy: ForwardingPolicy, headers: string[]): void {
  headers.push("X-Forwarded-For", client.address);
  if (client.proto !== null) headers.push("X-Forwarded-Proto", client.proto);
  if (client.host !== null) headers.push("X-Forwarded-Host", client.host);
  if (policy.trustedFields !== "forwarded") return;
  const address = client.address.includes(":") ? `"[${client.address}]"` : client.address;
  const proto = client.proto === null ? "" : `;proto=${client.proto}`;
  const host = client.host === null ? "" : `;host="${client.host}"`;
  headers.push("Forwarded", `for=${address}${proto}${host}`);
}
