/**
 * The end: what has begun is finished, within the DNA's bound, and then nothing is left. The harness asserts the
 * latter at the end of every organism of every test; here it is how and when.
 */
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { WebSocket } from "ws";
import { type ClientResponse, open, RawConnection, readAll } from "./client.ts";
import { accepts } from "./plain.ts";
import { Organism, startOrganism, watchLife } from "./organism.ts";
import { within } from "./wait.ts";

/** So long that nothing in these tests can end because of it. */
const patient = { drain: { msMax: 3_600_000 } };
const twoDrones = { cells: { drone: { min: 2 } } };

describe("requests in flight are finished", () => {
  const ways: Array<{ title: string; end: (organism: Organism) => Promise<void> }> = [
    {
      title: "cellws stop",
      end: async (organism) => {
        const { code, stderr } = await organism.stop();
        assert.equal(code, 0, stderr);
        assert.deepEqual(organism.cellPids(), [], "stop returns when no cell is left");
      },
    },
    { title: "SIGTERM to the launcher", end: (organism) => signalLauncher(organism, "SIGTERM") },
    { title: "SIGINT to the launcher", end: (organism) => signalLauncher(organism, "SIGINT") },
  ];

  for (const { title, end } of ways) {
    test(`at ${title}, and then every process, socket and file is gone`, async (t) => {
      const organism = await startOrganism(t, { app: "slow.mjs", dna: { ...patient, ...twoDrones } });
      await organism.request({ path: "/pid" });
      await organism.grown({ drone: 2 });
      const answers = await inFlight(organism, 20);
      await end(organism);
      for (const { status, text } of await Promise.all(answers)) assert.deepEqual([status, text], [200, "slept 800"]);
      await organism.gone();
      assert.equal(await accepts(organism.at()), false, "nobody listens any more");
      assert.ok(!existsSync(organism.runDir), "no run directory");
      assert.deepEqual(await organism.launcherExit(), { code: 0, signal: null });
    });
  }
});

test("idle connections do not put off the end, however patient the organism is", async (t) => {
  const organism = await startOrganism(t, { app: "http-esm.mjs", dna: patient });
  const idle = await RawConnection.open(organism.at());
  t.after(() => idle.close());
  idle.write("GET /hello HTTP/1.1\r\nHost: app\r\n\r\n");
  await idle.until("an answer", (received) => received.endsWith("hello"));
  const unused = await RawConnection.open(organism.at());
  t.after(() => unused.close());
  assert.equal((await organism.stop()).code, 0);
  assert.equal(await idle.ended(), "end", "closed, not reset");
  assert.notEqual(await unused.ended(), null);
});

test("a dormant egg ends at once", async (t) => {
  const organism = await startOrganism(t, { app: "http-esm.mjs", dna: patient });
  assert.equal((await organism.stop()).code, 0);
  await organism.gone();
});

test("what does not end by itself is cut off after the DNA's drain time", async (t) => {
  const organism = await startOrganism(t, { app: "slow.mjs", dna: { drain: { msMax: 300 } } });
  const endless = await open(organism.at(), { path: "/endless" });
  const silent = organism.request({ path: "/silent" });
  const cut = assert.rejects(readAll(endless), "an answer that is cut off does not look complete");
  const refused = silent.then(
    ({ status }) => assert.ok(status >= 500),
    () => undefined,
  );
  assert.equal((await organism.stop()).code, 0);
  await within("the endless answer to be cut off", cut);
  await within("the silent one to end", refused);
});

test("a WebSocket is closed after the DNA's drain time", async (t) => {
  const organism = await startOrganism(t, { app: "ws-echo.mjs", dna: { drain: { msMax: 300 } } });
  const { host, port } = organism.at();
  const socket = new WebSocket(`ws://${host}:${port}/echo`);
  t.after(() => socket.terminate());
  await within("a greeting", new Promise((resolve, reject) => socket.once("message", resolve).once("error", reject)));
  const closed = new Promise((resolve) => socket.once("close", resolve).on("error", () => {}));
  assert.equal((await organism.stop()).code, 0);
  await within("the WebSocket's end", closed);
});

