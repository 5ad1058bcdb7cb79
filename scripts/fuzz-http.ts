/**
 * Differential fuzzing of the request reader against Node's own parser.
 *
 *     node scripts/fuzz-http.ts --cases 100000 --seed 1
 *
 * Whatever our reader accepts, Node must accept and read the same: else a filter in front would judge another request
 * than the one that an app would see. The other way round we may be stricter, as long as each refusal has its reason in
 * the table below. Inputs grow from sound requests and from the table of smuggling cases, by mutations that hit where
 * parsers differ. The same seed gives the same cases; a disagreement is printed with all that is needed to repeat it.
 *
 * Node is asked through http.Server, fed by a duplex stream in memory, so its parser runs as it does in production.
 */
import http from "node:http";
import { Duplex } from "node:stream";
import { parseArgs } from "node:util";
import { isMainThread } from "node:worker_threads";
import type { HttpErrorCode } from "../src/http/http-error.ts";
import { RequestReader } from "../src/http/request-reader.ts";
import { smugglingCases } from "../test/corpus/smuggling.ts";

/** What a reader made of the bytes. */
interface Reading {
  requests: ReadRequest[];
  /** Why it stopped, if not because the bytes ended. */
  refusal: string | null;
}

interface ReadRequest {
  /** Method, target, version and fields, as one line. */
  head: string;
  body: string;
  /** Null: the bytes ended, or were refused, before the request did. */
  trailers: string | null;
  keepAlive: boolean;
}

/** Refusals of ours where Node accepts. Each is a choice, with its reason; one that is not here counts as a disagreement. */
const stricter: Partial<Record<HttpErrorCode, string>> = {
  CELLWS_HTTP_REQUEST_LINE:
    "Node reads a line without a version as HTTP/0.9, any number of empty lines before a request, and fragments.",
  CELLWS_HTTP_VERSION: "Node reads HTTP/0.9 and HTTP/2.0 as if they were versions of HTTP/1.",
  CELLWS_HTTP_BARE_LF: "Node takes a bare LF for the end of an HTTP/0.9 line, and for an empty line before a request.",
  CELLWS_HTTP_BARE_CR: "Node forgives CRs before a request.",
  CELLWS_HTTP_TARGET: "Node does not check the target's form: `*` for any method, user information, any scheme.",
  CELLWS_HTTP_HOST_MISSING: "Node does not ask for a Host with CONNECT.",
  CELLWS_HTTP_HOST_DUPLICATE: "Node keeps the first Host and ignores the others.",
  CELLWS_HTTP_HOST_MALFORMED: "Node does not look at the Host's value.",
  CELLWS_HTTP_HOST_CONFLICT: "Node does not compare Host and target.",
  CELLWS_HTTP_EXPECTATION: "Node looks for 100-continue anywhere in the value.",
  CELLWS_HTTP_FRAMING_CONFLICT: "Node ignores the body of CONNECT.",
  CELLWS_HTTP_CODING_MALFORMED: "Node reads any value that ends in chunked, also in HTTP/1.0.",
  CELLWS_HTTP_CODING_UNKNOWN: "Node hands codings below chunked to the app, and ignores others where there is no body.",
  CELLWS_HTTP_CHUNK_MALFORMED:
    "Node reads a chunk's size of any number of digits, if enough of them are leading zeros.",
  CELLWS_HTTP_CHUNK_EXTENSION: "Node lets the name of a chunk extension be empty, and extensions be longer.",
  CELLWS_HTTP_TRAILER: "Node accepts any field as a trailer.",
  CELLWS_HTTP_BODY_TOO_LARGE: "Node has no limit on bodies.",
};

/** Codes that say more than one thing: what the bytes must hold for the reason above to be the one. */
const stricterOnly: Partial<Record<HttpErrorCode, RegExp>> = {
  CELLWS_HTTP_CHUNK_MALFORMED: /\r\n0[\da-f]{16,}[\r; \t]/i,
};

/** Where Node refuses or reads otherwise what we accept. Each must be told from a bug by a predicate and have its reason. */
const laxer: ReadonlyArray<{ why: string; holds: (at: Difference) => boolean }> = [
  {
    why: "Node reads Proxy-Connection as if it were Connection. It never was a field of HTTP.",
    holds: ({ what, mine }) => what === "keep-alive" && /\nproxy-connection\n/i.test(mine?.head ?? ""),
  },
  {
    why: "Node drops what follows in the same read a request that asks for an upgrade, if nobody upgrades.",
    holds: ({ what, earlier }) =>
      (what === "missing" || what === "head" || what === "refused") &&
      earlier.some(({ head }) => /\nupgrade\n/i.test(head)),
  },
];

