/** The admin listener: whether a request would be served, and what the organism has counted, whichever cell is alive to tell. */
import assert from "node:assert/strict";
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { parseExposition, valueOf } from "../support/exposition.ts";
import { type Address, type ClientRequest, type ClientResponse, request } from "./client.ts";
import { until } from "./wait.ts";
import { appFile, cellws, ofClass, type Organism, sharedOrganism, startOrganism } from "./organism.ts";

const options = {
  app: "slow.mjs",
  args: ["--admin-port", "0"],
  dna: {
    cells: { drone: { min: 1, max: 1 } },
    restarts: { backoffMsMin: 50, backoffMsMax: 500, countMax: 1000 },
  },
};

/** Classes leave one after the other, a look around each; on a loaded machine each takes its time. */
const asleepMsMax = 120_000;

describe("the admin listener", () => {
  const organism = sharedOrganism(options);

  test("answers for a dormant egg, and does not wake it", async () => {
    const ready = await ask(organism(), "/readyz");
    assert.deepEqual([ready.status, ready.text], [200, "ready: a dormant egg: the first request wakes it\n"]);
    assert.equal((await ask(organism(), "/healthz")).status, 200);
    const metrics = parseExposition((await askAsAdmin(organism(), "/metrics")).text);
    assert.equal(valueOf(metrics, "cellws_cells", `class="egg",state="live"`), 1);
    assert.equal(valueOf(metrics, "cellws_http_requests_total"), 0, "what has not happened yet is told as 0");
    assert.deepEqual(
      (await organism().ps()).map((cell) => cell.class),
      ["egg"],
    );
  });

  test("is told of where the organism is: at the start, in its file, by status", async () => {
    const url = `http://127.0.0.1:${adminOf(organism()).port}`;
    assert.ok(organism().output.includes(url), organism().output);
    assert.ok((await organism().status()).stdout.includes(url));
  });

  test("wants its token, which only the organism's user can read, for what is not everybody's business", async () => {
    const file = join(organism().runDir, "admin-token");
    assert.equal(statSync(file).mode & 0o777, 0o600);
    for (const path of ["/metrics", "/status"]) {
      assert.equal((await ask(organism(), path)).status, 401);
      const wrong = await ask(organism(), path, { headers: { authorization: `Bearer ${"x".repeat(43)}` } });
      assert.equal(wrong.status, 401);
      assert.match(wrong.headers["www-authenticate"] ?? "", /^Bearer /);
      assert.equal((await askAsAdmin(organism(), path)).status, 200);
    }
    writeFileSync(file, "another-token\n");
    const authorization = "bearer another-token";
    assert.equal(
      (await ask(organism(), "/status", { headers: { authorization } })).status,
      200,
      "a new one holds at once",
    );
  });

  test("takes a Host that names this machine, and no other", async () => {
    for (const host of ["localhost", "127.0.0.1:9", "[::1]:80", "LOCALHOST:1234"])
      assert.equal((await ask(organism(), "/healthz", { headers: { host } })).status, 200, host);
    for (const host of ["cellws.example", "127.0.0.1.example", "localhost.example:80", "127.0.0.1@example"])
      assert.equal((await ask(organism(), "/healthz", { headers: { host } })).status, 403, host);
  });

  test("takes GET and HEAD alone, and short heads", async () => {
    const post = await ask(organism(), "/healthz", { method: "POST", body: "x" });
    assert.deepEqual([post.status, post.headers.allow], [405, "GET, HEAD"]);
    const head = await ask(organism(), "/readyz", { method: "HEAD" });
    assert.deepEqual([head.status, head.text], [200, ""]);
    assert.equal((await ask(organism(), "/nothing")).status, 404);
    const long = await ask(organism(), "/healthz", { headers: { "x-long": "x".repeat(10_000) } });
    assert.equal(long.status, 431);
  });

  test("tells after germination what was asked and answered", async () => {
    for (let turn = 0; turn < 5; turn += 1) assert.equal((await organism().request({ path: "/pid" })).status, 200);
    await organism().grown({ stem: 2 });
    // A B cell that has no time to answer is told of as it was some seconds ago.
    const metrics = await organism().until("all five to be told of", async () => {
      const told = parseExposition((await askAsAdmin(organism(), "/metrics")).text);
      return valueOf(told, "cellws_http_duration_seconds", "_count") === 5 ? told : null;
    });
    assert.equal(valueOf(metrics, "cellws_http_requests_total"), 5);
    assert.equal(valueOf(metrics, "cellws_http_responses_total", `status="2xx"`), 5);
    assert.equal(valueOf(metrics, "cellws_http_time_to_head_seconds", "_count"), 5);
    assert.equal(valueOf(metrics, "cellws_cold_start_seconds", "_count"), 1, "one egg was woken");
    assert.ok(valueOf(metrics, "cellws_births_total") >= 5, "an egg, a B cell, a drone, two stem cells");
    assert.ok(valueOf(metrics, "cellws_app_starts_total", `outcome="ready"`) >= 1);
    assert.ok(valueOf(metrics, "cellws_http_sent_bytes_total") > 0);
    assert.ok(valueOf(metrics, "cellws_cpu_seconds_total") > 0);
  });

  test("speaks OpenMetrics with those who ask for it", async () => {
    const accept = "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.3";
    const answer = await askAsAdmin(organism(), "/metrics", { accept });
    assert.match(answer.headers["content-type"] ?? "", /^application\/openmetrics-text; version=1\.0\.0/);
    const families = parseExposition(answer.text, "openmetrics");
    assert.equal(valueOf(families, "cellws_http_requests"), 5);
  });

  test("gives as JSON what status and ps give", async () => {
    const ids = (cells: readonly { id: string }[]): string => JSON.stringify(cells.map(({ id }) => id).toSorted());
    await organism().until("both to tell of the same cells, and the same of the organism", async () => {
      const told = JSON.parse((await askAsAdmin(organism(), "/status")).text) as { cells: { id: string }[] };
      const status = JSON.parse((await organism().status("--json")).stdout) as Record<string, unknown>;
      assert.deepEqual(Object.keys(told).toSorted(), [...Object.keys(status), "cells"].toSorted());
      return ids(told.cells) === ids(await organism().ps());
    });
  });

  test("goes on without the neuron, the B cell and the drone, and no count ever falls", async () => {
    let before = await counts(organism());
    for (const cellClass of ["neuron", "b-cell", "drone"] as const) {
      const [victim] = ofClass(
        await organism().cellsUntil(`a ${cellClass}`, (now) => ofClass(now, cellClass).length > 0),
        cellClass,
      );
      assert.ok(victim !== undefined);
      organism().kill(victim);
      // Nobody has noticed yet: whoever accepts must answer all the same.
      assert.equal((await ask(organism(), "/healthz")).status, 200);
      await becomesReady(organism());
      assert.equal((await organism().request({ path: "/pid" })).status, 200);
      await organism().until(`the death of the ${cellClass} to be counted`, async () => {
        before = await counts(organism(), before);
        return before.get(`cellws_deaths_total class="${cellClass}",cause="crashed"`) !== undefined;
      });
    }
  });
});

