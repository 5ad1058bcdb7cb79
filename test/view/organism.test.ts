import assert from "node:assert/strict";
import { test } from "node:test";
import type { Clock } from "../../src/view/ps.ts";
import { psJson, renderPs } from "../../src/view/ps.ts";
import type { StatusPhase } from "../../src/view/status.ts";
import { judgeStatus, renderStatus } from "../../src/view/status.ts";
import type { Style } from "../../src/view/style.ts";
import { PLAIN_STYLE } from "../../src/view/style.ts";
import { renderTree, treeJson } from "../../src/view/tree.ts";
import type { AppHealth, CellRecord, OrganismFile } from "../../src/wire/control.ts";
import type { OrganismSurvey, SurveyedCell } from "../../src/wire/survey.ts";

const clock: Clock = { nowMs: Date.parse("2026-11-22T13:02:03Z"), parseTime: (text) => Date.parse(text) };
const cell = (id: string, more: Partial<SurveyedCell> = {}): SurveyedCell => ({
  id: id.padEnd(10, id),
  class: "stem",
  pid: 4711,
  startTicks: 1,
  mother: null,
  generation: 0,
  bornAt: "2026-11-22T13:00:00Z",
  state: "live",
  evidence: "self",
  load: 0.02,
  rssBytes: 62 * 1024 * 1024,
  inFlight: 0,
  app: { state: "none" },
  ...more,
});
const survey = (cells: SurveyedCell[], more: Partial<OrganismSurvey> = {}): OrganismSurvey => ({
  name: "shop",
  organism: "k3f9a7p2qx",
  revision: "5f2c9e1ab034",
  cells,
  ghosts: [],
  strangers: [],
  app: { state: "none" },
  ...more,
});
const file: OrganismFile = {
  version: 1,
  name: "shop",
  organism: "k3f9a7p2qx",
  revision: "5f2c9e1ab034",
  startedAt: "2026-11-22T12:00:00.512Z",
  cwd: "/srv/shop",
  app: "/srv/shop/server.js",
  dnaFile: "/srv/shop/dna.ts",
  listen: [
    { host: "127.0.0.1", port: 8080, tls: false },
    { host: "0.0.0.0", port: 8443, tls: true },
  ],
  admin: null,
  drainMsMax: 10_000,
};

const failed: AppHealth = {
  state: "failed",
  error: {
    code: "CELLWS_E_APP_LOAD",
    message: "no database\nright now",
    stack: `Error: no database\nright now\n${Array.from({ length: 9 }, (_, index) => `    at f${index} (/srv/app.js:${index}:1)`).join("\n")}`,
  },
  attempts: 3,
  retryInMs: 4_200,
};

const grown = [
  cell("a", { class: "neuron" }),
  cell("b", { class: "b-cell", mother: "aaaaaaaaaa", generation: 1, inFlight: 3, load: 0.314 }),
  cell("c", { class: "drone", mother: "aaaaaaaaaa", generation: 1, inFlight: 3, app: { state: "ready" } }),
  cell("d", { mother: "cccccccccc", generation: 2, state: "suspected", evidence: "kin", load: null, inFlight: null }),
];

test("ps lines up, names what cannot be known with a dash, and fits into 80 columns", () => {
  const cells = [...grown.slice(0, 3), { ...(grown[3] ?? cell("d")), pid: 4194304 }];
  assert.equal(
    renderPs(survey(cells), clock, PLAIN_STYLE).join("\n"),
    `
ID         CLASS      PID MOTHER     GEN AGE STATE     LOAD RSS IN FLIGHT
aaaaaaaaaa neuron    4711 -            0  2m live        2% 62M         0
bbbbbbbbbb b-cell    4711 aaaaaaaaaa   1  2m live       31% 62M         3
cccccccccc drone     4711 aaaaaaaaaa   1  2m live        2% 62M         3
dddddddddd stem   4194304 cccccccccc   2  2m suspected    - 62M         -`.trimStart(),
  );
});

test("ps leaves wider gaps where there is room", () => {
  const [header] = renderPs(survey(grown), clock, { ...PLAIN_STYLE, columns: 120 });
  assert.equal(header, "ID          CLASS    PID  MOTHER      GEN  AGE  STATE      LOAD  RSS  IN FLIGHT");
});