interface Difference {
  /** "refused": by us, where Node reads on. */
  what: "missing" | "head" | "body" | "unfinished" | "trailers" | "keep-alive" | "refused";
  mine: ReadRequest | undefined;
  other: ReadRequest | undefined;
  /** The requests before it on the connection. */
  earlier: ReadRequest[];
  theirs: Reading;
}

export interface FuzzResult {
  cases: number;
  /** Requests that both read, and read the same. */
  agreed: number;
  bothRefused: number;
  /** Refusals of ours where Node accepted, by code. */
  stricter: Map<string, Tally>;
  explained: Map<string, Tally>;
  disagreements: Disagreement[];
}

export interface Tally {
  count: number;
  /** The shortest that was met. */
  example: string;
}

export interface Disagreement {
  index: number;
  bytes: string;
  what: string;
  ours: Reading;
  theirs: Reading;
}

export interface FuzzOptions {
  cases: number;
  seed: number;
  /** Stop after so many. */
  disagreementsMax?: number;
  onProgress?: (done: number) => void;
}

/** Cases that are under way in Node at a time; each takes a few turns of the event loop. */
const BATCH = 64;

export async function fuzz({ cases, seed, disagreementsMax = 10, onProgress }: FuzzOptions): Promise<FuzzResult> {
  const result: FuzzResult = {
    cases: 0,
    agreed: 0,
    bothRefused: 0,
    stricter: new Map(),
    explained: new Map(),
    disagreements: [],
  };
  const node = new NodeReader();
  for (let from = 0; from < cases && result.disagreements.length < disagreementsMax; from += BATCH) {
    const indices = Array.from({ length: Math.min(BATCH, cases - from) }, (_, i) => from + i);
    await Promise.all(
      indices.map(async (index) => {
        const random = new Random(seed * 1_000_003 + index);
        const pieces = cut(random, makeCase(random, index));
        const theirs = await node.read(pieces);
        judge(result, index, pieces, readOurs(pieces), theirs);
      }),
    );
    onProgress?.(result.cases);
  }
  return result;
}

/** Compares request by request. */
function judge(result: FuzzResult, index: number, pieces: Buffer[], ours: Reading, theirs: Reading): void {
  result.cases += 1;
  const disagree = (what: string): void => {
    result.disagreements.push({ index, bytes: Buffer.concat(pieces).latin1Slice(), what, ours, theirs });
  };
  for (const [i, mine] of ours.requests.entries()) {
    const other = theirs.requests[i];
    const what = differenceOf(mine, other);
    if (what === null) {
      result.agreed += 1;
      continue;
    }
    const difference = { what, mine, other, earlier: ours.requests.slice(0, i), theirs };
    const explanation = laxer.find(({ holds }) => holds(difference));
    if (explanation === undefined) disagree(`request ${i} is accepted by us; Node's differs: ${what}`);
    else tally(result.explained, explanation.why, pieces);
    return;
  }
  if (ours.refusal === null) return;
  // Node read on where we refused, or refused as well.
  const readOn = theirs.requests[ours.requests.length];
  const lastOfOurs = ours.requests.at(-1);
  const isWithinBody = lastOfOurs !== undefined && lastOfOurs.trailers === null;
  const accepted = isWithinBody ? theirs.requests[ours.requests.length - 1]?.trailers !== null : readOn !== undefined;
  if (!accepted) {
    result.bothRefused += 1;
    return;
  }
  const code = ours.refusal as HttpErrorCode;
  const isTheReason = stricterOnly[code]?.test(Buffer.concat(pieces).latin1Slice()) ?? true;
  if (stricter[code] !== undefined && isTheReason) {
    tally(result.stricter, ours.refusal, pieces);
    return;
  }
  const refused = { what: "refused" as const, mine: undefined, other: readOn, earlier: ours.requests, theirs };
  const explanation = laxer.find(({ holds }) => holds(refused));
  if (explanation === undefined) disagree(`we alone refuse: ${ours.refusal}`);
  else tally(result.explained, explanation.why, pieces);
}

