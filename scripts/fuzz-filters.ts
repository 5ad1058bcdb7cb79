/**
 * Searches for values that cost the built-in filters more than they may.
 *
 *     node scripts/fuzz-filters.ts --rounds 2000 --seed 1
 *
 * Values of up to 8 KB are made of pieces of attacks, one piece or a few again and again, and the dearest so far are
 * mutated further; each stands in a form's field, in a cookie and in a header. Then the dearest ones fill bodies of
 * 128 KB (a form's field, JSON, plain text), which are judged in turns. Printed are the dearest by CPU time, the best of
 * three runs each. Exits with 1 where a value, or one turn of a body, took more than `--ms-max`.
 */
import { parseArgs } from "node:util";
import { openBuiltin, stepBuiltin } from "../src/immune/builtin/evaluate.ts";
import { FILTERS } from "../src/immune/builtin/filters/table.ts";
import type { ParsedRequest } from "../src/immune/builtin/parsed-request.ts";
import { parseBody, parseHead } from "../src/immune/builtin/parsed-request.ts";
import { buildBuiltin } from "../src/immune/builtin/screen.ts";
import { urlEncode } from "../src/immune/seclang/transformations/url-encode.ts";
import { attackValues } from "../test/immune/attack-values.ts";
import { PIECES } from "./attack-pieces.ts";
import { seededRandom } from "./seeded-random.ts";

const { values: options } = parseArgs({
  options: {
    rounds: { type: "string", default: "2000" },
    seed: { type: "string", default: "1" },
    "ms-max": { type: "string", default: "50" },
  },
});

const VALUE_BYTES = 8192;
const BODY_BYTES = 128 * 1024;
const KEPT = 12;
/** As the B cell gives them (src/host/immune/turns.ts). */
const TURN_STEPS = 500_000;
const msMax = Number(options["ms-max"]);
const screen = buildBuiltin();
const random = seededRandom(Number(options.seed), 0);
const below = (limit: number): number => Math.floor(random() * limit);
const pick = <Item>(items: readonly Item[]): Item => items[below(items.length)]!;
/** Beside the general pieces, what the filters themselves name as examples. */
const pieces = [...PIECES, ...FILTERS.flatMap(({ example }) => [example, ...example.split(/(?=\W)/)])];

interface Cost {
  readonly what: string;
  readonly ms: number;
  readonly overrun: boolean;
}

let dearest: Array<Cost & { readonly value: string }> = [];
let overruns = 0;
for (let i = 0; i < 50; i += 1) costOfValue("a harmless value, and a few words");
for (const { value } of attackValues()) note(value);
for (let round = 0; round < Number(options.rounds); round += 1) {
  note(random() < 0.5 ? fresh() : mutate(pick(dearest).value));
}
show("values of up to 8 KB", dearest);

const bodies = [...dearest.map(({ value }) => value), ...attackValues().map(({ value }) => value)].flatMap((value) =>
  costsOfBody(value),
);
bodies.sort((left, right) => right.ms - left.ms);
show("the longest turns of bodies of 128 KB", bodies.slice(0, KEPT));
console.log(
  `${overruns} values and ${bodies.filter(({ overrun }) => overrun).length} of ${bodies.length} bodies were given up (refused)`,
);
process.exitCode = [...dearest, ...bodies].some(({ ms }) => ms > msMax) ? 1 : 0;

function note(value: string): void {
  const cost = costOfValue(value);
  if (cost.overrun) overruns += 1;
  dearest.push({ ...cost, value });
  dearest.sort((left, right) => right.ms - left.ms);
  dearest = dearest.slice(0, KEPT);
}

function costOfValue(value: string): Cost {
  const costs = ["form", "cookie", "header"].map((what) => {
    const runs = [1, 2, 3].map(() => run(requestWith(what, value), what === "form" ? "body" : "head", Infinity));
    return { what, ...runs.reduce((left, right) => (left.ms <= right.ms ? left : right)) };
  });
  return costs.reduce((left, right) => (left.ms >= right.ms ? left : right));
}

