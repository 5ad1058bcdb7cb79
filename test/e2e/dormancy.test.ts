/** An organism that nobody asks anything goes back to being an egg, and whoever knocks at any moment of that is answered. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { WebSocket } from "ws";
import { sharedOrganism } from "./organism.ts";
import type { PsCell } from "./organism.ts";
import { until } from "./wait.ts";

const idleMs = 500;
/** Newborns settle, and classes leave one after the other, a look around each; on a loaded machine each takes its time. */
const asleepMsMax = 60_000;

describe("dormancy", () => {
  const organism = sharedOrganism({ app: "http-esm.mjs", dna: { dormancy: { idleMs } } });

  const asleep = (): Promise<PsCell> =>
    until(
      "one egg, and no other process",
      async () => {
        const cells = await organism().ps();
        const [egg] = cells;
        const isAlone = cells.length === 1 && egg?.class === "egg" && organism().cellPids().length === 1;
        return isAlone ? egg : null;
      },
      { msMax: asleepMsMax },
    );

  test("after the idle time there is one egg again, and no other process", async () => {
    assert.equal((await organism().request({ path: "/hello" })).text, "hello");
    const egg = await asleep();
    assert.equal(egg.state, "live");
    assert.deepEqual(organism().cellPids(), [egg.pid]);
    assert.doesNotMatch(organism().logs(), /"event":"(condemned|executed|cell-crashed)"/, "nobody was ended by others");
  });

  test("the next who knocks is answered, by an organism that is whole again", async () => {
    const egg = await asleep();
    const answers = await Promise.all(Array.from({ length: 10 }, () => organism().request({ path: "/hello" })));
    assert.deepEqual(new Set(answers.map(({ status, text }) => `${status} ${text}`)), new Set(["200 hello"]));
    const held = setInterval(
      () =>
        void organism()
          .request({ path: "/hello" })
          .catch(() => undefined),
      idleMs / 4,
    );
    try {
      const cells = await organism().grown({ neuron: 1, "b-cell": 1, drone: 1, stem: 2 });
      assert.equal(cells.find(({ pid }) => pid === egg.pid)?.class, "neuron", "the egg has become a neuron");
    } finally {
      clearInterval(held);
    }
  });

  test("whoever knocks while it falls asleep is neither refused nor lost", async () => {
    await asleep();
    await organism().request({ path: "/hello" });
    // From before the egg is laid until after it is alone, at moments that no phase of it can avoid.
    let count = 0;
    for (let waitMs = idleMs; waitMs < idleMs + 4_000; waitMs += 330) {
      await sleep(waitMs);
      const { status, text } = await organism().request({ path: "/hello" });
      assert.deepEqual([status, text], [200, "hello"], `${waitMs} ms after the last request`);
      count += 1;
    }
    assert.ok(count > 10);
    await asleep();
  });

  test("all the cells of an organism that sleeps can be told to end", async () => {
    await asleep();
    assert.match(await organism().tree(), /egg/);
  });
});

describe("an organism with an open WebSocket", () => {
  const organism = sharedOrganism({ app: "ws-echo.mjs", dna: { dormancy: { idleMs } } });

  test("stays awake while nothing is said, and sleeps once it is closed", async () => {
    const { host, port } = organism().at();
    const socket = new WebSocket(`ws://${host}:${port}/echo`);
    await new Promise((resolve, reject) => socket.once("open", resolve).once("error", reject));
    await organism().grown({ neuron: 1, "b-cell": 1, drone: 1, stem: 2 });
    await sleep(6 * idleMs + 3_000);
    assert.equal(socket.readyState, WebSocket.OPEN);
    assert.ok((await organism().ps()).every(({ class: cellClass }) => cellClass !== "egg"));
    socket.close();
    await until("one egg", async () => (await organism().ps()).every(({ class: c }) => c === "egg"), {
      msMax: asleepMsMax,
    });
  });
});