/** Null: Node reads what we read. We may have given up earlier, or want to close where Node does not. */
function differenceOf(mine: ReadRequest, other: ReadRequest | undefined): Difference["what"] | null {
  if (other === undefined) return "missing";
  if (mine.head !== other.head) return "head";
  if (mine.trailers === null) {
    return other.body.startsWith(mine.body) || mine.body.startsWith(other.body) ? null : "body";
  }
  if (other.trailers === null) return "unfinished";
  if (mine.body !== other.body) return "body";
  if (mine.trailers !== other.trailers) return "trailers";
  return mine.keepAlive && !other.keepAlive ? "keep-alive" : null;
}

function tally(map: Map<string, Tally>, key: string, pieces: readonly Buffer[]): void {
  const bytes = Buffer.concat(pieces).latin1Slice();
  const known = map.get(key);
  if (known === undefined) {
    map.set(key, { count: 1, example: bytes });
    return;
  }
  known.count += 1;
  if (bytes.length < known.example.length) known.example = bytes;
}

// ---------------------------------------------------------------------------------------------------------------
// The two readers

const lentBuffer = Buffer.alloc(1 << 20);

/** As a B cell does, whose pieces all lie in one buffer, one after the other. */
function readOurs(pieces: readonly Buffer[]): Reading {
  const reader = new RequestReader();
  const reading: Reading = { requests: [], refusal: null };
  let request: ReadRequest | null = null;
  for (const piece of pieces) {
    lentBuffer.set(piece);
    reader.borrow(lentBuffer.subarray(0, piece.length));
    for (let event = reader.next(); event !== null; event = reader.next()) {
      switch (event.type) {
        case "head": {
          const { method, target, versionMinor, headers, keepAlive } = event.head;
          const head = headLine(method, target, versionMinor, headers);
          request = { head, body: "", trailers: null, keepAlive: keepAlive && method !== "CONNECT" };
          reading.requests.push(request);
          break;
        }
        case "body":
          if (request !== null) request.body += event.chunk.latin1Slice();
          break;
        case "end":
          if (request === null) break;
          request.trailers = event.trailers.join("\n");
          if (!request.keepAlive) return reading;
          request = null;
          reader.startNext();
          break;
        case "error":
          reading.refusal = event.code;
          return reading;
      }
    }
    reader.giveBack();
    lentBuffer.fill(0, 0, piece.length);
  }
  return reading;
}

function headLine(method: string, target: string, versionMinor: number, headers: readonly string[]): string {
  return `${method} ${target} ${versionMinor}\n${headers.join("\n")}`;
}

class NodeReader {
  readonly #server: http.Server;
  readonly #readings = new WeakMap<object, Reading>();

  constructor() {
    const take = (request: http.IncomingMessage, response: http.ServerResponse): void => {
      const keepAlive = response.shouldKeepAlive;
      this.#begin(request, keepAlive);
      request.resume();
      // Answered at once, so that the connection goes on as soon as the request is whole.
      response.end();
    };
    this.#server = http.createServer({ maxHeaderSize: 16 * 1024, keepAliveTimeout: 0 }, take);
    this.#server.timeout = 0;
    this.#server.on("checkContinue", take);
    this.#server.on("checkExpectation", (request: http.IncomingMessage, response: http.ServerResponse) => {
      this.#refuse(request.socket, "expectation");
      response.end();
      setImmediate(() => setImmediate(() => request.socket.destroy()));
    });
    this.#server.on("connect", (request: http.IncomingMessage, socket: Duplex) => {
      const read = this.#begin(request, false);
      if (read !== null) read.trailers = "";
      socket.destroy();
    });
    this.#server.on("clientError", (error: NodeJS.ErrnoException, socket: Duplex) => {
      // The end of the bytes within a request is not a refusal of what was there.
      if (error.code !== "HPE_INVALID_EOF_STATE") this.#refuse(socket, error.code ?? error.message);
      // Requests before it may be complete and not yet have said so.
      setImmediate(() => setImmediate(() => socket.destroy()));
    });
  }

  async read(pieces: readonly Buffer[]): Promise<Reading> {
    const reading: Reading = { requests: [], refusal: null };
    const answers: Buffer[] = [];
    const socket = new Duplex({
      read: () => {},
      write: (chunk: Buffer, _encoding, callback) => {
        answers.push(chunk);
        callback();
      },
    });
    this.#readings.set(socket, reading);
    socket.on("error", () => {});
    const closed = new Promise<void>((resolve) => socket.once("close", () => resolve()));
    this.#server.emit("connection", socket);
    for (const piece of pieces) socket.push(piece);
    socket.push(null);
    await closed;
    // Node answers some refusals itself, without an event: HTTP/1.1 without Host, for one.
    if (reading.refusal === null && /^HTTP\/1\.1 400/m.test(Buffer.concat(answers).latin1Slice())) {
      reading.refusal = "answered with 400";
    }
    return reading;
  }

  #begin(request: http.IncomingMessage, keepAlive: boolean): ReadRequest | null {
    const reading = this.#readings.get(request.socket);
    // What Node reads on after a refusal counts for nothing.
    if (reading === undefined || reading.refusal !== null) return null;
    const { method = "", url = "", httpVersionMinor, rawHeaders } = request;
    const read: ReadRequest = {
      head: headLine(method, url, httpVersionMinor, rawHeaders),
      body: "",
      trailers: null,
      keepAlive,
    };
    reading.requests.push(read);
    request.on("data", (chunk: Buffer) => (read.body += chunk.latin1Slice()));
    request.on("end", () => (read.trailers = request.rawTrailers.join("\n")));
    request.on("error", () => {});
    return read;
  }

  #refuse(socket: object, why: string): void {
    const reading = this.#readings.get(socket);
    if (reading !== undefined) reading.refusal ??= why;
  }
}