test("without its launcher the organism serves on, and can be stopped", async (t) => {
  const organism = await startOrganism(t, { app: "slow.mjs", dna: patient });
  await organism.request({ path: "/pid" });
  const before = await organism.grown({ stem: 1 });
  const lives = before.map(watchLife);
  const answer = organism.request({ path: "/slow?ms=500" });

  organism.launcher.kill("SIGKILL");
  await organism.launcherExit();

  assert.equal((await answer).text, "slept 500");
  for (let turn = 0; turn < 5; turn += 1) assert.equal((await organism.request({ path: "/pid" })).status, 200);
  assert.ok(
    lives.every((alive) => alive()),
    "no cell died with it",
  );
  assert.equal((await organism.stop()).code, 0);
  assert.deepEqual(organism.cellPids(), []);
  assert.ok(!existsSync(organism.runDir));
});

test("an egg whose launcher was killed still wakes", async (t) => {
  const organism = await startOrganism(t, { app: "slow.mjs" });
  organism.launcher.kill("SIGKILL");
  await organism.launcherExit();
  assert.equal((await organism.request({ path: "/pid" })).status, 200);
});

describe("when the launcher is killed while it starts an organism, either that lives or nothing does", () => {
  const hasLog = ({ runDir }: Organism) => existsSync(join(runDir, "log", "cellws.log"));
  /** What can be seen of the start from outside, in the order of its coming. */
  const stages: Array<{ title: string; isReached: (organism: Organism) => boolean }> = [
    { title: "the name is taken", isReached: ({ runDir }) => existsSync(join(runDir, "launcher.json")) },
    { title: "the log is there for the egg", isReached: hasLog },
    {
      title: "the egg's process is there",
      isReached: (organism) => hasLog(organism) && organism.cellPids().length > 0,
    },
    { title: "the egg has its door", isReached: ({ runDir }) => readdirSync(join(runDir, "cells")).length > 0 },
    { title: "the organism is announced", isReached: (organism) => organism.isAnnounced() },
  ];

  for (const { title, isReached } of stages) {
    test(`once ${title}`, async (t) => {
      const organism = new Organism({ app: "slow.mjs" });
      t.after(() => organism.end());
      organism.launch();
      await organism.until(title, () => isReached(organism));
      organism.launcher.kill("SIGKILL");
      await organism.launcherExit();
      await organism.until("it to be announced or over", () => {
        return organism.isAnnounced() || organism.processes().length === 0;
      });
      if (organism.isAnnounced()) {
        await organism.listening();
        assert.equal((await organism.request({ path: "/pid" })).status, 200);
      }
      const { code, stdout, stderr } = await organism.stop();
      assert.equal(code, 0, `${stdout}${stderr}`);
    });
  }
});

test("the name and the port of an organism that has ended can be taken again", async (t) => {
  const first = await startOrganism(t, { app: "http-esm.mjs" });
  const { port } = first.at();
  await first.request({ path: "/hello" });
  await first.stop();
  const second = first.again({ args: ["--port", String(port)], listenInDna: true });
  t.after(() => second.end());
  await second.start();
  assert.equal((await second.request({ path: "/hello" })).text, "hello");
  assert.equal(second.at().port, port);
});

async function signalLauncher(organism: Organism, signal: NodeJS.Signals): Promise<void> {
  organism.launcher.kill(signal);
  await organism.launcherExit();
}

/** So many requests that the app is working on now: each has noted itself in a file. */
async function inFlight(organism: Organism, count: number): Promise<Array<Promise<ClientResponse>>> {
  const log = organism.scratch("in-flight.log");
  const path = `/slow?ms=800&log=${encodeURIComponent(log)}`;
  const answers = Array.from({ length: count }, () => organism.request({ path }));
  // Until they are awaited, a failure of one must not count as unhandled.
  for (const answer of answers) answer.catch(() => undefined);
  await organism.until(`${count} requests in the app`, () => {
    return existsSync(log) && readFileSync(log, "utf8").split("\n").length - 1 >= count;
  });
  return answers;
}
