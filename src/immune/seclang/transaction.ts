/**
 * One exchange while rules look at it: what the caller told, what rules have noted, and where each variable reads.
 *
 * Only state and look-up are here; evaluate.ts decides. It is filled as the exchange goes on (request head, request
 * body, response head, response body), and a variable of a part that is not there yet is empty.
 */
import type { RuleSelector, Target } from "./ast.ts";
import type { BodyReading, MultipartFlag, NamedValue } from "./bodies/reading.ts";
import { EMPTY_READING } from "./bodies/reading.ts";
import { BODY_READERS, processorFor } from "./bodies/table.ts";
import { readUrlEncoded } from "./bodies/url-encoded.ts";
import type { Evaluation, MatchedValue } from "./compiled/evaluation.ts";
import { allowFor, openEvaluation } from "./compiled/evaluation.ts";
import { readCookies } from "./cookies.ts";
import type { RequestFacts, ResponseFacts } from "./facts.ts";
import { headerOf } from "./facts.ts";
import type { Hit } from "./judgement.ts";
import { SECLANG_LIMITS } from "./limits.ts";
import type { MacroValues } from "./macro.ts";
import type { BodyProcessorName, Disruption, EngineMode, Phase, Rule, StoreName } from "./rule.ts";
import type { RuleSet } from "./rule-set.ts";
import type { Screen } from "./screen.ts";
import type { Store } from "./store.ts";
import { LayeredStore } from "./store.ts";
import type { TargetParts } from "./uri.ts";
import { splitTarget } from "./uri.ts";
import type { VARIABLES, VariableName } from "./variable-names.ts";

export type { MatchedValue };

export interface TransactionOptions {
  /** Without it, each rule is asked about each of its values. */
  readonly screen?: Screen;
  /** Without it, lasting collections (IP, SESSION ...) begin empty with each exchange. */
  readonly collections?: CollectionKeeper;
  /**
   * REQUEST_BODY holds each body, multipart and XML too, as libmodsecurity 3 has it. The Core Rule Set's own tests
   * expect what the older ModSecurity does, and so does this engine unless told otherwise.
   */
  readonly requestBodyAlways?: boolean;
  /** Milliseconds since the exchange began, for DURATION. */
  readonly duration?: () => number;
}

/** Keeps lasting collections between exchanges. */
export interface CollectionKeeper {
  /** The collection's variables, names in lower case. Changes to the map are kept. */
  readonly open: (store: StoreName, key: string) => Map<string, string>;
  readonly expire: (store: StoreName, key: string, variable: string, seconds: number) => void;
}

export interface Transaction extends MacroValues {
  readonly rules: RuleSet;
  readonly request: RequestFacts;
  readonly options: TransactionOptions;
  /** Null: the plain evaluation. */
  readonly evaluation: Evaluation | null;
  readonly target: TargetParts;
  readonly query: BodyReading;
  readonly cookies: readonly NamedValue[];
  readonly stores: Map<StoreName, Store>;
  /** The keys under which initcol opened lasting collections. */
  /** Of the names 0 to 9 in TX, those from here on are not there. */
  capturesMax: number;
  readonly storeKeys: Map<StoreName, string>;
  readonly removedRules: RuleSelector[];
  readonly removedTargets: Array<{ select: RuleSelector; target: Target }>;
  readonly hits: Hit[];
  /** Hits beyond hitsMax. */
  hitsDropped: number;
  /** Whether any hit, kept or not, is to be told. */
  told: boolean;
  /** What the rule in hand has matched so far; the last is MATCHED_VAR. */
  matched: MatchedValue[];
  rule: Rule | null;
  engine: EngineMode;
  processor: BodyProcessorName | null;
  forceRequestBody: boolean;
  requestBodyAccess: boolean;
  requestBodyBytesMax: number;
  responseBodyAccess: boolean;
  audit: boolean;
  requestBody: string | null;
  inboundOverLimit: boolean;
  body: BodyReading;
  response: ResponseFacts | null;
  responseBody: string | null;
  outboundOverLimit: boolean;
  /** What a rule decided that must happen now. */
  interruption: Exclude<Disruption, { kind: "pass" | "allow" }> | null;
  /** What `allow` lets pass. */
  allowed: "request" | "all" | null;
  /** A disruptive rule matched, were it enforced or not. */
  disrupted: boolean;
  highestSeverity: number | null;
}

/** An entry of a collection: the key as it came. */
export interface Entry {
  readonly key: string;
  readonly value: string;
}

