/** From one dormant egg to an organism that answers: what is there before the first request, and what after it. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { accepts } from "./plain.ts";
import { RawConnection, request } from "./client.ts";
import { appFile, cellws, ofClass, type PsCell, sharedOrganism, startOrganism, summarize } from "./organism.ts";

/** The DNA's default. */
const stemPool = 2;

describe("germination", () => {
  const organism = sharedOrganism({ app: "http-esm.mjs", name: "garden" });
  let egg: PsCell;

  test("says where it listens, and writes it into the run directory", async () => {
    await organism().until("the address to be printed", () => organism().output.includes(organism().url));
    assert.equal(organism().file.name, "garden");
    assert.deepEqual(organism().file.listen, [{ ...organism().at(), tls: false }]);
    assert.ok(organism().at().port > 0, "a real port in place of 0");
  });

  test("before the first request there is one cell, an egg, and no app is loaded", async () => {
    const cells = await organism().ps();
    assert.deepEqual(
      cells.map((cell) => ({ class: cell.class, mother: cell.mother, generation: cell.generation, state: cell.state })),
      [{ class: "egg", mother: null, generation: 0, state: "live" }],
    );
    [egg] = cells as [PsCell];
    assert.deepEqual(organism().cellPids(), [egg.pid], "the egg, the launcher, and no other process");
    assert.match(await organism().tree(), /egg/);
  });

  test("a second organism is refused the port, and the egg sleeps on", async () => {
    const port = String(organism().at().port);
    const args = ["start", appFile("http-esm.mjs"), "--name", "weed", "--port", port];
    const { code, stderr } = await cellws(args, { env: organism().env, cwd: organism().workDir });
    assert.match(stderr, /CELLWS_E_PORT_IN_USE/);
    assert.match(stderr, new RegExp(port), "the port is named");
    assert.equal(code, 1);
    assert.deepEqual((await organism().ps()).map(identity), [identity(egg)]);
  });

  test("a second organism is refused the name, and the egg sleeps on", async () => {
    const args = ["start", appFile("http-esm.mjs"), "--name", "garden", "--port", "0"];
    const { code, stderr } = await cellws(args, { env: organism().env, cwd: organism().workDir });
    assert.match(stderr, /CELLWS_E_NAME_TAKEN/);
    assert.match(stderr, /garden/);
    assert.equal(code, 1);
    assert.deepEqual((await organism().ps()).map(identity), [identity(egg)]);
  });

  test("several first requests at the same time all get their answers", async () => {
    const answers = await Promise.all(Array.from({ length: 20 }, () => organism().request({ path: "/hello" })));
    assert.deepEqual(
      answers.map(({ status, text }) => `${status} ${text}`),
      Array.from({ length: 20 }, () => "200 hello"),
    );
  });

  test("then the egg has become a neuron, with a B cell, a drone, and stem cells to the pool", async () => {
    const cells = await organism().grown({ stem: stemPool });
    const neurons = ofClass(cells, "neuron");
    assert.deepEqual(neurons.map(identity), [identity({ ...egg, class: "neuron" })], "the same process, the same cell");
    assert.deepEqual(
      ["egg", "b-cell", "drone", "stem"].map((cellClass) => [
        cellClass,
        ofClass(cells, cellClass as PsCell["class"]).length,
      ]),
      [
        ["egg", 0],
        ["b-cell", 1],
        ["drone", 1],
        ["stem", stemPool],
      ],
      summarize(cells),
    );
    for (const daughter of [...ofClass(cells, "b-cell"), ...ofClass(cells, "drone")]) {
      assert.equal(daughter.mother, egg.id, `the first two daughters are the egg's own: ${daughter.class}`);
      assert.equal(daughter.generation, 1);
    }
    for (const cell of cells) {
      assert.ok(
        cell.generation === 0 || cells.some(({ id }) => id === cell.mother),
        `${cell.id} knows its living mother`,
      );
      assert.ok(!Number.isNaN(Date.parse(cell.bornAt)));
    }
    // A newborn is listed before it first tells how it is.
    await organism().cellsUntil("each cell to tell its vitals", (all) =>
      all.every(({ rssBytes, load, inFlight }) => (rssBytes ?? 0) > 0 && (load ?? -1) >= 0 && inFlight === 0),
    );
  });

  test("each cell is a process, and there is no other", () => organism().accountedFor());

  test("the tree draws the family: each cell once, daughters under their mother", async () => {
    const cells = await organism().ps();
    const lines = (await organism().tree()).split("\n");
    const indents = new Map(
      cells.map((cell) => {
        const own = lines.filter((line) => line.includes(cell.id));
        assert.equal(own.length, 1, `${cell.class} ${cell.id} stands once in:\n${lines.join("\n")}`);
        assert.ok(own[0]?.includes(cell.class), `with its class: ${own[0]}`);
        return [cell.id, own[0]?.search(/[a-z0-9]/) ?? -1] as const;
      }),
    );
    for (const { id, mother } of cells) {
      if (mother === null) continue;
      assert.ok((indents.get(id) ?? 0) > (indents.get(mother) ?? 0), "a daughter stands further in");
    }
  });

  test("the organism is not healthy by accident: status says so and exits 0", async () => {
    const { code, stdout } = await organism().status();
    assert.equal(code, 0, stdout);
  });
});

test("the first connection is handed on unread: bytes that trickle in afterwards are answered", async (t) => {
  const organism = await startOrganism(t, { app: "http-esm.mjs" });
  const connection = await RawConnection.open(organism.at());
  t.after(() => connection.close());
  await organism.grown();
  for (const byte of "GET /hello HTTP/1.1\r\nHost: app\r\nConnection: close\r\n\r\n") {
    connection.write(byte);
    await sleep(3);
  }
  assert.equal(await connection.ended(), "end");
  assert.match(connection.received, /^HTTP\/1\.1 200 .*hello$/s);
});

test("bytes that trickle in while the organism grows are answered", async (t) => {
  const organism = await startOrganism(t, { app: "streams.mjs" });
  const connection = await RawConnection.open(organism.at());
  t.after(() => connection.close());
  const body = "abcdefghijklmnopqrstuvwxyz";
  const head = `POST /upload HTTP/1.1\r\nHost: app\r\nConnection: close\r\nContent-Length: ${body.length}\r\n\r\n`;
  const sending = (async () => {
    for (const byte of head + body) {
      connection.write(byte);
      await sleep(10);
    }
  })();
  assert.equal(await connection.ended(), "end");
  await sending;
  assert.match(connection.received, /^HTTP\/1\.1 200 .*"bytes":26,/s);
});

test("a first client that leaves at once does not keep the next one from its answer", async (t) => {
  const organism = await startOrganism(t, { app: "http-esm.mjs" });
  const connection = await RawConnection.open(organism.at());
  connection.socket.resetAndDestroy();
  assert.equal((await organism.request({ path: "/hello" })).text, "hello");
  assert.ok(await accepts(organism.at()));
});

test("a first request by another client than the one that woke the egg is answered first", async (t) => {
  const organism = await startOrganism(t, { app: "http-esm.mjs" });
  const silent = await RawConnection.open(organism.at());
  t.after(() => silent.close());
  assert.equal((await request(organism.at(), { path: "/hello" })).text, "hello");
  silent.write("GET /hello HTTP/1.1\r\nHost: app\r\n\r\n");
  await silent.until("the answer of the patient client", (received) => received.endsWith("hello"));
});

const identity = ({ id, class: cellClass, pid }: PsCell) => ({ id, class: cellClass, pid });
