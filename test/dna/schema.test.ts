import assert from "node:assert/strict";
import { test } from "node:test";
import type * as z from "zod";
import { defineDna } from "../../src/index.ts";
import type { Dna, DnaInput } from "../../src/dna/dna.ts";
import type { FunctionReference } from "../../src/dna/functions.ts";
import { fieldsOf, fieldTree, groupOf } from "../../src/dna/fields.ts";
import { findConflicts } from "../../src/dna/rules.ts";
import { dnaSchema, type DnaFacts, type DnaSchema } from "../../src/dna/schema.ts";
import { facts } from "./support.ts";

// ---- Types: what is generated must be what the schema takes and gives. Checked by the compiler. -----------

type Same<Left, Right> = [Left] extends [Right] ? ([Right] extends [Left] ? true : false) : false;
/** Without readonly, and without the undefined that an optional key takes besides. */
type Bare<T> =
  T extends ReadonlyArray<infer Item>
    ? Array<Bare<Item>>
    : T extends (...given: never[]) => unknown
      ? // Written as a function, judged as a reference to it.
        Bare<FunctionReference>
      : T extends object
        ? { -readonly [Key in keyof T]: Exclude<Bare<T[Key]>, undefined> }
        : T;
const resolvedIsOutput: Same<Bare<Dna>, Bare<z.output<DnaSchema>>> = true;
// The command line may give the app, so users may leave it out.
const inputIsInput: Same<Bare<DnaInput>, Bare<Partial<z.input<DnaSchema>>>> = true;

test("the generated types are those of the schema", () => {
  assert.ok(resolvedIsOutput);
  assert.ok(inputIsInput);
});

test("defineDna gives back what it is given, and the compiler finds what is not a key", () => {
  const dna = { app: "a.js", cells: { drone: { min: 2 } } };
  assert.equal(defineDna(dna), dna);
  const make = async () => dna;
  assert.equal(defineDna(make), make);
  // @ts-expect-error A misspelt key.
  defineDna({ nmae: "x" });
  // @ts-expect-error A number in quotes, deep inside.
  defineDna({ http: { timeouts: { headMs: "10" } } });
  // @ts-expect-error A function that makes something else.
  defineDna(() => "a.js");
});

// ---- Keys ------------------------------------------------------------------------------------------------

const leaves = fieldsOf(fieldTree(dnaSchema(facts))).filter((field) => !field.isSection);

test("every number has a unit, bounds and a reason, and a default within its bounds", () => {
  const numbers = leaves.filter(({ node }) =>
    [node, ...(node.anyOf ?? [])].some(({ type }) => type === "integer" || type === "number"),
  );
  assert.ok(numbers.length > 30);
  for (const { pattern, node } of numbers) {
    const { minimum, maximum } = node.anyOf?.find(({ type }) => type === "integer") ?? node;
    assert.ok(node.unit !== undefined, `${pattern} has no unit`);
    assert.ok(minimum !== undefined && maximum !== undefined && minimum < maximum, `${pattern} has no bounds`);
    assert.ok(Number.isSafeInteger(maximum) || node.unit === "fraction", `${pattern} has no bound of its own`);
    if (typeof node.default === "number") assert.ok(node.default >= minimum && node.default <= maximum, pattern);
    else assert.ok(node.default === null || node.initially !== undefined, `${pattern} has no default`);
  }
});

test("every number's name tells its unit", () => {
  const fits: Record<string, RegExp> = {
    ms: /Ms(Min|Max|Target)?$|^ms(Max|Target)$/,
    seconds: /Seconds$/,
    bytes: /Bytes(Min|Max)?$/,
    "bytes a second": /BytesMin$/,
    "requests a second": /PerSecond$/,
    bits: /Bits(Min)?$/,
    connections: /^(countMax|perAddressMax)$/,
    requests: /^(countMax|droneConcurrencyMax)$/,
    cells: /^(min|max|pool|daughtersMax)$/,
    attempts: /^count/,
    files: /^files$/,
    port: /^port$|Port$/,
    level: /^paranoia$/,
    points: /ScoreMin$/,
    status: /^status$/,
    percent: /PercentMax$/,
    bans: /^perMinuteMax$/,
    fraction: /^(utilization|attenuation|strength|share$)|Share(Min|Max)$/,
  };
  for (const { pattern, node } of leaves) {
    if (node.unit === undefined) continue;
    const name = pattern.slice(pattern.lastIndexOf(".") + 1);
    assert.match(name, fits[node.unit]!, `${pattern} is in ${node.unit}`);
  }
});

test("every key says what it is for, in a sentence", () => {
  for (const { pattern, node } of fieldsOf(fieldTree(dnaSchema(facts)))) {
    assert.match(node.description ?? "", /^[A-Z0-9].*[.)]$/s, `${pattern}: ${node.description}`);
  }
});

test("every section's default is the defaults of its keys", () => {
  const schema = dnaSchema(facts);
  const minimal = schema.parse({ app: "a.js" });
  for (const [key, node] of Object.entries(fieldTree(schema).properties ?? {})) {
    if (groupOf(node).properties === undefined) continue;
    assert.deepEqual(schema.parse({ app: "a.js", [key]: {} }), minimal, key);
    assert.deepEqual(schema.parse({ app: "a.js", [key]: undefined }), minimal, key);
  }
});

// ---- Defaults --------------------------------------------------------------------------------------------

function defaultsOn(machine: Partial<DnaFacts>): Dna {
  return dnaSchema({ ...facts, ...machine }).parse({ app: "a.js" });
}

test("the defaults are sound on every machine", () => {
  for (const cpuCount of [1, 2, 3, 4, 8, 64, 1_000, 5_000]) {
    for (const memoryBytes of [64e6, 256e6, 1e9, 16e9, 4e12]) {
      const dna = defaultsOn({ cpuCount, memoryBytes });
      assert.deepEqual(findConflicts(dna), []);
      assert.ok(dna.cells.drone.max >= 2 && dna.cells.drone.max <= 1_024);
    }
  }
});

test("without more being asked for, the smallest organism is a majority of three", () => {
  const { neuron, bCell, tCell, drone } = defaultsOn({}).cells;
  assert.deepEqual([neuron.min, bCell.min, drone.min, tCell.min], [1, 1, 1, 0]);
});

const machines: ReadonlyArray<[cpus: number, gib: number, dronesMax: number, bCellsMax: number]> = [
  [1, 0.5, 2, 2],
  [1, 8, 2, 2],
  [2, 2, 2, 2],
  [8, 1, 2, 4],
  [8, 2, 4, 4],
  [8, 16, 8, 4],
  [64, 256, 64, 32],
];

for (const [cpuCount, gib, dronesMax, bCellsMax] of machines) {
  test(`${cpuCount} CPUs with ${gib} GiB run up to ${dronesMax} drones and ${bCellsMax} B cells`, () => {
    const { cells } = defaultsOn({ cpuCount, memoryBytes: gib * 1024 ** 3 });
    assert.equal(cells.drone.max, dronesMax);
    assert.equal(cells.bCell.max, bCellsMax);
  });
}

test("a minimum above the machine's default maximum takes the maximum with it", () => {
  const dna = dnaSchema({ ...facts, cpuCount: 1 }).parse({ app: "a.js", cells: { drone: { min: 40 } } });
  assert.deepEqual(dna.cells.drone, { min: 40, max: 40 });
});