export function openTransaction(rules: RuleSet, request: RequestFacts, options: TransactionOptions = {}): Transaction {
  const { settings } = rules;
  const target = splitTarget(request.target);
  const transaction: Transaction = {
    rules,
    request,
    options,
    evaluation: options.screen === undefined ? null : openEvaluation(options.screen.compiled),
    target,
    query: readUrlEncoded(target.query, {
      separator: settings.argumentSeparator,
      argumentsMax: settings.argumentsMax,
    }),
    cookies: readCookies(request.headers),
    stores: new Map([["TX", new Map<string, string>()]]),
    capturesMax: 0,
    storeKeys: new Map(),
    removedRules: [],
    removedTargets: [],
    hits: [],
    hitsDropped: 0,
    told: false,
    matched: [],
    rule: null,
    engine: settings.engine,
    processor: processorFor(headerOf(request.headers, "content-type") ?? ""),
    forceRequestBody: false,
    requestBodyAccess: settings.requestBodyAccess,
    requestBodyBytesMax: settings.requestBodyBytesMax,
    responseBodyAccess: settings.responseBodyAccess,
    audit: true,
    requestBody: null,
    inboundOverLimit: false,
    body: EMPTY_READING,
    response: null,
    responseBody: null,
    outboundOverLimit: false,
    interruption: null,
    allowed: null,
    disrupted: false,
    highestSeverity: null,
    first: (variable, key) => firstValue(transaction, variable, key),
  };
  if (transaction.evaluation !== null) allowFor(transaction.evaluation, headBytes(request));
  return transaction;
}

function headBytes({ target, headers }: RequestFacts): number {
  return headers.reduce((bytes, text) => bytes + text.length, target.length);
}

/**
 * The request's body, whole, between phases 1 and 2: phase 1 may have said how to read it. Beyond the bound only the
 * beginning is looked at, and where the rules want that refused, the exchange is interrupted.
 */
export function giveRequestBody(transaction: Transaction, body: string): void {
  const { settings } = transaction.rules;
  if (!transaction.requestBodyAccess) return;
  const noFiles = transaction.processor === "MULTIPART" ? Infinity : settings.requestBodyNoFilesBytesMax;
  const bytesMax = Math.min(transaction.requestBodyBytesMax, noFiles);
  const seen = body.length > bytesMax ? body.slice(0, bytesMax) : body;
  if (seen !== body) refuseOverLimit(transaction);
  transaction.requestBody = seen;
  if (transaction.evaluation !== null) allowFor(transaction.evaluation, seen.length);
  if (transaction.processor === null || seen === "") return;
  transaction.body = BODY_READERS[transaction.processor](seen, {
    contentType: headerOf(transaction.request.headers, "content-type") ?? "",
    separator: settings.argumentSeparator,
    argumentsMax: Math.max(0, settings.argumentsMax - transaction.query.args.length),
    depthMax: settings.requestBodyDepthMax,
  });
  // Of a multipart body only now is it known how much of it are files.
  if (sizeOf(transaction.body.args) > settings.requestBodyNoFilesBytesMax) refuseOverLimit(transaction);
}

function refuseOverLimit(transaction: Transaction): void {
  transaction.inboundOverLimit = true;
  const { requestBodyOverLimit } = transaction.rules.settings;
  if (requestBodyOverLimit === "reject") interrupt(transaction, { kind: "deny", status: 413 });
}

/** The response's head, before phase 3. */
export function giveResponse(transaction: Transaction, response: ResponseFacts): void {
  transaction.response = response;
}

/** Whether the rules want to see the response's body: asked after phase 3, so that others need not be buffered. */
export function wantsResponseBody(transaction: Transaction): boolean {
  const type = (headerOf(transaction.response?.headers ?? [], "content-type") ?? "").split(";", 1)[0]!;
  const { responseBodyTypes } = transaction.rules.settings;
  return transaction.responseBodyAccess && responseBodyTypes.includes(type.trim().toLowerCase());
}

/** The response's body, before phase 4: whole, or as much as the caller buffered of a longer one. */
export function giveResponseBody(transaction: Transaction, body: string): void {
  const { responseBodyBytesMax, responseBodyOverLimit } = transaction.rules.settings;
  transaction.responseBody = body.slice(0, responseBodyBytesMax);
  if (transaction.evaluation !== null) allowFor(transaction.evaluation, transaction.responseBody.length);
  if (body.length <= responseBodyBytesMax) return;
  transaction.outboundOverLimit = true;
  if (responseBodyOverLimit === "reject") interrupt(transaction, { kind: "deny", status: 500 });
}