test("with nobody else left a B cell opens the door", async (t) => {
  const dna = { ...options.dna, cells: { ...options.dna.cells, stem: { pool: 1 } } };
  const organism = await startOrganism(t, { ...options, dna });
  assert.equal((await organism.request({ path: "/pid" })).status, 200);
  // A new neuron comes about by way of an egg that the B cell bears: until then nobody else is there to answer.
  await organism.until("the B cell to answer", async () => {
    const cells = await organism.cellsUntil("a neuron", (now) => ofClass(now, "neuron").length > 0);
    for (const cell of cells) if (cell.class !== "b-cell" && cell.class !== "drone") organism.kill(cell);
    const { status, text } = await ask(organism, "/healthz");
    assert.equal(status, 200);
    return ofClass(cells, "b-cell").some(({ id }) => text.includes(id));
  });
  await becomesReady(organism);
  assert.equal((await askAsAdmin(organism, "/metrics")).status, 200);
});

test("a lone drone, which holds no socket, grows an organism that is asked at the same place", async (t) => {
  const organism = await startOrganism(t, options);
  assert.equal((await organism.request({ path: "/pid" })).status, 200);
  const cells = await organism.grown({ stem: 2 });
  for (const cell of cells) if (cell.class !== "drone") organism.kill(cell);
  await becomesReady(organism);
  assert.equal((await organism.request({ path: "/pid" })).status, 200);
  const metrics = parseExposition((await askAsAdmin(organism, "/metrics")).text);
  assert.ok(valueOf(metrics, "cellws_http_requests_total") >= 1, "what the dead had told is not forgotten");
});

