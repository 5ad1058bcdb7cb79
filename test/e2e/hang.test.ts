/**
 * The ways in which an app hangs: whoever makes no progress is voted out and replaced while the others answer; one whose event
 * loop is well is not killed for what its app does, but gets no more requests than it must.
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { describe, test } from "node:test";
import { ofClass, type Organism, sharedOrganism, startOrganism, watchLife } from "./organism.ts";
import { until } from "./wait.ts";

/** Newborns vote after five seconds (maturityMs), and until then three others must be there who may. */
const matureMs = 6_000;

interface Way {
  readonly title: string;
  readonly path: (organism: Organism) => string;
  /** For those who make no progress it is far too long: they are found out without it. */
  readonly hangMs: number;
}

const ways: readonly Way[] = [
  {
    title: "in a read that the disk does not answer",
    path: (organism) => {
      const pipe = organism.scratch("pipe");
      assert.equal(spawnSync("mkfifo", [pipe]).status, 0);
      return `/read?path=${encodeURIComponent(pipe)}`;
    },
    hangMs: 600_000,
  },
  { title: "in a lock that nobody opens", path: () => "/wait", hangMs: 600_000 },
  { title: "in a loop without an end", path: () => "/loop", hangMs: 2_000 },
];

for (const { title, path, hangMs } of ways) {
  test(`an app that hangs ${title}: its drone is voted out, ended and replaced, while the others answer`, async (t) => {
    const organism = await startOrganism(t, {
      app: "hangs.mjs",
      dna: { cells: { drone: { min: 2 } }, vote: { hangMs } },
    });
    await organism.request({ path: "/pid" });
    await organism.grown({ drone: 2, stem: 2 });
    await new Promise((resolve) => setTimeout(resolve, matureMs));
    const drones = ofClass(await organism.ps(), "drone");
    const lives = new Map(drones.map((drone) => [drone.id, watchLife(drone)]));

    // A POST, so that it is not given to the next drone when the first is dead.
    const hanging = organism.request({ method: "POST", path: path(organism) }).then(
      ({ status }) => status,
      () => 0,
    );
    const victim = await organism.until("a drone to be voted out for hanging", async () => {
      assert.equal((await organism.request({ path: "/pid" })).status, 200);
      return drones.find(({ id }) =>
        new RegExp(`"condemned":"${id}","reason":"hung","votes":\\d`).test(organism.logs()),
      );
    });
    await until("its process to be ended", () => lives.get(victim.id)?.() === false);
    assert.equal(await hanging, 502);
    await organism.grown({ neuron: 1, "b-cell": 1, drone: 2, stem: 2 });
    for (let i = 0; i < 10; i += 1) assert.equal((await organism.request({ path: "/pid" })).status, 200);
    assert.equal(new Set(organism.logs().match(/"condemned":"\w+"/g)).size, 1, "nobody else was voted out");
  });
}

describe("an app that answers nothing more, while its event loop is well", () => {
  const organism = sharedOrganism({
    app: "hangs.mjs",
    dna: { cells: { drone: { min: 2, max: 2 }, bCell: { max: 1 } }, http: { timeouts: { answerMs: 300 } } },
  });

  test("is set aside for the one that does, and killed by nobody", async () => {
    await organism().request({ path: "/pid" });
    const drones = ofClass(await organism().grown({ drone: 2, stem: 2 }), "drone");
    await new Promise((resolve) => setTimeout(resolve, matureMs));
    const { text: deadlocked } = await organism().request({ path: "/deadlock" });
    assert.ok(drones.some(({ pid }) => String(pid) === deadlocked));

    let failed = 0;
    await until(
      "it to be set aside",
      async () => {
        const answers = await Promise.all(Array.from({ length: 8 }, () => organism().request({ path: "/pid" })));
        assert.ok(answers.every(({ status, text }) => status === 504 || (status === 200 && text !== deadlocked)));
        failed += answers.filter(({ status }) => status === 504).length;
        return organism().logs().includes('"event":"drone-failing"');
      },
      { explain: () => organism().dump() },
    );
    assert.ok(failed > 0, "it had been given some");
    for (let i = 0; i < 20; i += 1) assert.equal((await organism().request({ path: "/pid" })).status, 200);
    assert.doesNotMatch(organism().logs(), /"event":"condemned"/);
    assert.ok(watchLife({ pid: Number(deadlocked) })());
  });
});