/** Notes that something disruptive is to happen; it does where the engine is on. The first one counts. */
export function interrupt(transaction: Transaction, what: NonNullable<Transaction["interruption"]>): void {
  if (transaction.engine === "off") return;
  transaction.disrupted = true;
  if (transaction.engine === "on") transaction.interruption ??= what;
}

/** Whether a phase has nothing (more) to do. */
export function isOver({ engine, interruption, allowed }: Transaction, phase: Phase): boolean {
  if (engine === "off") return true;
  if (phase === 5) return false;
  return interruption !== null || allowed === "all" || (allowed === "request" && phase <= 2);
}

/** The entries of a variable that a target's selector chooses; a scalar is one entry without a key. */
export function entriesOf(transaction: Transaction, target: Target): readonly Entry[] {
  const { variable, selector } = target;
  const chosen: Entry[] = [];
  const add: AddEntry = (key, value) => {
    chosen.push({ key, value });
  };
  if (variable in STORE_NAMES && selector.kind !== "all") {
    const store = storeOf(transaction, variable as StoreName);
    if (selector.kind === "key") {
      // Most rules look at one variable of TX, which holds a hundred.
      const value = store.get(selector.key);
      if (value !== undefined) add(selector.key, value);
    } else if (store instanceof LayeredStore) {
      store.eachFound(selector.regex, add);
    } else for (const [key, value] of store) if (selector.regex.test(key)) add(key, value);
    return chosen;
  }
  eachEntry(transaction, variable, add);
  return selector.kind === "all" ? chosen : chosen.filter((entry) => isChosen(target, entry));
}

/** Whether a target's selector chooses an entry of its variable. */
export function isChosen({ selector }: Target, entry: Pick<Entry, "key">): boolean {
  switch (selector.kind) {
    case "all":
      return true;
    case "key":
      return entry.key.toLowerCase() === selector.key;
    case "regex":
      return selector.regex.test(entry.key);
  }
}

export function storeOf(transaction: Transaction, store: StoreName): Store {
  let found = transaction.stores.get(store);
  if (found === undefined) {
    found = new Map();
    transaction.stores.set(store, found);
  }
  return found;
}

/** Sets or removes (null) a variable of a store. A store that is full takes no new names. */
export function setInStore(transaction: Transaction, name: StoreName, key: string, value: string | null): void {
  const store = storeOf(transaction, name);
  const lower = key.toLowerCase();
  // A rule may set by itself what others capture.
  if (lower.length === 1) transaction.capturesMax = DIGITS;
  if (value === null) store.delete(lower);
  else if (store.size < SECLANG_LIMITS.collectionKeysMax || store.has(lower)) store.set(lower, value);
}

const DIGITS = 10;

function firstValue(transaction: Transaction, variable: VariableName, key: string | null): string {
  if (variable in STORE_NAMES && key !== null) return storeOf(transaction, variable as StoreName).get(key) ?? "";
  let first: string | null = null as string | null;
  eachEntry(transaction, variable, (name, value) => {
    if (first === null && (key === null || name.toLowerCase() === key)) first = value;
  });
  return first ?? "";
}

export type AddEntry = (key: string, value: string) => void;

/** Calls back with each entry of a variable: the key as it came, "" for a scalar, and the value. */
export function eachEntry(transaction: Transaction, variable: VariableName, add: AddEntry): void {
  if (variable in SCALARS) add("", SCALARS[variable as ScalarName](transaction));
  else if (variable in STORE_NAMES) {
    for (const [key, value] of storeOf(transaction, variable as StoreName)) add(key, value);
  } else COLLECTIONS[variable as CollectionName](transaction, add);
}

type OfKind<Kind> = {
  [Name in VariableName]: (typeof VARIABLES)[Name] extends Kind ? Name : never;
}[VariableName];
type ScalarName = OfKind<"scalar">;
type CollectionName = OfKind<"collection" | "xml">;

const STORE_NAMES = {
  GEO: true,
  GLOBAL: true,
  IP: true,
  RESOURCE: true,
  SESSION: true,
  TX: true,
  USER: true,
} as const satisfies Record<StoreName, true>;

const flag = (is: boolean): string => (is ? "1" : "0");
const multipart =
  (name: MultipartFlag) =>
  ({ body }: Transaction): string =>
    flag(body.flags.has(name));
