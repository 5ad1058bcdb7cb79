/** Judges requests that stand in a file, as a B cell would: the same reader, the same guard, without a server. */
import { forwardRequest, type ForwardingPolicy } from "../../http/forwarding.ts";
import { readRawRequests } from "../../http/raw-requests.ts";
import type { ReadHead } from "../../http/request-reader.ts";
import { auditEntryOf, type AuditEntry } from "../../immune/finding.ts";
import { maskValue } from "../../immune/masking.ts";
import { PHASES } from "../../immune/seclang/rule.ts";
import type { RuleSet } from "../../immune/seclang/rule-set.ts";
import { Examination } from "./examination.ts";
import type { Guard } from "./guard.ts";

export interface Inspected {
  readonly entry: AuditEntry & { readonly error?: string };
  readonly path: string;
  /** That are to be told, with secrets masked. */
  readonly hits: readonly InspectedHit[];
}

export interface InspectedHit {
  readonly id: number;
  readonly message: string;
  /** Of a built-in filter its name; null: a rule. */
  readonly filter: string | null;
  readonly matches: ReadonlyArray<{ readonly name: string; readonly value: string }>;
}

/** `client`: the address that the requests are taken to come from. */
export async function* inspectRequests(guard: Guard, bytes: Buffer, client: string): AsyncGenerator<Inspected> {
  let count = 0;
  const makeId = (): string => `inspect-${count}`;
  for (const raw of readRawRequests(bytes)) {
    count += 1;
    if (raw.kind === "request") {
      yield await inspectOne(guard, raw, { client, makeId });
      continue;
    }
    const [method = "", target = ""] = raw.line.split(" ");
    const entry: AuditEntry = {
      time: new Date().toISOString(),
      requestId: makeId(),
      client,
      method,
      target,
      verdict: "block",
      score: 0,
      rules: [],
      cell: null,
    };
    yield { entry: { ...entry, error: raw.code }, path: "", hits: [] };
  }
}

async function inspectOne(
  guard: Guard,
  { head, body }: { head: ReadHead; body: Buffer },
  { client, makeId }: { client: string; makeId: () => string },
): Promise<Inspected> {
  const request = forwardRequest(head, { ...connection, remoteAddress: client }, noProxies, makeId);
  const examination = new Examination(guard, {
    uniqueId: request.requestId,
    clientAddress: client,
    clientPort: connection.remotePort,
    serverAddress: connection.localAddress,
    serverPort: connection.localPort,
    method: head.method,
    target: head.target,
    protocol: head.versionMinor === 0 ? "HTTP/1.0" : "HTTP/1.1",
    headers: head.headers,
  });
  const ruling = await examination.head();
  const wanted = request.hasBody ? examination.bodyBytesWanted : 0;
  if (ruling.kind === "pass") await examination.body(body.subarray(0, wanted === 0 ? 0 : wanted + 1));
  const finding = examination.finish();
  const entry = auditEntryOf(finding, examination.facts, { time: new Date().toISOString(), cell: null });
  return { entry, path: head.target.split("?", 1)[0]!, hits: toldHits(examination) };
}

function toldHits(examination: Examination): InspectedHit[] {
  const told = examination.judgement().hits.filter(({ logged }) => logged);
  const ofRules = told.map(({ id, message, matches }) => ({
    id,
    message,
    filter: null,
    matches: matches.map(({ name, value }) => ({ name, value: maskValue(name, value) })),
  }));
  const ofFilters = examination.builtinHits.map(({ id, name, message, where, matched }) => ({
    id,
    message,
    filter: name,
    matches: [{ name: where, value: maskValue(where, matched) }],
  }));
  return [...ofRules, ...ofFilters];
}

/** What no file tells. Addresses of documentation, and not loopback: rule sets let the server's own requests pass. */
const connection = {
  remotePort: 50_000,
  localAddress: "192.0.2.80",
  localPort: 80,
  encrypted: false,
  listener: 0,
} as const;

const noProxies: ForwardingPolicy = {
  judgeAddress: () => "untrusted",
  trustedFields: "x-forwarded",
  announce: false,
};

/** Where each rule is written. */
export function placesOf(rules: RuleSet): Map<number, { file: string; line: number }> {
  const places = new Map<number, { file: string; line: number }>();
  for (const phase of PHASES) {
    for (const step of rules.phases[phase]) if (step.kind === "rule") places.set(step.rule.id, step.rule.place);
  }
  return places;
}