// ---------------------------------------------------------------------------------------------------------------
// Cases

/** xorshift with a mixed seed: small, quick, and the same everywhere. */
class Random {
  #state: number;

  constructor(seed: number) {
    let mixed = Math.imul(seed ^ (seed / 0x1_0000_0000), 0x9e37_79b1) ^ 0x85eb_ca6b;
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x2c1b_3c6d);
    mixed = Math.imul(mixed ^ (mixed >>> 13), 0x297a_2d39);
    this.#state = (mixed ^ (mixed >>> 16)) | 1;
  }

  /** 0 <= below < max. */
  below(max: number): number {
    let x = this.#state;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.#state = x;
    return (x >>> 0) % max;
  }

  chance(oneIn: number): boolean {
    return this.below(oneIn) === 0;
  }

  of<T>(items: readonly T[]): T {
    return items[this.below(items.length)] as T;
  }
}

const methods = [
  "GET",
  "POST",
  "HEAD",
  "OPTIONS",
  "PUT",
  "DELETE",
  "CONNECT",
  "PATCH",
  "QUERY",
  "M-SEARCH",
  "get",
  "BREW",
];
const targets = [
  "/",
  "/a?b=c",
  "*",
  "http://a/x",
  "https://a:443/",
  "a:80",
  "//a/b",
  "/%00",
  "/\xe9",
  "/#f",
  "http://b/",
  "/a|b",
];
const versions = [
  "HTTP/1.1",
  "HTTP/1.1",
  "HTTP/1.1",
  "HTTP/1.1",
  "HTTP/1.0",
  "HTTP/2.0",
  "HTTP/1.2",
  "http/1.1",
  "HTTP/1.10",
];
const fields = [
  "Content-Length: 5",
  "Content-Length: 0",
  "Content-Length: 05",
  "content-length: 5, 5",
  "Content-Length: +5",
  "Content-Length:",
  "Transfer-Encoding: chunked",
  "Transfer-Encoding: chunked",
  "transfer-encoding: Chunked",
  "Transfer-Encoding: gzip, chunked",
  "Transfer-Encoding: chunked, identity",
  "Transfer-Encoding: identity",
  "Transfer-Encoding: chunked,",
  "Transfer-Encoding:",
  "Transfer-Encoding : chunked",
  "Connection: close",
  "Connection: keep-alive",
  "Connection: keep-alive, close",
  "Connection: Upgrade",
  "Connection: , ,close ,",
  "Connection: closed",
  "Proxy-Connection: close",
  "Upgrade: websocket",
  "Upgrade: h2c",
  "Expect: 100-continue",
  "Expect: 100-Continue",
  "Expect: nothing",
  "Expect:",
  "Host: a",
  "Host: b",
  "Host:",
  "X: y",
  "X:",
  "X: \xff\t y ",
  "X : y",
  ": y",
  "X",
  "X: a\r\n b",
  "Trailer: X",
  "Cookie: a=b; c=d",
];
const soundFields = [
  "X: y",
  "X:",
  "X: \xff\t y ",
  "Connection: keep-alive",
  "connection: x, Keep-Alive",
  "Cookie: a=b; c=d",
  "Upgrade: h2c",
  "Expect: 100-continue",
  "Trailer: X",
  "!#$%&'*+-.^_`|~: x",
];
const bodies = [
  "",
  "hello",
  "5\r\nhello\r\n0\r\n\r\n",
  "0\r\n\r\n",
  "5;a=b\r\nhello\r\n0\r\n\r\n",
  '5;a="b;c"\r\nhello\r\n0;x\r\n\r\n',
  "5\r\nhello\r\n0\r\nX: y\r\n\r\n",
  "1\r\na\r\n1\r\nb\r\n000\r\n\r\n",
  "A\r\n0123456789\r\n0\r\nContent-Length: 3\r\n\r\n",
  "0\r\n\r\nGET /x HTTP/1.1\r\nHost: a\r\n\r\n",
  "5\nhello\r\n0\r\n\r\n",
  "5 \r\nhello\r\n0\r\n\r\n",
  "ffffffffffffffff\r\n",
];
/** Where parsers differ. */
const bytesOfInterest = '\r\n\t \0:;,="\\/#?*@[]+-_.05aFxX\x0b\x0c\x7f\x80\xa0\xff'.split("");
const piecesOfInterest = [
  "\r\n",
  "\r\n\r\n",
  "\n\n",
  "\r\r\n",
  "\n\r\n",
  " \r\n",
  "\r\n ",
  "\r\n\t",
  ": ",
  " :",
  "0\r\n\r\n",
  "HTTP/1.1",
  "GET / HTTP/1.1\r\n",
  "Host: a\r\n",
  "chunked",
  "Transfer-Encoding: chunked\r\n",
  "Content-Length: 3\r\n",
];

