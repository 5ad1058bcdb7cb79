/** A cell that does not answer is found out by the others, voted out, ended and replaced; one that only computes is not. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { CellClass } from "../../src/core/cell.ts";
import { ofClass, sharedOrganism, watchLife } from "./organism.ts";
import { until } from "./wait.ts";

/** Newborns vote after five seconds (maturityMs), and until then three others must be there who may. */
const matureMs = 6_000;

describe("a cell that is stopped", () => {
  const organism = sharedOrganism({ app: "slow.mjs", dna: { cells: { drone: { min: 2 } } } });

  for (const cellClass of ["drone", "b-cell", "stem", "neuron"] satisfies CellClass[]) {
    test(`${cellClass}: voted out by a majority, ended, replaced, while requests are answered`, async () => {
      await organism().request({ path: "/pid" });
      await organism().grown({ drone: 2, stem: 2 });
      await new Promise((resolve) => setTimeout(resolve, matureMs));
      const [victim] = ofClass(await organism().ps(), cellClass);
      assert.ok(victim !== undefined);
      const lives = watchLife(victim);

      organism().kill(victim, "SIGSTOP");
      await until("the stopped cell to be ended", () => !lives(), { msMax: 40_000 });
      const condemned = new RegExp(`"condemned":"${victim.id}","reason":"hung","votes":\\d`);
      assert.match(organism().logs(), condemned);
      await organism().grown({ neuron: 1, "b-cell": 1, drone: 2, stem: 2 });
      assert.equal((await organism().request({ path: "/pid" })).status, 200);
    });
  }

  test("nobody else was voted out", () => {
    const condemned = new Set(
      organism()
        .logs()
        .match(/"condemned":"\w+"/g),
    );
    assert.equal(condemned.size, 4);
  });
});

describe("an app that blocks its loop", () => {
  const organism = sharedOrganism({ app: "blocks.mjs", dna: { vote: { hangMs: 60_000 } } });

  test("for seconds is waited for, and nobody is accused", async () => {
    await organism().request({ path: "/" });
    await new Promise((resolve) => setTimeout(resolve, matureMs));
    const answer = await organism().request({ path: "/block?ms=8000" });
    assert.deepEqual([answer.status, answer.text], [200, "blocked 8000"]);
    assert.doesNotMatch(organism().logs(), /"event":"condemned"/);
  });
});