test("ps as JSON has exactly the promised keys", () => {
  assert.deepEqual(psJson(survey(grown.slice(0, 1))), {
    organism: "k3f9a7p2qx",
    revision: "5f2c9e1ab034",
    cells: [
      {
        id: "aaaaaaaaaa",
        class: "neuron",
        pid: 4711,
        mother: null,
        generation: 0,
        bornAt: "2026-11-22T13:00:00Z",
        state: "live",
        load: 0.02,
        rssBytes: 65_011_712,
        inFlight: 0,
      },
    ],
  });
});

test("a cell that was born in the future, by a clock that was set, is new", () => {
  const [, line] = renderPs(survey([cell("a", { bornAt: "2027-01-01T00:00:00Z" })]), clock, PLAIN_STYLE);
  assert.match(line ?? "", / 0s /);
});

const unicode: Style = { ...PLAIN_STYLE, unicode: true };
const orphans = [
  cell("e", { class: "drone", mother: "yyyyyyyyyy", generation: 3 }),
  cell("f", { class: "drone", mother: "zzzzzzzzzz", generation: 3 }),
];
const ghosts: CellRecord[] = [
  { id: "yyyyyyyyyy", class: "drone", pid: 1, startTicks: 1, mother: "bbbbbbbbbb", generation: 2, bornAt: "" },
];

test("the tree draws each cell under its mother, and dead mothers as ghosts", () => {
  assert.equal(
    renderTree(survey([...grown, ...orphans], { ghosts }), clock, unicode).join("\n"),
    `
neuron aaaaaaaaaa pid 4711 2m
├─ b-cell bbbbbbbbbb pid 4711 2m
│  └─ † drone yyyyyyyyyy
│     └─ drone eeeeeeeeee pid 4711 2m
└─ drone cccccccccc pid 4711 2m
   └─ stem dddddddddd pid 4711 2m suspected
† zzzzzzzzzz
└─ drone ffffffffff pid 4711 2m

6 cells; † marks the dead`.trimStart(),
  );
});