function makeCase(random: Random, index: number): string {
  // Each smuggling case once as it is, so that even a short run has seen them all.
  const known = smugglingCases[index];
  if (known !== undefined) return known.bytes;
  let bytes = "";
  for (let left = 1 + random.below(3); left > 0; left -= 1) {
    bytes += random.chance(3) ? random.of(smugglingCases).bytes : makeRequest(random);
  }
  for (let left = random.below(4); left > 0; left -= 1) bytes = mutate(random, bytes);
  return bytes;
}

function makeRequest(random: Random): string {
  if (random.chance(2)) return makeSoundRequest(random);
  const method = random.of(methods);
  const line = `${method} ${random.of(targets)} ${random.of(versions)}`;
  const lines = random.chance(8) ? [] : [random.chance(6) ? "hOST: a" : "Host: a"];
  for (let left = random.below(4); left > 0; left -= 1)
    lines.splice(random.below(lines.length + 1), 0, random.of(fields));
  return `${[line, ...lines].join("\r\n")}\r\n\r\n${random.of(bodies)}`;
}

/** With a body that keeps to its framing, so that what follows is reached and mutations have something to spoil. */
function makeSoundRequest(random: Random): string {
  const lines = [`${random.of(methods.slice(0, 6))} ${random.of(targets.slice(0, 2))} HTTP/1.1`, "Host: a"];
  for (let left = random.below(3); left > 0; left -= 1) lines.splice(1, 0, random.of(soundFields));
  let body = "";
  switch (random.below(3)) {
    case 0:
      body = random.of(["", "hello", "0\r\n\r\n", "GET / HTTP/1.1\r\nHost: a\r\n\r\n", "\n\0\xff"]);
      lines.push(`Content-Length: ${body.length}`);
      break;
    case 1:
      lines.push("Transfer-Encoding: chunked");
      for (let left = random.below(3); left > 0; left -= 1) body += makeChunk(random);
      body += `${random.of(["0", "00", "0;a", "0;a=b", '0;a="\\""'])}\r\n${random.of(["", "", "X: y\r\n", "X:\r\ny: z\r\n"])}\r\n`;
      break;
    default:
      break;
  }
  return `${lines.join("\r\n")}\r\n\r\n${body}`;
}