test("an organism that falls asleep is ready all the while, is not kept awake by being asked, and forgets no count", async (t) => {
  const dna = { ...options.dna, dormancy: { idleMs: 500 } };
  const organism = await startOrganism(t, { ...options, dna });
  assert.equal((await organism.request({ path: "/pid" })).status, 200);
  let told = await counts(organism);
  const isAsleep = async (): Promise<boolean> => {
    const { status, text } = await ask(organism, "/readyz");
    // On a machine with much to do cells may not answer in time; whoever is asked says so.
    assert.ok(status === 200 || /answers$/m.test(text), text);
    told = await counts(organism, told);
    return organism.cellPids().length === 1;
  };
  await until("one egg, and no other process", isAsleep, { msMax: asleepMsMax });
  assert.equal(told.get("cellws_http_requests_total "), 1);
  await organism.until("the deaths of those who left in order to be counted", async () => {
    told = await counts(organism, told);
    return (told.get(`cellws_deaths_total class="drone",cause="stopped"`) ?? 0) >= 1;
  });
  assert.equal((await organism.request({ path: "/pid" })).status, 200);
  await organism.until("the second cold start to be counted", async () => {
    told = await counts(organism, told);
    return told.get("cellws_cold_start_seconds _count") === 2;
  });
});

test("while the only drone's app fails it is not ready, and says why without saying too much", async (t) => {
  const organism = await startOrganism(t, { ...options, app: "throws-at-load.mjs" });
  assert.equal((await ask(organism, "/readyz")).status, 200, "nobody knows yet");
  assert.equal((await organism.request()).status, 503);
  await organism.until("readiness to say so", async () => {
    const { status, text } = await ask(organism, "/readyz");
    assert.doesNotMatch(text, /db\.invalid|throws-at-load/);
    return status === 503 && text === "not ready: requests are refused: CELLWS_HTTP_APP_FAILED\n";
  });
  assert.equal((await ask(organism, "/healthz")).status, 200, "it lives: a restart would mend nothing");
  await organism.until("the metrics to say so", async () => {
    const metrics = parseExposition((await askAsAdmin(organism, "/metrics")).text);
    assert.equal(valueOf(metrics, "cellws_ready"), 0);
    const starts = valueOf(metrics, "cellws_app_starts_total", `outcome="failed"`);
    return starts >= 1 && valueOf(metrics, "cellws_http_refused_total", `code="CELLWS_HTTP_APP_FAILED"`) >= 1;
  });
});

test("a port that is taken is told with the flag that chooses another, and nothing is left", async (t) => {
  const first = await startOrganism(t, options);
  const port = String(adminOf(first).port);
  const args = ["start", appFile("slow.mjs"), "--name", "second", "--port", "0", "--admin-port", port];
  const { code, stderr } = await cellws(args, { env: first.env, cwd: first.workDir });
  assert.equal(code, 1, stderr);
  assert.match(stderr, /CELLWS_E_PORT_IN_USE/);
  assert.match(stderr, new RegExp(`port ${port} .*127\\.0\\.0\\.1[^]*--admin-port`));
  assert.equal((await ask(first, "/healthz")).status, 200);
});

test("without the flag there is no admin listener, no token and no file of counts", async (t) => {
  const organism = await startOrganism(t, { app: "slow.mjs" });
  assert.equal(organism.file.admin, null);
  assert.equal((await organism.request({ path: "/pid" })).status, 200);
  const { stdout } = await organism.status("--json");
  assert.equal((JSON.parse(stdout) as { adminUrl: unknown }).adminUrl, null);
  assert.throws(() => statSync(join(organism.runDir, "admin-token")), /ENOENT/);
});

async function becomesReady(organism: Organism): Promise<void> {
  await organism.until("readiness", async () => (await ask(organism, "/readyz")).status === 200);
}

function adminOf(organism: Organism): Address {
  assert.ok(organism.file.admin !== null, "it has an admin listener");
  return organism.file.admin;
}

function ask(organism: Organism, path: string, wanted: ClientRequest = {}): Promise<ClientResponse> {
  return request(adminOf(organism), { path, ...wanted });
}

function askAsAdmin(organism: Organism, path: string, headers: ClientRequest["headers"] = {}): Promise<ClientResponse> {
  const token = readFileSync(join(organism.runDir, "admin-token"), "utf8").trim();
  return ask(organism, path, { headers: { ...headers, authorization: `Bearer ${token}` } });
}

/** Every series of every counter and histogram, none of which may have fallen since `before`. */
async function counts(organism: Organism, before?: ReadonlyMap<string, number>): Promise<Map<string, number>> {
  const families = parseExposition((await askAsAdmin(organism, "/metrics")).text);
  const lasting = [...families].filter(([, { type }]) => type !== "gauge");
  const now = new Map<string, number>(
    lasting.flatMap(([name, { samples }]) => [...samples].map(([key, n]) => [`${name} ${key}`, n] as const)),
  );
  for (const [series, count] of before ?? []) assert.ok((now.get(series) ?? -1) >= count, `${series} fell`);
  return now;
}