function requestWith(what: string, value: string): ParsedRequest {
  const clean = value.replace(/[\r\n\0]/g, " ");
  const headers =
    what === "cookie" ? ["Cookie", `a=${clean.replaceAll(";", " ")}`] : what === "header" ? ["X-A", clean] : [];
  const head = parseHead(facts("application/x-www-form-urlencoded", headers));
  return what === "form" ? parseBody(head, `a=${urlEncode(value)}`) : head;
}

function facts(type: string, headers: readonly string[]): ParsedRequest["request"] {
  return {
    uniqueId: "1",
    clientAddress: "192.0.2.7",
    clientPort: 1,
    serverAddress: "192.0.2.1",
    serverPort: 80,
    method: "POST",
    target: "/form",
    protocol: "HTTP/1.1",
    headers: ["Host", "example.org", "Content-Type", type, ...headers],
  };
}

/** The longest turn. */
function run(request: ParsedRequest, phase: "head" | "body", steps: number): { ms: number; overrun: boolean } {
  const state = openBuiltin(screen, request, phase);
  let ms = 0;
  for (let done = false; !done;) {
    // Of this thread's CPU: other work of the machine is not the filters' fault. The clock may tick in steps of 4 ms.
    const before = process.threadCpuUsage();
    done = stepBuiltin(state, steps);
    const { user, system } = process.threadCpuUsage(before);
    ms = Math.max(ms, (user + system) / 1000);
  }
  return { ms, overrun: state.overrun };
}

function costsOfBody(value: string): Cost[] {
  const whole = value.repeat(Math.ceil(BODY_BYTES / value.length)).slice(0, BODY_BYTES);
  const bodies: ReadonlyArray<readonly [what: string, type: string, body: string]> = [
    ["a form's field", "application/x-www-form-urlencoded", `a=${urlEncode(whole).slice(0, BODY_BYTES)}`],
    ["many fields", "application/x-www-form-urlencoded", whole.replace(/.{60}/gs, (part) => `${part}&`)],
    ["a string of JSON", "application/json", JSON.stringify({ a: whole.slice(0, BODY_BYTES / 2) })],
    ["plain text", "text/plain", whole],
  ];
  return bodies.map(([what, type, body]) => {
    const request = parseBody(parseHead(facts(type, [])), body);
    const runs = [1, 2, 3].map(() => run(request, "body", TURN_STEPS));
    return {
      what: `${what}: ${JSON.stringify(value.slice(0, 60))}`,
      ...runs.reduce((left, right) => (left.ms <= right.ms ? left : right)),
    };
  });
}

function fresh(): string {
  const few = Array.from({ length: 1 + below(4) }, () => pick(pieces)).join("");
  const start = random() < 0.3 ? pick(pieces) : "";
  return (start + few.repeat(Math.ceil(VALUE_BYTES / few.length))).slice(0, VALUE_BYTES);
}

function mutate(value: string): string {
  const at = below(value.length);
  const length = 1 + below(64);
  switch (below(4)) {
    case 0:
      return (value.slice(0, at) + pick(pieces) + value.slice(at)).slice(0, VALUE_BYTES);
    case 1:
      return value.slice(0, at) + value.slice(at + length) + pick(pieces);
    case 2: {
      const piece = value.slice(at, at + length) || "a";
      return piece.repeat(Math.ceil(VALUE_BYTES / piece.length)).slice(0, VALUE_BYTES);
    }
    default:
      return (value.slice(0, at) + pick(dearest).value.slice(at)).slice(0, VALUE_BYTES);
  }
}

function show(title: string, costs: readonly (Cost & { readonly value?: string })[]): void {
  console.log(`${title}, dearest first:`);
  for (const { what, ms, overrun, value } of costs) {
    const text = value === undefined ? "" : `  ${JSON.stringify(value.slice(0, 60))}`;
    console.log(`${ms.toFixed(1).padStart(8)} ms  ${what}${text}${overrun ? "  (given up)" : ""}`);
  }
}
