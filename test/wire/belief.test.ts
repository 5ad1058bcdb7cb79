// What is believed of what comes over a kin link: each lie that a cell with a key of its own may tell, and its truth.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { CellBody, Charge, OrganismRecord, RecordBody } from "../../src/core/record.ts";
import { keyOf } from "../../src/core/record.ts";
import { Keyring } from "../../src/sim/keyring.ts";
import type { Acquaintance } from "../../src/wire/belief.ts";
import { hear, signRecord, whyNotBelieved, whyNotMet } from "../../src/wire/belief.ts";
import { votePayload } from "../../src/wire/kin.ts";

const keyring = new Keyring();
const keys = new Map(["egg", "mother", "daughter", "liar"].map((id, i) => [id, keyring.makeKey(id, i + 1)]));
const organism = keyring.organismId(keys.get("egg") ?? "");

function signed(body: RecordBody, by: string, version = 1): OrganismRecord {
  const unsigned = { key: keyOf(body), version, origin: by, body };
  return signRecord(organism, unsigned, (payload) => keyring.sign(payload, keys.get(by) ?? ""));
}

function born(id: string, mother: CellBody | null, pid: number): CellBody {
  const body: CellBody = {
    kind: "cell",
    id,
    mother: mother?.id ?? null,
    lineage: mother === null ? [] : [...mother.lineage, mother.id],
    generation: (mother?.generation ?? -1) + 1,
    birthOrder: pid,
    publicKey: keys.get(id) ?? "",
    pid,
    startTicks: 7,
    bornAt: "",
    revision: "first",
    certificate: "",
    class: "stem",
    state: "gestating",
  };
  return signed(body, mother?.id ?? id, 0).body as CellBody;
}

const egg = born("egg", null, 1);
const mother = born("mother", egg, 2);
const liar = { ...born("liar", egg, 3), state: "live" as const };
const daughter = born("daughter", mother, 4);
const drone: CellBody = { ...mother, class: "drone", state: "live" };

function knowing(...cells: CellBody[]): Acquaintance {
  const byId = new Map(cells.map((cell) => [cell.id, cell]));
  return {
    organism,
    cell: (id) => byId.get(id),
    held: (key) => {
      const cell = cells.find((known) => keyOf(known) === key);
      return cell === undefined ? undefined : signed(cell, cell.id, 5);
    },
    ownerOfProcess: (pid, startTicks) => cells.find((c) => c.pid === pid && c.startTicks === startTicks)?.id,
    runs: (pid) => pid <= 4,
    hasDna: (revision) => revision === "first",
  };
}

const why = (record: OrganismRecord, known: Acquaintance): string | null => whyNotBelieved(record, known, keyring);
const charge: Charge = { target: "mother", pid: 2, startTicks: 7, reason: "hung", window: 1, round: 0 };
const voteOf = (voter: string, by = voter): { voter: string; signature: string } => ({
  voter,
  signature: keyring.sign(votePayload(organism, charge), keys.get(by) ?? ""),
});
const obituary = (pid: number, by: string): OrganismRecord =>
  signed({ kind: "death", id: "mother", pid, startTicks: 7, cause: "crashed" }, by);
const sentence = (...votes: Array<{ voter: string; signature: string }>): OrganismRecord =>
  signed({ kind: "certificate", id: "mother", charge, votes }, "liar");

describe("the word of a cell", () => {
  const all = knowing(egg, mother, liar);
  const withDrone = knowing(egg, drone, liar);
  const cases: ReadonlyArray<
    readonly [title: string, record: OrganismRecord, known: Acquaintance, why: string | null]
  > = [
    ["on its daughter", signed(daughter, "mother", 0), all, null],
    ["on another's daughter", signed(daughter, "liar", 0), all, "told of another cell"],
    [
      "on a daughter under another's process",
      signed(born("daughter", liar, 2), "liar"),
      all,
      "its process is that of mother",
    ],
    [
      "on a daughter of another lineage",
      signed({ ...born("daughter", liar, 4), lineage: ["egg"] }, "liar"),
      all,
      "its lineage is not its mother's",
    ],
    [
      "on a daughter that is older than it",
      signed({ ...born("daughter", liar, 4), birthOrder: 1 }, "liar"),
      all,
      "its lineage is not its mother's",
    ],
    ["on what it became", signed({ ...mother, class: "drone", state: "live" }, "mother", 6), all, null],
    ["on another role", signed({ ...drone, class: "b-cell" }, "mother", 6), withDrone, "a drone stays one"],
    ["that it is not born yet", signed({ ...drone, state: "gestating" }, "mother", 6), withDrone, "it is born"],
    ["that it became an egg", signed({ ...mother, class: "egg" }, "mother", 6), all, "nobody becomes an egg"],
    ["on its daughter beside a ghost", signed(born("daughter", egg, 2), "egg"), all, null],
    ["on a DNA that is there", signed({ kind: "dna", revision: "first" }, "liar"), all, null],
    ["on a DNA that it made up", signed({ kind: "dna", revision: "third" }, "liar"), all, "there is no such DNA"],
    ["that leaps", signed({ ...drone, state: "draining" }, "mother", 5_000), withDrone, "its version leaps"],
    ["that another signed", { ...signed(drone, "liar", 6), origin: "mother" }, all, "not signed by its origin"],
    ["on the death of one that runs", obituary(2, "liar"), all, "that cell's process runs"],
    ["on the death of another process", obituary(99, "liar"), all, "not that cell's process"],
    ["on its own death", obituary(2, "mother"), all, null],
    ["on the death of nobody known", obituary(2, "liar"), knowing(egg, liar), "of nobody known"],
    ["on a sentence with genuine votes", sentence(voteOf("egg"), voteOf("liar")), all, null],
    ["on a sentence with a forged vote", sentence(voteOf("egg", "liar")), all, "a vote is not its voter's"],
    ["on a sentence with a vote twice", sentence(voteOf("liar"), voteOf("liar")), all, "a voter counts twice"],
  ];
  for (const [title, record, known, reason] of cases) {
    test(`${title} is ${reason === null ? "believed" : `not: ${reason}`}`, () =>
      assert.equal(why(record, known), reason));
  }

  test("on a death is believed when the kernel agrees", () => {
    assert.equal(why(obituary(2, "liar"), { ...all, runs: () => false }), null);
  });
});

test("forged votes are taken out of a message, and the genuine ones are heard", () => {
  const votes = [voteOf("egg"), voteOf("mother", "liar")].map((vote) => ({ charge, ...vote }));
  const heard: string[] = [];
  hear({ type: "votes", votes }, knowing(egg, mother, liar), keyring, {
    take: (message) => heard.push(...(message.type === "votes" ? message.votes.map(({ voter }) => voter) : [])),
    refuse: (what) => heard.push(`refused ${what}`),
  });
  assert.deepEqual(heard, ["refused 1 votes", "egg"]);
});

test("an orphan is let in by one that has not heard of its mother, when it shows her birth", () => {
  const own = signed({ ...daughter, state: "live" }, "daughter", 1);
  const ancestry = [signed(mother, "egg", 0)];
  assert.equal(whyNotMet(own, [], knowing(egg), keyring), "its mother is not known");
  assert.equal(whyNotMet(own, ancestry, knowing(egg), keyring), null);
});