test("without Unicode the tree is drawn in ASCII", () => {
  const lines = renderTree(survey([...grown, ...orphans], { ghosts }), clock, PLAIN_STYLE).join("\n");
  assert.match(lines, /^\|- b-cell/m);
  assert.match(lines, /^\| {2}`- \+ drone yyyyyyyyyy$/m);
  // eslint-disable-next-line no-control-regex
  assert.match(lines, /^[\x00-\x7f]*$/);
});

test("mothers that claim to be their daughters' daughters are drawn side by side, and nobody is lost", () => {
  const circle = [
    cell("a", { mother: "bbbbbbbbbb", generation: 1 }),
    cell("b", { mother: "aaaaaaaaaa", generation: 1 }),
  ];
  const { roots } = treeJson(survey(circle));
  assert.deepEqual(
    roots.map(({ id }) => id),
    ["aaaaaaaaaa", "bbbbbbbbbb"],
  );
});

const status = (one: OrganismSurvey): string =>
  renderStatus(judgeStatus(one, file), { clock, file, style: PLAIN_STYLE }).join("\n");

test("status tells of a serving organism what it is, where it listens and who is there", () => {
  assert.equal(
    status(survey(grown)),
    `
shop k3f9a7p2qx
  state     serving - requests are answered
  address   http://127.0.0.1:8080/
            https://localhost:8443/  (on every address of this machine)
  alive     since 2026-11-22T12:00:00Z (1h 2m)
  cells     stem 1, neuron 1, b-cell 1, drone 1 (1 suspected, 1 without an answer)
  requests  3 in flight
  app       /srv/shop/server.js (ready)
  dna       /srv/shop/dna.ts
  revision  5f2c9e1ab034`.trimStart(),
  );
});

test("status tells of a failing app what it threw, where, how often it was tried and when it is tried again", () => {
  const cells = [...grown.slice(0, 2), cell("c", { class: "drone", app: failed })];
  const text = status(survey(cells, { app: failed }));
  assert.match(text, /state {5}failing - the app does not run, clients get 503/);
  assert.equal(
    text.slice(text.indexOf("  app "), text.indexOf("  dna ")),
    `
  app       /srv/shop/server.js (failed)
            CELLWS_E_APP_LOAD: no database
              at f0 (/srv/app.js:0:1)
              at f1 (/srv/app.js:1:1)
              at f2 (/srv/app.js:2:1)
              at f3 (/srv/app.js:3:1)
              at f4 (/srv/app.js:4:1)
              at f5 (/srv/app.js:5:1)
              ... 3 more lines in the log
            tried 3 times; next attempt in 4s
`
      .trimStart()
      .replace(/^/, "  ")
      .replace(/^ {4}/, "  "),
  );
});

test("status does not count milliseconds", () => {
  const soon: AppHealth = { ...failed, retryInMs: 17 };
  const text = status(survey([cell("c", { class: "drone", app: soon })], { app: soon }));
  assert.match(text, /tried 3 times; next attempt any moment/);
});

test("status says that a failed app waits for its files when no attempt is due", () => {
  const { retryInMs: _retryInMs, ...givenUp } = failed;
  const text = status(survey([cell("c", { class: "drone", app: givenUp })], { app: givenUp }));
  assert.match(text, /tried 3 times; next attempt when the app's files change/);
});

test("an organism serves when a request that came now would be answered", () => {
  const neuron = cell("n", { class: "neuron" });
  const bCell = cell("b", { class: "b-cell" });
  const drone = (app: AppHealth, more: Partial<SurveyedCell> = {}): SurveyedCell =>
    cell("d", { class: "drone", app, ...more });
  const ready: AppHealth = { state: "ready" };
  const loading: AppHealth = { state: "loading" };
  const draining = { state: "draining" } as const;
  const cases: Array<[StatusPhase, serving: boolean, cells: SurveyedCell[], app?: AppHealth]> = [
    ["dormant", true, [cell("e", { class: "egg" })]],
    ["serving", true, [neuron, bCell, drone(ready)]],
    ["serving", true, [neuron, bCell, drone(ready)], failed],
    ["impaired", true, [neuron, bCell, drone(ready), drone(failed)]],
    ["loading", false, [neuron, bCell, drone(loading)]],
    ["loading", false, [neuron, bCell], loading],
    ["failing", false, [neuron, bCell, drone(failed)], failed],
    ["failing", false, [neuron, bCell], failed],
    ["regrowing", false, [neuron, drone(ready)]],
    ["regrowing", false, [neuron, bCell]],
    ["regrowing", false, [neuron, bCell, drone(ready, draining)]],
    ["stopping", false, [cell("b", { class: "b-cell", ...draining }), drone(ready, draining)]],
    ["silent", false, [cell("b", { class: "b-cell", evidence: "record" })]],
    ["regrowing", false, [neuron, bCell, drone(ready, { evidence: "kin", app: null })]],
  ];
  for (const [phase, serving, cells, app] of cases) {
    const judged = judgeStatus(survey(cells, app === undefined ? {} : { app }), file);
    assert.deepEqual([judged.phase, judged.serving], [phase, serving]);
  }
});

test("status without organism.json says what the cells say", () => {
  const judged = judgeStatus(survey(grown), null);
  assert.deepEqual([judged.urls, judged.startedAt, judged.phase], [[], null, "serving"]);
  const text = renderStatus(judged, { clock, file: null, style: PLAIN_STYLE }).join("\n");
  assert.doesNotMatch(text, /null|undefined|address/);
});

test("status shows where administrators' programs ask, and what they would be told where not all is well", () => {
  const withAdmin: OrganismFile = { ...file, admin: { host: "127.0.0.1", port: 9464 } };
  const told = (cells: SurveyedCell[]): string =>
    renderStatus(judgeStatus(survey(cells), withAdmin), { clock, file: withAdmin, style: PLAIN_STYLE }).join("\n");
  const well = told(grown);
  assert.match(well, /^ {2}admin {5}http:\/\/127\.0\.0\.1:9464\/ /m);
  assert.doesNotMatch(well, /^ {2}ready/m, "the state says it already");
  const waiting = cell("b", { class: "b-cell", service: { drones: 0, refusal: null }, unserved: { ms: 1, msMax: 9 } });
  assert.match(told([waiting]), /^ {2}ready {5}yes: requests wait for a drone/m);
  const refusing = cell("b", { class: "b-cell", service: { drones: 0, refusal: "CELLWS_HTTP_APP_FAILED" } });
  assert.match(told([refusing]), /^ {2}ready {5}no: requests are refused: CELLWS_HTTP_APP_FAILED$/m);
});