const sizeOf = (values: readonly NamedValue[]): number =>
  values.reduce((size, { name, value }) => size + name.length + value.length, 0);

const SCALARS = {
  ARGS_COMBINED_SIZE: ({ query, body }) => String(sizeOf(query.args) + sizeOf(body.args)),
  AUTH_TYPE: ({ request }) => (headerOf(request.headers, "authorization") ?? "").split(" ", 1)[0]!,
  DURATION: ({ options }) => String(Math.round(options.duration?.() ?? 0)),
  FILES_COMBINED_SIZE: ({ body }) => String(body.files.reduce((size, { bytes }) => size + bytes, 0)),
  HIGHEST_SEVERITY: ({ highestSeverity }) => String(highestSeverity ?? 255),
  INBOUND_DATA_ERROR: ({ inboundOverLimit }) => flag(inboundOverLimit),
  MATCHED_VAR: ({ matched }) => matched.at(-1)?.value ?? "",
  MATCHED_VAR_NAME: ({ matched }) => matched.at(-1)?.name ?? "",
  MULTIPART_BOUNDARY_QUOTED: multipart("MULTIPART_BOUNDARY_QUOTED"),
  MULTIPART_BOUNDARY_WHITESPACE: multipart("MULTIPART_BOUNDARY_WHITESPACE"),
  MULTIPART_CRLF_LF_LINES: multipart("MULTIPART_CRLF_LF_LINES"),
  MULTIPART_DATA_AFTER: multipart("MULTIPART_DATA_AFTER"),
  MULTIPART_DATA_BEFORE: multipart("MULTIPART_DATA_BEFORE"),
  MULTIPART_FILE_LIMIT_EXCEEDED: multipart("MULTIPART_FILE_LIMIT_EXCEEDED"),
  MULTIPART_HEADER_FOLDING: multipart("MULTIPART_HEADER_FOLDING"),
  MULTIPART_INVALID_HEADER_FOLDING: multipart("MULTIPART_INVALID_HEADER_FOLDING"),
  MULTIPART_INVALID_PART: multipart("MULTIPART_INVALID_PART"),
  MULTIPART_INVALID_QUOTING: multipart("MULTIPART_INVALID_QUOTING"),
  MULTIPART_LF_LINE: multipart("MULTIPART_LF_LINE"),
  MULTIPART_MISSING_SEMICOLON: multipart("MULTIPART_MISSING_SEMICOLON"),
  MULTIPART_STRICT_ERROR: ({ body, processor }) =>
    flag(processor === "MULTIPART" && (body.flags.size > 0 || body.error !== null)),
  MULTIPART_UNMATCHED_BOUNDARY: multipart("MULTIPART_UNMATCHED_BOUNDARY"),
  OUTBOUND_DATA_ERROR: ({ outboundOverLimit }) => flag(outboundOverLimit),
  QUERY_STRING: ({ target }) => target.query,
  REMOTE_ADDR: ({ request }) => request.clientAddress,
  REMOTE_PORT: ({ request }) => String(request.clientPort),
  REQBODY_ERROR: ({ body }) => flag(body.error !== null),
  REQBODY_ERROR_MSG: ({ body }) => body.error ?? "",
  REQBODY_PROCESSOR: ({ processor }) => processor ?? "",
  REQBODY_PROCESSOR_ERROR: ({ body }) => flag(body.error !== null),
  REQBODY_PROCESSOR_ERROR_MSG: ({ body }) => body.error ?? "",
  REQUEST_BASENAME: ({ target }) => target.basename,
  // Not a multipart or XML body: patterns meant for text would search whole uploads and the names of elements. But
  // where the reader failed the whole is shown all the same: else what stands behind the error would pass unseen.
  REQUEST_BODY: ({ requestBody, processor, forceRequestBody, body, options }) => {
    const isText = processor !== "MULTIPART" && processor !== "XML";
    const isShown = isText || forceRequestBody || body.error !== null || options.requestBodyAlways === true;
    return isShown ? (requestBody ?? "") : "";
  },
  REQUEST_BODY_LENGTH: ({ requestBody }) => String(requestBody?.length ?? 0),
  REQUEST_FILENAME: ({ target }) => target.filename,
  REQUEST_LINE: ({ request }) => `${request.method} ${request.target} ${request.protocol}`.trimEnd(),
  REQUEST_METHOD: ({ request }) => request.method,
  REQUEST_PROTOCOL: ({ request }) => request.protocol,
  REQUEST_URI: ({ target }) => target.uri,
  REQUEST_URI_RAW: ({ request }) => request.target,
  RESPONSE_BODY: ({ responseBody }) => responseBody ?? "",
  RESPONSE_CONTENT_LENGTH: ({ response }) => headerOf(response?.headers ?? [], "content-length") ?? "",
  RESPONSE_CONTENT_TYPE: ({ response }) => headerOf(response?.headers ?? [], "content-type") ?? "",
  RESPONSE_PROTOCOL: ({ response }) => response?.protocol ?? "",
  RESPONSE_STATUS: ({ response }) => (response === null ? "" : String(response.status)),
  SERVER_ADDR: ({ request }) => request.serverAddress,
  SERVER_NAME: ({ request }) => (headerOf(request.headers, "host") ?? "").replace(/:\d*$/, ""),
  SERVER_PORT: ({ request }) => String(request.serverPort),
  STATUS_LINE: ({ response }) =>
    response === null ? "" : `${response.protocol} ${response.status} ${response.reason}`.trimEnd(),
  UNIQUE_ID: ({ request }) => request.uniqueId,
  URLENCODED_ERROR: ({ query, body }) => flag(query.invalidEncoding || body.invalidEncoding),
} as const satisfies Record<ScalarName, (transaction: Transaction) => string>;

