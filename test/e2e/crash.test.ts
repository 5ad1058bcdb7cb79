/**
 * Any one cell dies, in whichever way processes die: the organism serves on, keeps its family, and grows another. All but one
 * die at once: it grows whole again out of that one.
 */
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import type { CellClass } from "../../src/core/cell.ts";
import { askCell } from "../../src/host/control-client.ts";
import { cellSocketPath, runDir } from "../../src/host/run-dir.ts";
import { seededRandom } from "../../scripts/seeded-random.ts";
import { open, readAll } from "./client.ts";
import { breakOff, inspectable } from "./inspector.ts";
import { startFakeCell } from "../support/fake-organism.ts";
import { ofClass, type Organism, type PsCell, sharedOrganism, startOrganism, watchLife } from "./organism.ts";
import { signalFound, startTicksOf } from "./processes.ts";
import { within } from "./wait.ts";

/** The DNA's default. */
const stemPool = 2;

const everyClass = ["neuron", "b-cell", "t-cell", "drone", "stem"] as const satisfies readonly CellClass[];

const options = {
  app: "slow.mjs",
  // No more than are wanted: where the machine is so busy that a cell is doubted, another would come beside it.
  dna: {
    cells: { neuron: { max: 1 }, bCell: { max: 1 }, drone: { min: 2, max: 2 } },
    restarts: { backoffMsMin: 50, backoffMsMax: 500, countMax: 1000 },
  },
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

describe("whichever way a cell dies", () => {
  const ways = {
    "a segmentation fault": (organism, cell) => organism.kill(cell, "SIGSEGV"),
    "out of memory": (organism, cell) =>
      breakOff(organism, cell, "const hoard = []; for (;;) hoard.push(new Array(100_000).fill(0.5))"),
    "process.exit": (organism, cell) => breakOff(organism, cell, "process.exit(0)"),
    "an error that nobody catches": (organism, cell) => breakOff(organism, cell, "throw new Error('for the test')"),
  } satisfies Record<string, (organism: Organism, cell: PsCell) => void | Promise<void>>;

  const organism = sharedOrganism({
    ...options,
    dna: { ...options.dna, cells: { ...options.dna.cells, tCell: { min: 1, max: 1 } } },
    env: { NODE_OPTIONS: `${inspectable} --max-old-space-size=64` },
  });

  for (const cellClass of everyClass) {
    for (const [way, die] of Object.entries(ways)) {
      test(`${cellClass}, by ${way}, it is known and replaced`, async () => {
        await organism().request({ path: "/pid" });
        const before = await atRest(organism(), { "t-cell": 1 });
        const victim = ofClass(before, cellClass).at(-1);
        assert.ok(victim !== undefined);
        const isAlive = watchLife(victim);

        await die(organism(), victim);
        await organism().until(`the ${cellClass} to be dead`, () => !isAlive());

        assert.equal((await organism().request({ path: "/pid" })).status, 200);
        const after = await atRest(organism(), { "t-cell": 1 });
        assert.ok(!after.some(({ id }) => id === victim.id), "the dead one is not listed");
      });
    }
  }
});

describe("after the death of all but", () => {
  const organism = sharedOrganism({
    ...options,
    dna: {
      cells: { ...options.dna.cells, tCell: { min: 1, max: 1 } },
      // What counts as one calamity; the next is none of the app's doing either.
      restarts: { ...options.dna.restarts, windowMs: 1_000 },
    },
  });

  for (const cellClass of everyClass) {
    test(`a ${cellClass}, requests are answered and the organism is whole again, one family`, async () => {
      await organism().request({ path: "/pid" });
      const before = await atRest(organism(), { "t-cell": 1 });
      const survivor = ofClass(before, cellClass).at(-1) ?? assert.fail(`there is a ${cellClass}`);
      await killAllBut(organism(), [survivor.pid]);

      await organism().until("an answer", async () => (await organism().request({ path: "/pid" })).status === 200);
      await wholeAgain(organism(), survivor);
    });
  }

  test("any that chance spares, it is whole again", async (t) => {
    const seed = Math.floor(Math.random() * 2 ** 31);
    t.diagnostic(`seed ${seed}`);
    const random = seededRandom(seed, 0);
    const before = await atRest(organism(), { "t-cell": 1 });
    const spared = before.filter(() => random() < 0.4);
    const [survivor = before[0] ?? assert.fail("somebody lives")] = spared;
    await killAllBut(
      organism(),
      [survivor, ...spared].map(({ pid }) => pid),
    );
    await organism().until("an answer", async () => (await organism().request({ path: "/pid" })).status === 200);
    await wholeAgain(organism(), survivor);
  });
});

describe("who is left alone while others live that do not know it", () => {
  for (const cellClass of ["stem", "drone"] as const) {
    test(`a ${cellClass} leaves the organism to them`, async (t) => {
      const organism = await startOrganism(t, options);
      await organism.request({ path: "/pid" });
      const survivor = ofClass(await atRest(organism), cellClass).at(-1) ?? assert.fail(`there is a ${cellClass}`);
      // Such others come about by accidents that cannot be had to order: it is a fake one that says it has a neuron.
      await startFakeCell(t, {
        id: "stranger22",
        class: "neuron",
        base: join(organism.home, "run", "cellws"),
        name: organism.name,
        organism: organism.file.organism,
        records: false,
      });
      const lives = watchLife(survivor);
      // All stand still before any dies, so that nobody tells of a death.
      const cells = organism.processes().filter(({ pid }) => pid !== organism.launcher.pid);
      for (const cell of cells) signalFound(cell, "SIGSTOP");
      await killAllBut(organism, [survivor.pid]);
      organism.kill(survivor, "SIGCONT");
      const hasGrown = await organism.until("it to have left", () => {
        if (!lives()) return "left";
        return hasGrownInCompany(organism.logs(), survivor, cells.length - 1) ? "grown" : null;
      });
      // Among dead whom it still took for alive a stem cell takes their neuron's place, and is not alone (decision 0033).
      if (cellClass === "stem" && hasGrown === "grown") return;
      assert.match(organism.logs(), new RegExp(`"cell":"${survivor.id}"[^\\n]*"event":"unknown"`));
      assert.deepEqual(organism.cellPids(), [], "and nobody was born");
    });
  }
});

/** Whether the survivor took a role before it had noticed all deaths. */
function hasGrownInCompany(logs: string, survivor: PsCell, deaths: number): boolean {
  const own = logs.split("\n").filter((line) => line.includes(`"cell":"${survivor.id}"`));
  const role = own.findIndex((line) => line.includes('"event":"became"') && line.includes('"class":"neuron"'));
  return role !== -1 && own.slice(0, role).filter((line) => line.includes('"event":"cell-died"')).length < deaths;
}

async function killAllBut(organism: Organism, spared: readonly number[]): Promise<void> {
  const victims = organism.processes().filter(({ pid }) => !spared.includes(pid) && pid !== organism.launcher.pid);
  for (const victim of victims) signalFound(victim, "SIGKILL");
  await organism.until("the others to be dead", () =>
    victims.every(({ pid, startTicks }) => startTicksOf(pid) !== startTicks),
  );
}

/** Everybody is there, the survivor among them, all of one tree, and no process is left that nobody knows. */
async function wholeAgain(organism: Organism, survivor: PsCell): Promise<void> {
  const after = await atRest(organism, { "t-cell": 1 });
  assert.ok(
    after.some(({ id }) => id === survivor.id),
    "the survivor lives on",
  );
  await organism.accountedFor();
  await organism.until("each cell to know each other", async () => {
    const known = await Promise.all(after.map(({ id }) => knownTo(organism, id)));
    const everybody = after.map(({ id }) => id).toSorted();
    for (const ids of known) assert.deepEqual(ids, everybody);
    return true;
  });
}

async function knownTo(organism: Organism, id: string): Promise<string[]> {
  const run = runDir(organism.name, join(organism.home, "run", "cellws"));
  const outcome = await askCell(cellSocketPath(run, id), { op: "vitals" });
  assert.ok(outcome.kind === "reply" && outcome.reply.ok && outcome.reply.op === "vitals", `${id} answers`);
  return [outcome.reply.self, ...outcome.reply.others].map((cell) => cell.id).toSorted();
}

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

/** Everybody there whom the DNA wants, inside the deadband of one more, and all of them listed as living. */
async function atRest(organism: Organism, more: Partial<Record<CellClass, number>> = {}): Promise<PsCell[]> {
  const wanted: Array<[CellClass, number]> = [
    ["neuron", 1],
    ["b-cell", 1],
    ["drone", 2],
    ["stem", stemPool],
    ...(Object.entries(more) as Array<[CellClass, number]>),
  ];
  return organism.cellsUntil(
    `${wanted.map(([cellClass, number]) => `${number} ${cellClass}`).join(", ")}, all live`,
    (cells) =>
      cells.every(({ state, pid }) => state === "live" && organism.pids().includes(pid)) &&
      wanted.every(([cellClass, number]) => [number, number + 1].includes(ofClass(cells, cellClass).length)),
  );
}
