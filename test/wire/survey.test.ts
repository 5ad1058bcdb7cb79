import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import type { AppHealth, CellLifeState, CellRecord, CellSummary, CellVitals } from "../../src/wire/control.ts";
import type { SurveyInput, VitalsReply } from "../../src/wire/survey.ts";
import { gravestAppHealth, mergeSurvey } from "../../src/wire/survey.ts";

const bornAt = "2026-11-22T12:00:00.000Z";
const summary = (id: string, more: Partial<CellSummary> = {}): CellSummary => ({
  id,
  class: "stem",
  pid: 100 + id.charCodeAt(0),
  startTicks: 1,
  mother: null,
  generation: 0,
  bornAt,
  state: "live",
  ...more,
});
const vitals = (id: string, more: Partial<CellVitals> = {}): CellVitals => ({
  ...summary(id, more),
  load: 0.5,
  rssBytes: 1,
  inFlight: 2,
  app: { state: "none" },
  ...more,
});
const reply = (self: CellVitals, others: CellSummary[] = [], more: Partial<VitalsReply> = {}): VitalsReply => ({
  organism: "o",
  name: "shop",
  revision: "r",
  self,
  others,
  appHealth: { state: "none" },
  ...more,
});
const recordOf = (id: string, more: Partial<CellRecord> = {}): CellRecord => {
  const { state: _state, ...record } = summary(id, more);
  return record;
};
const merge = (input: Partial<SurveyInput>): ReturnType<typeof mergeSurvey> =>
  mergeSurvey({
    name: "shop",
    organism: "from-file",
    revision: "from-file",
    replies: [],
    records: [],
    heldSockets: [],
    lives: () => true,
    rssBytesOf: () => 4096,
    ...input,
  });

test("a cell's own word goes before its kin's", () => {
  const survey = merge({
    replies: [reply(vitals("a", { class: "drone" })), reply(vitals("b"), [summary("a", { class: "stem" })])],
  });
  assert.deepEqual(
    survey.cells.map(({ id, class: cellClass, evidence }) => [id, cellClass, evidence]),
    [
      ["a", "drone", "self"],
      ["b", "stem", "self"],
    ],
  );
});

test("a cell that does not answer is what most of its kin say, without what they cannot know", () => {
  const others = (state: CellLifeState): CellSummary[] => [summary("s", { class: "drone", state })];
  const survey = merge({
    replies: [
      reply(vitals("a"), others("suspected")),
      reply(vitals("b"), others("suspected")),
      reply(vitals("c"), others("live")),
    ],
    heldSockets: ["a", "b", "c", "s"],
  });
  const silent = survey.cells.find(({ id }) => id === "s");
  assert.equal(silent?.state, "suspected");
  assert.equal(silent?.class, "drone");
  assert.deepEqual([silent?.load, silent?.inFlight, silent?.app], [null, null, null]);
  assert.equal(silent?.rssBytes, 4096, "memory is seen from outside");
});

test("a cell is suspected when half of those who know it doubt it, itself included; one doubter of many is not enough", () => {
  const doubt = summary("a", { state: "suspected" });
  const cases: Array<[doubters: number, trusters: number, state: CellLifeState]> = [
    [0, 3, "live"],
    [1, 3, "live"],
    [2, 1, "suspected"],
    [3, 0, "suspected"],
  ];
  for (const [doubters, trusters, state] of cases) {
    const kin = Array.from({ length: doubters + trusters }, (_, index) =>
      reply(vitals(`k${index}`), [index < doubters ? doubt : summary("a")]),
    );
    const survey = merge({ replies: [reply(vitals("a")), ...kin] });
    assert.equal(survey.cells.find(({ id }) => id === "a")?.state, state, `${doubters} of ${doubters + trusters}`);
  }
});

test("a cell that says it drains drains, whatever its kin say", () => {
  const survey = merge({ replies: [reply(vitals("a", { state: "draining" })), reply(vitals("b"), [summary("a")])] });
  assert.equal(survey.cells.find(({ id }) => id === "a")?.state, "draining");
});

