// Who is renewed before whom, on states made by hand.
import assert from "node:assert/strict";
import { test } from "node:test";
import { ballotWindowMs, wornMsMin } from "../../src/core/limits.ts";
import type { CellBody } from "../../src/core/record.ts";
import { dnaKey } from "../../src/core/record.ts";
import { takeIn } from "../../src/core/roster.ts";
import type { State } from "../../src/core/state.ts";
import { emptyTally, hearTally } from "../../src/core/tally.ts";
import { accuseWorn, renewalsOf } from "../../src/core/wear.ts";
import { grown, knowing, nowMs } from "../support/knowing.ts";

/** The same cell knows of another DNA, for long enough. */
function outdate(state: State): State {
  const dna = { kind: "dna", revision: "second" } as const;
  const record = { key: dnaKey, version: 1, origin: "n", body: dna, signature: "s" };
  return takeIn(state, [record], null, nowMs - wornMsMin)[0];
}

test("of cells of an old DNA the pool is renewed first: who comes out of it would be outdated too", () => {
  const before = knowing("n", [grown("n", "neuron"), grown("s", "stem"), grown("d", "drone")]);
  const outdated = outdate(before);
  const renewed: CellBody = { ...(outdated.alive.get("s") as CellBody), revision: "second" };
  const withNewPool: State = { ...outdated, alive: new Map(outdated.alive).set("s", renewed) };
  const due = (state: State): number[] => (["stem", "drone"] as const).map((c) => renewalsOf(state, c, nowMs));
  assert.deepEqual(due(before), [0, 0]);
  assert.deepEqual(due(outdated), [1, 0]);
  assert.deepEqual(due(withNewPool), [0, 1]);
});

test("who is of an old DNA, or holds too much, goes before all who are merely old, in every window", () => {
  const drones = ["d1", "d2", "d3", "d4", "d5", "d6"];
  const known = knowing("n", [grown("n", "neuron"), ...drones.map((id) => grown(id, "drone"))]);
  const { wear } = known.dna;
  const tally = { ...emptyTally, drone: { ...emptyTally.drone, cells: drones.length } };
  const heard = hearTally({ ...known, kin: new Set(["d1"]) }, "d1", { tally, toTCell: null }, nowMs);
  const old: State = { ...heard, dna: { ...heard.dna, wear: { ...wear, ageMsMax: 1_000 } } };
  const accused = (state: State, window: number): string[] => {
    const atMs = nowMs + window * ballotWindowMs;
    const tallies = new Map([...state.tallies].map(([id, tally]) => [id, { ...tally, atMs }]));
    return accuseWorn({ ...state, tallies }, atMs)[1].flatMap((e) => (e.type === "sign-vote" ? [e.charge.target] : []));
  };
  const windows = Array.from({ length: 20 }, (_, i) => i);
  const leaking: State = { ...old, wornSinceMs: new Map([["d3", nowMs - wornMsMin]]) };
  assert.deepEqual(new Set(windows.flatMap((window) => accused(leaking, window))), new Set(["d3"]));
  const told = outdate(old);
  const alive = new Map(
    [...told.alive].map(([id, cell]) => [id, id === "d5" ? cell : { ...cell, revision: "second" }]),
  );
  assert.deepEqual(new Set(windows.flatMap((window) => accused({ ...told, alive }, window))), new Set(["d5"]));
  // Of those that are merely old each has its turn.
  assert.ok(new Set(windows.flatMap((window) => accused(old, window))).size > 3);
});
