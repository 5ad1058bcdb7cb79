// T cells in this process, on one memory: what they do in the same moment, which a living organism cannot be made to.
import assert from "node:assert/strict";
import path from "node:path";
import { test, type TestContext } from "node:test";
import { makeTCell } from "../../src/cells/t-cell/body.ts";
import type { Happening } from "../../src/core/event.ts";
import type { BanBody } from "../../src/core/record.ts";
import { loadDna } from "../../src/dna/load.ts";
import { machineNowMs } from "../../src/host/clock.ts";
import type { BodyContext } from "../../src/host/body.ts";
import { Counters } from "../../src/host/counters.ts";
import { openMemory } from "../../src/host/immune/memory.ts";
import { stateDir } from "../../src/host/immune/state-dir.ts";
import type { Testified } from "../../src/wire/testimony.ts";
import { folderWith, machine } from "../dna/support.ts";
import { until } from "../support/axon-pair.ts";

const told: string[] = [];
(globalThis as { reactedIn?: string[] }).reactedIn = told;
const source = `export default {
  app: "./server.js",
  immune: { mode: "block", reactions: [function tell({ id }) { globalThis.reactedIn.push(id); }] },
};`;

async function twoTCells(t: TestContext) {
  const cwd = folderWith(t, { "server.js": "", "dna.mjs": source });
  const before = process.env["XDG_STATE_HOME"];
  process.env["XDG_STATE_HOME"] = path.join(cwd, "state");
  t.after(() => {
    if (before === undefined) delete process.env["XDG_STATE_HOME"];
    else process.env["XDG_STATE_HOME"] = before;
  });
  const loaded = await loadDna({ cwd, machine });
  assert.ok(loaded.ok, JSON.stringify(loaded));
  const { dna } = loaded;
  const grow = async (id: string) => {
    const sentenced: BanBody[] = [];
    const silent = (): void => undefined;
    let take: (testified: Testified) => void = silent;
    const context: Partial<BodyContext> = {
      id,
      dna,
      name: "shop",
      log: { debug: silent, info: silent, warn: silent, error: silent } as unknown as BodyContext["log"],
      counters: new Counters(),
      addresses: [],
      bans: () => [],
      onTestimony: (taker) => (take = taker),
      dispatch: (happening: Happening) => {
        if (happening.type === "sentenced") sentenced.push(...happening.bans);
      },
    };
    const body = await makeTCell(context as BodyContext);
    t.after(() => body.release?.());
    const attack = (client: string, count: number): void => {
      const atMs = machineNowMs();
      const marks = Array.from({ length: count }, (_, i) => {
        const rest = { attackClass: "code-execution", rules: [932_100], score: 5, cell: "b" } as const;
        return { id: `${id}-${client}-${i}`, client, atMs, ...rest };
      });
      take({ type: "testimony", hops: 1, marks, sightings: [] });
    };
    return { sentenced, attack };
  };
  return { one: await grow("one"), other: await grow("other"), memoryFile: stateDir("shop").memoryFile };
}

test("what two T cells decide in the same moment is one ban and one incident, and told once", async (t) => {
  const { one, other, memoryFile } = await twoTCells(t);
  one.attack("203.0.113.7", 4);
  other.attack("203.0.113.7", 4);
  assert.deepEqual([one.sentenced.length, other.sentenced.length], [1, 1], "neither waits for the other");
  assert.equal(one.sentenced[0]?.incident, other.sentenced[0]?.incident);
  // Reactions are called in order: this one's is the last.
  other.attack("203.0.113.8", 4);
  await until(() => told.includes("203.0.113.8#1"));
  assert.deepEqual(told, ["203.0.113.7#1", "203.0.113.8#1"]);
  const { memory } = openMemory({ file: memoryFile, holder: "test" });
  t.after(() => memory.close());
  const kept = [...memory.allBans()].map(({ incident }) => incident);
  assert.deepEqual(kept, ["203.0.113.7#1", "203.0.113.8#1"]);
  const { count } = memory.all<{ count: number }>("SELECT count(*) AS count FROM incident")[0]!;
  assert.equal(count, 2);
});