test("a cell that only a record tells of is suspected when it holds a socket in silence, and young when it has none", () => {
  const survey = merge({ records: [recordOf("h"), recordOf("n")], heldSockets: ["h"] });
  assert.deepEqual(
    survey.cells.map(({ id, state, evidence }) => [id, state, evidence]),
    [
      ["h", "suspected", "record"],
      ["n", "live", "record"],
    ],
  );
  assert.equal(survey.organism, "from-file");
});

test("the dead are no cells, whoever still speaks of them", () => {
  const survey = merge({
    replies: [reply(vitals("a"), [summary("d")])],
    records: [recordOf("e")],
    lives: ({ pid }) => pid === summary("a").pid,
  });
  assert.deepEqual(
    survey.cells.map(({ id }) => id),
    ["a"],
  );
});

test("a socket that somebody holds and nobody knows is told apart", () => {
  const survey = merge({ replies: [reply(vitals("a"))], heldSockets: ["a", "x"] });
  assert.deepEqual(survey.strangers, ["x"]);
});

test("the dead mothers of the living are remembered as far as their records reach", () => {
  const survey = merge({
    replies: [reply(vitals("c", { mother: "b", generation: 2 }))],
    records: [recordOf("a"), recordOf("b", { mother: "a", generation: 1 }), recordOf("z")],
    lives: ({ pid }) => pid === summary("c").pid,
  });
  assert.deepEqual(
    survey.ghosts.map(({ id }) => id),
    ["b", "a"],
  );
});

test("cells come eldest first", () => {
  const later = "2026-11-22T12:00:01.000Z";
  const survey = merge({
    replies: [
      reply(vitals("d", { generation: 2 })),
      reply(vitals("c", { generation: 1, bornAt: later })),
      reply(vitals("b", { generation: 1 })),
      reply(vitals("a", { generation: 1 })),
      reply(vitals("e")),
    ],
  });
  assert.equal(survey.cells.map(({ id }) => id).join(""), "eabcd");
});

test("the gravest news of the app is told, and of two failures the one that is known better", () => {
  const failed: AppHealth = { state: "failed", attempts: 2 };
  const cases: Array<[AppHealth[], AppHealth]> = [
    [[], { state: "none" }],
    [[{ state: "ready" }, { state: "none" }], { state: "ready" }],
    [[{ state: "loading" }, { state: "ready" }], { state: "loading" }],
    [[failed, { state: "loading" }], failed],
    [[{ state: "failed" }, failed], failed],
    [[failed, { ...failed, retryInMs: 5 }], { ...failed, retryInMs: 5 }],
    [[failed, { ...failed, error: { code: "X", message: "y" } }], { ...failed, error: { code: "X", message: "y" } }],
  ];
  for (const [healths, gravest] of cases) {
    assert.deepEqual(gravestAppHealth(healths), gravest);
    assert.deepEqual(gravestAppHealth([...healths].reverse()), gravest);
  }
});

test("whatever cells say of each other, each living cell is listed once", () => {
  const ids = ["a", "b", "c", "d", "e"];
  const id = fc.constantFrom(...ids);
  const state = fc.constantFrom<CellLifeState>("live", "suspected", "draining");
  const others = fc.array(fc.record({ id, state }), { maxLength: 8 });
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.record({ id, state, others }), { selector: (cell) => cell.id }),
      fc.uniqueArray(id),
      fc.uniqueArray(id),
      (answering, recorded, dead) => {
        const survey = merge({
          replies: answering.map((cell) =>
            reply(
              vitals(cell.id, { state: cell.state }),
              cell.others.map((other) => summary(other.id, { state: other.state })),
            ),
          ),
          records: recorded.map((one) => recordOf(one)),
          heldSockets: ids,
          lives: ({ pid }) => !dead.some((one) => summary(one).pid === pid),
        });
        const listed = survey.cells.map((cell) => cell.id);
        assert.equal(new Set(listed).size, listed.length);
        for (const { id: answered } of answering) assert.ok(listed.includes(answered));
        for (const one of listed) assert.ok(!dead.includes(one) || answering.some((cell) => cell.id === one));
        assert.deepEqual([...survey.strangers, ...listed].sort(), ids);
      },
    ),
  );
});