const pairs = (values: readonly NamedValue[], add: AddEntry): void => {
  for (const { name, value } of values) add(name, value);
};
const names = (values: readonly NamedValue[], add: AddEntry): void => {
  for (const { name } of values) add(name, name);
};
const headerPairs = (headers: readonly string[], add: AddEntry): void => {
  for (let i = 0; i + 1 < headers.length; i += 2) add(headers[i]!, headers[i + 1]!);
};
const headerNames = (headers: readonly string[], add: AddEntry): void => {
  for (let i = 0; i + 1 < headers.length; i += 2) add(headers[i]!, headers[i]!);
};

const COLLECTIONS = {
  ARGS: ({ query, body }, add) => {
    pairs(query.args, add);
    pairs(body.args, add);
  },
  ARGS_GET: ({ query }, add) => pairs(query.args, add),
  ARGS_GET_NAMES: ({ query }, add) => names(query.args, add),
  ARGS_NAMES: ({ query, body }, add) => {
    names(query.args, add);
    names(body.args, add);
  },
  ARGS_POST: ({ body }, add) => pairs(body.args, add),
  ARGS_POST_NAMES: ({ body }, add) => names(body.args, add),
  FILES: ({ body }, add) => {
    for (const { field, filename } of body.files) add(field, filename);
  },
  FILES_NAMES: ({ body }, add) => {
    for (const { field } of body.files) add(field, field);
  },
  FILES_SIZES: ({ body }, add) => {
    for (const { field, bytes } of body.files) add(field, String(bytes));
  },
  MATCHED_VARS: ({ matched }, add) => pairs(matched, add),
  MATCHED_VARS_NAMES: ({ matched }, add) => names(matched, add),
  MULTIPART_FILENAME: ({ body }, add) => {
    for (const { field, filename } of body.files) add(field, filename);
  },
  MULTIPART_NAME: ({ body, processor }, add) => {
    if (processor !== "MULTIPART") return;
    names(body.args, add);
    for (const { field } of body.files) add(field, field);
  },
  MULTIPART_PART_HEADERS: ({ body }, add) => pairs(body.partHeaders, add),
  REQUEST_COOKIES: ({ cookies }, add) => pairs(cookies, add),
  REQUEST_COOKIES_NAMES: ({ cookies }, add) => names(cookies, add),
  REQUEST_HEADERS: ({ request }, add) => headerPairs(request.headers, add),
  REQUEST_HEADERS_NAMES: ({ request }, add) => headerNames(request.headers, add),
  RESPONSE_HEADERS: ({ response }, add) => headerPairs(response?.headers ?? [], add),
  RESPONSE_HEADERS_NAMES: ({ response }, add) => headerNames(response?.headers ?? [], add),
  RULE: ({ rule }, add) => {
    if (rule === null) return;
    add("id", String(rule.id));
    add("severity", String(rule.severity ?? ""));
  },
  XML: ({ body: { xml } }, add) => {
    if (xml === null) return;
    add("/*", xml.text);
    for (const value of xml.attributes) add("//@*", value);
  },
} as const satisfies Record<CollectionName, (transaction: Transaction, add: AddEntry) => void>;
