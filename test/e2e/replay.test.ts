// A real organism is recorded, and what its cells decided can be decided again.
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { cellws, ofClass, startOrganism } from "./organism.ts";

interface Verdicts {
  files: Array<{
    file: string;
    cell: string;
    verdict: string;
    isTorn: boolean;
    events: number;
    difference: { what: string; line: number } | null;
  }>;
}

test("a recorded organism replays as it was, also the cells that were killed; a changed record does not", async (t) => {
  const organism = await startOrganism(t, {
    app: "http-esm.mjs",
    dna: { cells: { stem: { pool: 1 } }, logs: { eventBytesMax: 8 * 1024 * 1024 } },
    args: ["--record", "../events"],
  });
  const folder = path.join(organism.home, "events");
  await organism.request({ path: "/hello" });
  const cells = await organism.grown({ stem: 1 });
  const [killed] = ofClass(cells, "drone");
  assert.ok(killed !== undefined);
  organism.kill(killed);
  await organism.cellsUntil(
    "another drone, and a stem cell born since",
    (now) =>
      ofClass(now, "drone").some(({ id }) => id !== killed.id) &&
      ofClass(now, "stem").some(({ id }) => cells.every((before) => before.id !== id)),
  );
  assert.equal((await organism.stop()).code, 0);

  const all = await cellws(["replay", folder, "--json"]);
  assert.equal(all.code, 0, all.stdout + all.stderr);
  const { files } = JSON.parse(all.stdout) as Verdicts;
  assert.ok(files.length >= 5, `${files.length} files`);
  for (const { file, verdict, events, difference } of files) {
    assert.deepEqual([verdict, difference], ["same", null], file);
    assert.ok(events > 0);
  }
  assert.ok(files.some(({ cell }) => cell === killed.id));

  const neuron = files.find(({ file }) => fs.readFileSync(file, "utf8").includes('"first-connection"'))!.file;
  const history = await cellws(["replay", neuron]);
  assert.equal(history.code, 0);
  assert.match(history.stdout, /first-connection -> .*divide: b-cell .*\[egg -> neuron\]/);
  assert.match(history.stdout, /^same /m);
  const then = await cellws(["replay", neuron, "--at", "0s"]);
  const { state } = JSON.parse(then.stdout) as { state: { class: string; alive: Record<string, object> } };
  assert.deepEqual([state.class, Object.keys(state.alive).length], ["egg", 1]);

  const text = fs.readFileSync(neuron, "utf8");
  fs.writeFileSync(neuron, text.replace('"type":"first-connection"', '"type":"drained"'));
  const altered = await cellws(["replay", neuron, "--brief"]);
  assert.equal(altered.code, 1);
  assert.match(altered.stdout, /^differs {2}.*\n {2}line \d+, event \d+: the line is not what the cell wrote/);
  fs.writeFileSync(neuron, text.slice(0, -30));
  const torn = await cellws(["replay", neuron, "--brief"]);
  assert.equal(torn.code, 0);
  assert.match(torn.stdout, /^same .*its last line cut off/);
  assert.equal((await cellws(["replay", path.join(folder, "none")])).code, 2);
});