function makeChunk(random: Random): string {
  const data = random.of(["a", "\r\n", "0\r\n\r\n", "0123456789abcdef", "x".repeat(300)]);
  const size = random.chance(2) ? data.length.toString(16) : data.length.toString(16).toUpperCase().padStart(4, "0");
  return `${size}${random.of(["", "", ";a", ";a=b;c", ';a="b\\"c"'])}\r\n${data}\r\n`;
}

function mutate(random: Random, bytes: string): string {
  const at = random.below(bytes.length + 1);
  const to = Math.min(bytes.length, at + 1 + random.below(4));
  switch (random.below(8)) {
    case 0:
      return bytes.slice(0, at) + random.of(bytesOfInterest) + bytes.slice(at);
    case 1:
      return bytes.slice(0, at) + random.of(bytesOfInterest) + bytes.slice(at + 1);
    case 2:
      return bytes.slice(0, at) + bytes.slice(to);
    case 3:
      return bytes.slice(0, at) + random.of(piecesOfInterest) + bytes.slice(at);
    case 4:
      return bytes.slice(0, to) + bytes.slice(at);
    case 5:
      return mutateLineEnd(random, bytes);
    case 6: {
      const lines = bytes.split("\r\n");
      lines.splice(random.below(lines.length), 0, random.of(fields));
      return lines.join("\r\n");
    }
    default:
      return bytes.slice(0, at) + bytes.slice(at, to).toUpperCase() + bytes.slice(to);
  }
}

function mutateLineEnd(random: Random, bytes: string): string {
  const ends = [...bytes.matchAll(/\r\n/g)].map((match) => match.index);
  if (ends.length === 0) return bytes;
  const at = random.of(ends);
  return bytes.slice(0, at) + random.of(["\n", "\r", "", "\r\n\r\n", " \r\n", "\t\r\n", "\r\n "]) + bytes.slice(at + 2);
}

function cut(random: Random, text: string): Buffer[] {
  const bytes = Buffer.from(text, "latin1");
  const pieces: Buffer[] = [];
  let at = 0;
  const isCut = random.chance(3);
  while (at < bytes.length) {
    const to = isCut ? Math.min(bytes.length, at + 1 + random.below(40)) : bytes.length;
    pieces.push(bytes.subarray(at, to));
    at = to;
  }
  return pieces;
}

// ---------------------------------------------------------------------------------------------------------------
// The command

function show(result: FuzzResult): void {
  const table = (map: Map<string, Tally>, why: (key: string) => string) => {
    for (const [key, { count, example }] of [...map].toSorted((a, b) => b[1].count - a[1].count)) {
      console.log(`  ${count}  ${key}  ${why(key)}\n    such as ${JSON.stringify(example)}`);
    }
  };
  console.log(`${result.cases} cases: ${result.agreed} requests read the same, ${result.bothRefused} refused by both`);
  console.log("refused by us alone:");
  table(result.stricter, (code) => stricter[code as HttpErrorCode] ?? "NOT EXPLAINED");
  if (result.explained.size > 0) console.log("accepted by us alone, or read differently, for a known reason:");
  table(result.explained, () => "");
  console.log(`disagreements: ${result.disagreements.length}`);
  for (const { index, bytes, what, ours, theirs } of result.disagreements) {
    console.log(`\n  case ${index}: ${what}\n  ${JSON.stringify(bytes)}`);
    console.log(`  ours:   ${JSON.stringify(ours)}\n  Node's: ${JSON.stringify(theirs)}`);
  }
}

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { cases: { type: "string" }, seed: { type: "string" } } });
  const cases = Number(values.cases ?? 100_000);
  const seed = Number(values.seed ?? Math.floor(Math.random() * 0x7fff_ffff));
  if (!Number.isSafeInteger(cases) || !Number.isSafeInteger(seed) || cases < 1) {
    console.error("usage: node scripts/fuzz-http.ts [--cases N] [--seed S]");
    process.exitCode = 2;
    return;
  }
  console.log(`seed ${seed}`);
  let shown = 0;
  const result = await fuzz({
    cases,
    seed,
    onProgress: (done) => {
      if (done - shown < 200_000) return;
      shown = done;
      console.log(`  ${done} cases`);
    },
  });
  show(result);
  process.exitCode = result.disagreements.length === 0 ? 0 : 1;
}

if (isMainThread && import.meta.main) await main();
