// What holds for every DNA, sound or not. fast-check prints the seed when something does not.
import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { formatDiagnostics } from "../../src/dna/diagnostic.ts";
import type { Dna } from "../../src/dna/dna.ts";
import { fieldTree, groupOf, type FieldNode } from "../../src/dna/fields.ts";
import { canonicalJson } from "../../src/dna/identity.ts";
import { inheritDna } from "../../src/dna/inherit.ts";
import { toPlain } from "../../src/dna/plain.ts";
import { resolveDna } from "../../src/dna/resolve.ts";
import { schema } from "./support.ts";

const tree = fieldTree(schema);

/** Any sound value of a key, made from what the schema says of it. */
function soundValue(node: FieldNode, key: string): fc.Arbitrary<unknown> {
  if (node.anyOf !== undefined) return fc.oneof(...node.anyOf.map((branch) => soundValue(branch, key)));
  if (node.const !== undefined) return fc.constant(node.const);
  if (node.enum !== undefined) return fc.constantFrom(...node.enum);
  switch (node.type) {
    case "integer":
      return fc.integer({ min: node.minimum!, max: node.maximum! });
    case "number":
      return fc.double({ min: node.minimum!, max: node.maximum!, noNaN: true });
    case "boolean":
      return fc.boolean();
    case "null":
      return fc.constant(null);
    case "array":
      // A list of choices names each at most once.
      if (node.items!.enum !== undefined) return fc.shuffledSubarray(node.items!.enum, { minLength: 1 });
      return fc.array(soundValue(node.items!, key), {
        minLength: node.minItems ?? 0,
        maxLength: Math.min(4, node.maxItems!),
      });
    case "object":
      return node.properties === undefined
        ? fc.dictionary(
            fc.stringMatching(/^[A-Z_][A-Z0-9_]{0,9}$/),
            fc.string().filter((text) => !text.includes("\0")),
          )
        : soundSection(node);
    default:
      return soundString(node, key);
  }
}

function soundSection(node: FieldNode): fc.Arbitrary<Record<string, unknown>> {
  const model = Object.fromEntries(
    Object.entries(node.properties!).map(([key, child]) => [key, soundValue(child, key)]),
  );
  return fc.record(model, { requiredKeys: node.required ?? [] });
}

function soundString(node: FieldNode, key: string): fc.Arbitrary<string> {
  if (node.range === true) return fc.constantFrom("10.0.0.0/8", "192.0.2.7", "2001:db8::/32", "::1", "0.0.0.0/0");
  if (key === "host") return fc.oneof(fc.ipV4(), fc.ipV6(), fc.domain(), fc.constantFrom("::", "0.0.0.0", "localhost"));
  if (key === "name") return fc.stringMatching(/^[a-z0-9][a-z0-9-]{0,31}$/);
  if (key === "loginPaths") return fc.stringMatching(/^\/[a-z/-]{0,20}$/);
  if (key === "paths") return fc.stringMatching(/^\/[a-z/?=-]{0,20}$/);
  if (key === "headers") return fc.constantFrom("content-type", "ETag", "x-frame-options");
  if (key === "user" || key === "group") return fc.stringMatching(/^[a-z_][a-z0-9-]{0,15}$/);
  if (key === "domain" || key === "server") return fc.domain();
  if (key === "url") return fc.constantFrom("https://hooks.example/x", "http://127.0.0.1:9/", "http://[::1]/");
  if (["contact", "from", "to"].includes(key)) return fc.constantFrom("a@example.com", "abuse+x@sub.example.org");
  if (key === "at") return fc.constantFrom("/", "/assets", "/a b/c.d", "/.well-known");
  if (key === "index") return fc.stringMatching(/^[a-z]{1,8}[.]html$/);
  if (key === "types") return fc.constantFrom("model/*", "application/x-tex");
  if (key === "cacheControl") return fc.constantFrom("no-cache", "public, max-age=31536000, immutable");
  return fc.stringMatching(/^[./a-zA-Z0-9 _-]{1,40}$/);
}

/** Any sound subset of keys: what two keys say against each other is taken out again. */
const soundDna: fc.Arbitrary<Record<string, unknown>> = soundSection(tree).map((input) => {
  let sound = input;
  for (let round = 0; round < 20; round += 1) {
    const resolution = resolveDna({ input: sound, schema, later: [] });
    if (resolution.ok) return sound;
    assert.deepEqual(
      new Set(resolution.diagnostics.map(({ code }) => code)),
      new Set(["CELLWS_E_DNA_CONFLICT"]),
      JSON.stringify(resolution.diagnostics[0]),
    );
    const conflicting = new Set(resolution.diagnostics.map(({ path }) => /^\w+/.exec(path!)![0]));
    // Which of two sections is to blame is not asked: cells goes with hormones.
    if (conflicting.has("hormones")) conflicting.add("cells");
    sound = Object.fromEntries(Object.entries(sound).filter(([key]) => !conflicting.has(key)));
  }
  throw new Error("conflicts that do not go away");
});

function resolved(input: unknown): Dna {
  const resolution = resolveDna({ input, schema, later: [] });
  assert.ok(resolution.ok, JSON.stringify(resolution));
  return resolution.dna;
}

test("any sound subset of keys resolves, and what was written is kept", () => {
  fc.assert(
    fc.property(soundDna, (input) => {
      assertKept(resolved(input), input);
    }),
    { numRuns: 200 },
  );
});

