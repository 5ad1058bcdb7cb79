import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { emptyTally } from "../../src/core/tally.ts";
import type { Mark } from "../../src/immune/ledger/mark.ts";
import type { KinMessage } from "../../src/core/message.ts";
import { keyOf } from "../../src/core/record.ts";
import type { BanBody, CellBody, Charge, OrganismRecord } from "../../src/core/record.ts";
import { readHello, readKinMessage, readProof, readWelcome } from "../../src/wire/kin.ts";

const body: CellBody = {
  kind: "cell",
  id: "abcdefghij",
  mother: null,
  lineage: [],
  generation: 0,
  birthOrder: 0,
  publicKey: "k",
  pid: 1,
  startTicks: 2,
  bornAt: "2026-01-01T00:00:00.000Z",
  revision: "first",
  certificate: "c",
  class: "egg",
  state: "live",
};
const record: OrganismRecord = { key: "cell/abcdefghij", version: 0, origin: "abcdefghij", body, signature: "s" };
const ban: BanBody = {
  kind: "ban",
  range: "2001:db8:ffff:ffff::/64",
  action: "ban",
  reason: "sql-injection",
  offence: 1,
  issuedAtMs: 1,
  untilMs: 2,
  incident: "2001:db8:ffff:ffff::/64#1",
};
const pulse = { id: "a.0", origin: "a", class: "drone", strength: 100, wanted: 1, unanswered: 0, hops: 1 } as const;

const charge: Charge = { target: "a", pid: 1, startTicks: 2, reason: "hung", window: 3, round: 0 };

const mark: Mark = {
  id: "r-1",
  client: "2001:db8::1",
  attackClass: "sql-injection",
  rules: [942_100],
  score: 5,
  cell: "b",
  atMs: 7.25,
  evidence: "GET /?id=...",
};
const messages: KinMessage[] = [
  { type: "inventory", entries: [["cell/a", 1, "a"]] },
  { type: "records", records: [record] },
  { type: "records", records: [{ ...record, key: keyOf(ban), body: ban }] },
  { type: "pulse", pulse },
  { type: "hand-down", hops: 1 },
  { type: "tally", tally: emptyTally, digest: 7, toTCell: null },
  { type: "tally", tally: emptyTally, digest: 7, toTCell: 3 },
  {
    type: "testimony",
    marks: [mark],
    sightings: [{ kind: "missing", client: "192.0.2.1", atMs: 7.5, path: 9 }],
    hops: 2,
  },
  { type: "suspect", id: "a", by: "b" },
  { type: "votes", votes: [{ charge, voter: "b", signature: "s" }] },
];

describe("a kin message", () => {
  test("arrives as it was sent, of every type", () => {
    for (const message of messages) {
      assert.deepEqual(readKinMessage(JSON.stringify(message)), { ok: true, value: message });
    }
  });

  for (const [what, text, reason] of [
    ["is not JSON", "{", /not JSON/],
    [
      "is of no known type",
      '{"type":"obey"}',
      /type: expected one of inventory, records, pulse, votes, suspect, tally, testimony, hand-down/,
    ],
    ["has a field too many", JSON.stringify({ ...messages[4], force: true }), /force: not expected/],
    ["lacks a field", '{"type":"hand-down"}', /hops: expected an integer/],
    [
      "names a class that there is not",
      JSON.stringify({ type: "pulse", pulse: { ...pulse, class: "queen" } }),
      /pulse: class/,
    ],
    [
      "claims more strength than there is",
      JSON.stringify({ type: "pulse", pulse: { ...pulse, strength: 1e9 } }),
      /strength/,
    ],
    ["has a number with a fraction", JSON.stringify({ type: "pulse", pulse: { ...pulse, hops: 0.5 } }), /hops/],
    ["uses the prototype's names for a type", '{"type":"constructor"}', /type: expected/],
    [
      "has a body of no kind",
      JSON.stringify({ type: "records", records: [{ ...record, body: { kind: "law" } }] }),
      /body: kind/,
    ],
  ] as const) {
    test(`is refused, with the reason, when it ${what}`, () => {
      const read = readKinMessage(text);
      assert.ok(!read.ok);
      assert.match(read.reason, reason);
    });
  }

  test("that is anything at all is read or refused, and nothing is thrown", () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        for (const read of [readKinMessage, readHello, readWelcome, readProof])
          assert.equal(typeof read(text).ok, "boolean");
      }),
      { numRuns: 2_000 },
    );
  });

  test("that differs from a sound one in one value is never taken for another type", () => {
    const mutated = fc.tuple(fc.constantFrom(...messages), fc.nat(200), fc.constantFrom(...'{}[]",:0aé\\'.split("")));
    fc.assert(
      fc.property(mutated, ([message, at, character]) => {
        const text = JSON.stringify(message);
        const place = at % text.length;
        const read = readKinMessage(text.slice(0, place) + character + text.slice(place + 1));
        if (read.ok) assert.equal(read.value.type, message.type);
      }),
      { numRuns: 2_000 },
    );
  });
});
