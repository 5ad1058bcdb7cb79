/** Any one cell is killed: the organism serves on, keeps its family, and grows another. */
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { describe, test } from "node:test";
import type { CellClass } from "../../src/core/cell.ts";
import { open, readAll } from "./client.ts";
import { ofClass, type Organism, type PsCell, sharedOrganism, watchLife } from "./organism.ts";
import { within } from "./wait.ts";

/** The DNA's default. */
const stemPool = 2;

const options = {
  app: "slow.mjs",
  dna: { cells: { drone: { min: 2 } }, restarts: { backoffMsMin: 50, backoffMsMax: 500, countMax: 1000 } },
};

describe("after the death of one", () => {
  const organism = sharedOrganism(options);

  // Twice around: the replacements must be as good as what they replace.
  for (const round of ["first", "second"]) {
    for (const cellClass of ["stem", "drone", "b-cell", "neuron"] satisfies CellClass[]) {
      test(`${cellClass}, the ${round} time, requests are answered and it is replaced`, async () => {
        await organism().request({ path: "/pid" });
        const before = await atRest(organism());
        const [victim] = ofClass(before, cellClass);
        assert.ok(victim !== undefined);
        const others = before.filter((cell) => cell !== victim).map((cell) => ({ cell, alive: watchLife(cell) }));

        organism().kill(victim);
        for (let turn = 0; turn < 5; turn += 1) {
          assert.equal((await organism().request({ path: "/pid" })).status, 200);
        }

        const after = await atRest(organism());
        assert.ok(!after.some(({ id }) => id === victim.id), "the dead one is not listed");
        assert.ok(!after.some(({ pid }) => pid === victim.pid), "nor is its process");
        assert.deepEqual(
          others.filter(({ alive }) => !alive()).map(({ cell }) => `${cell.class} ${cell.id}`),
          [],
          "nobody else died of it",
        );
        await organism().accountedFor();
      });
    }
  }

  test("the first cell was among them", async () => {
    assert.ok(!(await organism().ps()).some(({ generation }) => generation === 0));
  });
});

describe("when a drone dies with requests in its hands", () => {
  const organism = sharedOrganism(options);
  let count = 0;

  /** Sends one request, waits until the app has it, and kills the drone that has it. */
  async function killUnder<T>(
    send: (log: string) => Promise<T>,
  ): Promise<{ outcome: Promise<T>; attempts: () => number }> {
    await organism().request({ path: "/pid" });
    await atRest(organism());
    const log = organism().scratch(`attempts-${(count += 1)}.log`);
    const attempts = () => (existsSync(log) ? readFileSync(log, "utf8").trim().split("\n") : []);
    const outcome = send(encodeURIComponent(log));
    outcome.catch(() => undefined);
    await organism().until("the request in the app", () => attempts().length === 1);
    organism().kill({ pid: Number(attempts()[0]) });
    return { outcome, attempts: () => attempts().length };
  }

  test("a GET is given to another, and the client sees nothing of it", async () => {
    const { outcome, attempts } = await killUnder((log) => organism().request({ path: `/slow?ms=700&log=${log}` }));
    const { status, text } = await outcome;
    assert.deepEqual([status, text], [200, "slept 700"]);
    assert.equal(attempts(), 2);
  });

  test("a POST that has begun is not tried again: 502", async () => {
    const { outcome, attempts } = await killUnder((log) =>
      organism().request({ method: "POST", path: `/slow?ms=700&log=${log}`, body: "once only" }),
    );
    assert.equal((await outcome).status, 502);
    await atRest(organism());
    assert.equal(attempts(), 1);
  });

  test("an answer that has begun is cut off, and does not look complete", async () => {
    const { outcome, attempts } = await killUnder(async (log) => {
      const answer = await open(organism().at(), { path: `/endless?log=${log}` });
      return readAll(answer);
    });
    await within("the answer to end", assert.rejects(outcome));
    assert.equal(attempts(), 1);
  });
});

/** Everybody there whom the DNA wants, and all of them listed as living. */
async function atRest(organism: Organism): Promise<PsCell[]> {
  const wanted: Array<[CellClass, number]> = [
    ["neuron", 1],
    ["b-cell", 1],
    ["drone", 2],
    ["stem", stemPool],
  ];
  return organism.cellsUntil(
    `${wanted.map(([cellClass, number]) => `${number} ${cellClass}`).join(", ")}, all live`,
    (cells) =>
      cells.every(({ state, pid }) => state === "live" && organism.pids().includes(pid)) &&
      wanted.every(([cellClass, number]) => ofClass(cells, cellClass).length === number),
  );
}