function assertKept(actual: unknown, written: unknown): void {
  if (Array.isArray(written)) {
    for (const [index, item] of written.entries()) assertKept((actual as unknown[])[index], item);
  } else if (typeof written === "object" && written !== null) {
    for (const [key, child] of Object.entries(written)) assertKept((actual as Record<string, unknown>)[key], child);
  } else {
    assert.deepEqual(actual, written);
  }
}

test("a resolved DNA has every key", () => {
  const assertWhole = (node: FieldNode, value: unknown): void => {
    const group = groupOf(node);
    if (value === null || typeof value !== "object") return;
    if (Array.isArray(value)) for (const item of value) assertWhole(group.items!, item);
    else if (group.properties !== undefined) {
      assert.deepEqual(Object.keys(value).sort(), Object.keys(group.properties).sort());
      for (const [key, child] of Object.entries(value)) assertWhole(group.properties[key]!, child);
    }
  };
  fc.assert(
    fc.property(soundDna, (input) => assertWhole(tree, resolved(input))),
    { numRuns: 100 },
  );
});

test("a resolved DNA resolves to itself", () => {
  fc.assert(
    fc.property(soundDna, (input) => {
      const dna = resolved(input);
      assert.deepEqual(resolved(dna), dna);
    }),
    { numRuns: 200 },
  );
});

test("a resolved DNA survives as JSON, and cannot be changed afterwards", () => {
  fc.assert(
    fc.property(soundDna, (input) => {
      const dna = resolved(input);
      const inherited = inheritDna(JSON.stringify(dna));
      // JSON knows no minus zero.
      assert.equal(canonicalJson(inherited), canonicalJson(dna));
      assertFrozen(inherited);
    }),
    { numRuns: 100 },
  );
});

function assertFrozen(value: unknown): void {
  if (typeof value !== "object" || value === null) return;
  assert.ok(Object.isFrozen(value));
  for (const child of Object.values(value)) assertFrozen(child);
}

const json = fc.jsonValue({ maxDepth: 4 });

test("canonical JSON does not depend on the order of keys", () => {
  const reversed = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(reversed);
    if (typeof value !== "object" || value === null) return value;
    return Object.fromEntries(
      Object.entries(value)
        .reverse()
        .map(([key, child]) => [key, reversed(child)]),
    );
  };
  fc.assert(fc.property(json, (value) => assert.equal(canonicalJson(reversed(value)), canonicalJson(value))));
  fc.assert(
    fc.property(json, (value) => assert.deepEqual(JSON.parse(canonicalJson(value)), JSON.parse(JSON.stringify(value)))),
  );
});

test("canonical JSON of two DNAs is equal only if they are", () => {
  fc.assert(
    fc.property(soundDna, soundDna, (left, right) => {
      const [one, other] = [JSON.stringify(resolved(left)), JSON.stringify(resolved(right))];
      assert.equal(canonicalJson(JSON.parse(one)) === canonicalJson(JSON.parse(other)), one === other);
    }),
    { numRuns: 100 },
  );
});

test("whatever is written where, the answer is a DNA or a list of mistakes that can be printed", () => {
  const junk = fc.oneof(
    fc.anything({ maxDepth: 2, withNullPrototype: true }),
    fc.constantFrom(-1, 0, 1, 1e9, "10", "5s", "", "any", null, [], {}, [{}], [[]]),
  );
  const known = (node: FieldNode): fc.Arbitrary<unknown> => {
    const group = groupOf(node);
    if (group.properties !== undefined) {
      const model = Object.fromEntries(
        Object.entries(group.properties).map(([key, child]) => [
          key,
          fc.oneof({ weight: 3, arbitrary: known(child) }, { weight: 1, arbitrary: junk }),
        ]),
      );
      return fc.oneof(
        { weight: 8, arbitrary: fc.record({ ...model, extra: junk }, { requiredKeys: [] }) },
        { weight: 1, arbitrary: junk },
      );
    }
    return group.items === undefined
      ? fc.oneof(junk, soundValue(node, ""))
      : fc.oneof(junk, fc.array(known(group.items), { maxLength: 3 }));
  };
  fc.assert(
    fc.property(known(tree), (input) => {
      const plain = toPlain(input, "/app/dna.ts").value;
      const resolution = resolveDna({ input: plain, schema, later: [] });
      if (resolution.ok) return;
      assert.ok(resolution.diagnostics.length > 0);
      for (const { code, message, expected } of resolution.diagnostics) {
        assert.match(code, /^CELLWS_E_(DNA_[A-Z_]+|APP_NOT_GIVEN)$/);
        assert.ok(message !== "" && expected !== undefined && expected !== "");
      }
      assert.notEqual(formatDiagnostics(resolution.diagnostics, { color: true }), "");
      assert.deepEqual(JSON.parse(JSON.stringify(resolution.diagnostics)), resolution.diagnostics);
      // What is left after the mistakes is a whole DNA, to look for further mistakes in.
      const again = resolveDna({ input: resolution.mended, schema, later: [] });
      const told = again.ok ? [] : again.diagnostics.map(({ code }) => code);
      assert.deepEqual(
        told.filter((code) => code !== "CELLWS_E_DNA_CONFLICT"),
        [],
      );
    }),
    { numRuns: 500 },
  );
});
