// A large organism's messages: what is flat in its size, shown at two sizes.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Traffic } from "../../src/sim/colony.ts";
import { Colony } from "../../src/sim/colony.ts";

const messagesOf = ({ messages }: Traffic): number => Object.values(messages).reduce((sum, count) => sum + count, 0);

function atRest(cellCount: number): { colony: Colony; perCell: number } {
  const colony = new Colony({ cellCount });
  colony.run(2_500);
  colony.takeTraffic();
  colony.run(1_000);
  return { colony, perCell: messagesOf(colony.takeTraffic()) / cellCount };
}

describe("a colony", () => {
  test("at rest sends as many messages a cell whether it has a hundred cells or a thousand", () => {
    const [small, large] = [atRest(100).perCell, atRest(1_000).perCell];
    assert.ok(small > 7 && Math.abs(large - small) < 0.5, `${small} and ${large}`);
  });

  test("carries a piece of news to all for about one message a cell, whatever its size", () => {
    for (const cellCount of [100, 1_000]) {
      const { colony, perCell } = atRest(cellCount);
      const [speaker] = colony.some("b-cell", 1);
      colony.speak(speaker!);
      colony.run(100);
      const extra = messagesOf(colony.takeTraffic()) / cellCount - perCell / 10;
      assert.ok(extra > 0.9 && extra < 1.3, `${cellCount}: ${extra}`);
      const version = [...colony.members.values()].map(({ state }) => state.records.get(`cell/${speaker}`)?.version);
      assert.deepEqual(new Set(version), new Set([2]), "everybody has heard it");
    }
  });

  test("replaces a cell that died, at a few messages a cell, and all agree again on who lives", () => {
    const { colony, perCell } = atRest(400);
    const [victim] = colony.some("drone", 1);
    colony.kill(victim!);
    colony.run(6_000);
    const extra = messagesOf(colony.takeTraffic()) / 400 - 6 * perCell;
    assert.ok(extra > 1 && extra < 15, String(extra));
    const living = [...colony.members.values()].filter(({ runs }) => runs);
    // Whoever calls may be too far from any stem cell, bear one, and leave the pool one too many for a while.
    assert.ok(living.length === 400 || living.length === 401, `${living.length} cells`);
    assert.equal(living.filter(({ state }) => state.class === "drone").length, 320, "another took its place");
    for (const { state } of living) {
      assert.equal(state.alive.size, living.length);
      assert.ok(!state.alive.has(victim!));
    }
    const links = living.reduce((sum, { state }) => sum + state.kin.size, 0) / 2;
    assert.equal(links, living.length - 1, "the kin links are one tree");
  });

  test("ends a cell that hangs", () => {
    const { colony } = atRest(60);
    const [victim] = colony.some("drone", 1);
    colony.halt(victim!);
    colony.run(30_000);
    assert.equal(colony.isAlive(victim!), false);
  });

  test("holds one roster for all, so that memory does not grow with the square of the size", () => {
    const { colony } = atRest(1_000);
    const rosters = new Set([...colony.members.values()].map(({ state }) => state.alive));
    assert.equal(rosters.size, 1);
    const { own, roster } = colony.stateBytes();
    assert.ok(own < 10_000 && roster > 100_000, `${own} ${roster}`);
  });
});
