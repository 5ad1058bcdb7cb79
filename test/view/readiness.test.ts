import assert from "node:assert/strict";
import { test } from "node:test";
import { judgeReadiness } from "../../src/view/readiness.ts";
import type { SurveyedCell } from "../../src/wire/survey.ts";

const cell = (cellClass: SurveyedCell["class"], more: Partial<SurveyedCell> = {}): SurveyedCell => ({
  id: `${cellClass}-1`,
  class: cellClass,
  pid: 1,
  startTicks: 1,
  mother: null,
  generation: 0,
  bornAt: "2026-01-01T00:00:00Z",
  state: "live",
  evidence: "self",
  load: 0,
  rssBytes: 1,
  inFlight: 0,
  app: { state: "none" },
  ...more,
});
const bCell = (drones: number, refusal: string | null = null, waitedMs: number | null = null) =>
  cell("b-cell", {
    service: { drones, refusal },
    ...(waitedMs === null ? {} : { unserved: { ms: waitedMs, msMax: 30_000 } }),
  });
const closedFor = (ms: number) => cell("neuron", { unserved: { ms, msMax: 30_000 } });
const silent = { evidence: "kin" } as const;

const cases: ReadonlyArray<[title: string, cells: readonly SurveyedCell[], ready: boolean, why: RegExp]> = [
  ["a dormant egg would serve", [cell("egg")], true, /dormant/],
  ["a B cell with a drone serves", [bCell(1), cell("neuron"), cell("drone")], true, /answered/],
  ["one of two drones is down: the other serves", [bCell(1), cell("drone", silent)], true, /answered/],
  ["one of two B cells is hung: the other serves", [bCell(1), cell("b-cell", silent)], true, /answered/],
  ["no drone yet: a request waits", [bCell(0, null, 900), cell("neuron")], true, /wait for a drone/],
  ["no drone for longer than a request may wait", [bCell(0, null, 30_000)], false, /in vain for a drone/],
  ["no B cell yet: the kernel keeps the connection", [closedFor(400), cell("drone")], true, /wait for a B cell/],
  ["no B cell for too long", [closedFor(31_000), cell("drone")], false, /in vain for a B cell/],
  ["the app does not start", [bCell(0, "CELLWS_HTTP_APP_FAILED", 10)], false, /refused: CELLWS_HTTP_APP_FAILED/],
  ["one B cell refuses, another has a drone", [bCell(0, "CELLWS_HTTP_APP_FAILED", 10), bCell(1)], true, /answered/],
  ["one B cell refuses, another would wait", [bCell(0, "CELLWS_HTTP_DRAINING", 10), bCell(0, null, 10)], true, /wait/],
  ["the only B cell hangs", [cell("b-cell", silent), cell("neuron"), cell("drone")], false, /no B cell answers/],
  ["the only B cell leaves", [{ ...bCell(1), state: "draining" }, closedFor(10)], true, /wait for a B cell/],
  ["it falls asleep: the egg has the sockets", [cell("egg"), { ...bCell(1), state: "draining" }], true, /dormant/],
  ["all are leaving", [{ ...bCell(1), state: "draining" }], false, /end/],
  ["nobody answers", [cell("b-cell", silent), cell("drone", silent)], false, /none of its cells/],
  ["there is nobody", [], false, /none of its cells/],
];

for (const [title, cells, ready, why] of cases) {
  test(`ready ${ready ? "" : "not "}when ${title}`, () => {
    const judged = judgeReadiness({ cells: [...cells] });
    assert.equal(judged.ready, ready, judged.why);
    assert.match(judged.why, why);
  });
}
