// Who is to grow the organism anew looks first whether others live that it has never heard of; on states made by hand.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { CellClass } from "../../src/core/cell.ts";
import type { Effect } from "../../src/core/effect.ts";
import { seekStrangersMs, solitudeMsMax } from "../../src/core/limits.ts";
import type { Move } from "../../src/core/move.ts";
import { deathKey } from "../../src/core/record.ts";
import type { Stranger } from "../../src/core/solitude.ts";
import { heedStrangers, seekStrangers, strangerOf } from "../../src/core/solitude.ts";
import type { State } from "../../src/core/state.ts";
import { step } from "../../src/core/step.ts";
import { grown, knowing, nowMs } from "../support/knowing.ts";

/** All alone, or in company. */
const alone = (self: CellClass, ...others: CellClass[]): State =>
  knowing("m", [grown("m", self), ...others.map((c, i) => grown(`o${i}`, c))]);
const stranger = (about: Partial<Stranger> = {}): Stranger => ({ id: "x", isAble: true, knowsUs: false, ...about });

const types = ([, effects]: Move): Array<Effect["type"]> => effects.map(({ type }) => type);
const grows = (move: Move): boolean => types(move).includes("divide");
const leaves = ([{ stop }]: Move): boolean => stop?.alone === true;

/** Has asked at `nowMs`, and is answered so much later. */
function answered(state: State, found: readonly Stranger[], afterMs = 1): Move {
  return heedStrangers(seekStrangers(state, nowMs)[0], found, nowMs + afterMs);
}
const does = (state: State, found: readonly Stranger[], afterMs?: number): "grows" | "leaves" | "waits" => {
  const move = answered(state, found, afterMs);
  assert.ok(!(grows(move) && leaves(move)));
  return grows(move) ? "grows" : leaves(move) ? "leaves" : "waits";
};

describe("a cell that is to grow the organism anew", () => {
  for (const survivor of ["stem", "b-cell", "t-cell", "drone"] as const) {
    test(`looks for strangers first, and where there are none grows it: ${survivor}`, () => {
      assert.deepEqual(types(seekStrangers(alone(survivor), nowMs)), ["seek-strangers"]);
      assert.equal(does(alone(survivor), []), "grows");
    });

    test(`leaves it to strangers who can grow it, and do not know this cell: ${survivor}`, () => {
      const move = answered(alone(survivor), [stranger()]);
      assert.deepEqual([leaves(move), grows(move)], [true, false]);
      const told = move[1].find((effect) => effect.type === "log");
      assert.deepEqual([told?.level, told?.event], ["warn", "unknown"]);
    });
  }

  test("does so with others whom it knows, too", () => {
    assert.equal(does(alone("b-cell", "drone"), [stranger()]), "leaves");
    assert.equal(does(alone("b-cell", "drone"), []), "grows");
  });

  test("so does a neuron that is all alone, before it bears anybody", () => {
    const state = alone("neuron");
    assert.deepEqual(types(seekStrangers(state, nowMs)), ["seek-strangers"]);
    assert.equal(does(state, [stranger()]), "leaves");
    const looks = { ...state, nextControlMs: nowMs, dna: { ...state.dna, stemPool: 2 } };
    const asked = step(looks, { type: "wake", nowMs });
    assert.deepEqual([types(asked).includes("seek-strangers"), grows(asked)], [true, false]);
    assert.equal(grows(step(asked[0], { type: "strangers", found: [], nowMs: nowMs + 1 })), true, "at once");
  });

  test("looks for nobody where another is to, or somebody can give rise to the rest", () => {
    for (const state of [alone("drone", "b-cell"), alone("stem", "drone"), alone("b-cell", "neuron")])
      assert.deepEqual(types(seekStrangers(state, nowMs)), []);
  });

  test("takes nobody for a stranger whom it knows: the living, the dead, the condemned, itself", () => {
    const state = alone("b-cell", "drone");
    const death = { key: deathKey("x"), version: 0, origin: "x", signature: "s" } as const;
    const body = { kind: "death", id: "x", pid: 1, startTicks: 1, cause: "stopped" } as const;
    const buried: State = { ...state, records: new Map(state.records).set(death.key, { ...death, body }) };
    const sentence = { reason: "hung", pid: 1, startTicks: 1, atMs: nowMs } as const;
    const condemning: State = { ...state, condemned: new Map([["x", sentence]]) };
    for (const knower of [buried, condemning]) assert.equal(does(knower, [stranger()]), "grows");
    for (const id of ["o0", "m"]) assert.equal(does(state, [stranger({ id })]), "grows");
  });

  test("is patient with those who know it: they are about to find it, or not", () => {
    const able = [stranger({ knowsUs: true })];
    assert.equal(does(alone("stem"), able), "waits");
    assert.equal(does(alone("stem"), able, solitudeMsMax), "leaves");
    const helpless = [stranger({ knowsUs: true, isAble: false })];
    assert.equal(does(alone("stem"), helpless), "waits");
    assert.equal(does(alone("stem"), helpless, solitudeMsMax), "grows");
  });

  test("among strangers who can grow nothing goes ahead if its name comes first, and else waits for a while", () => {
    const helpless = (id: string): Stranger[] => [stranger({ id, isAble: false })];
    assert.equal(does(alone("drone"), helpless("z")), "grows");
    assert.equal(does(alone("drone"), helpless("a")), "waits");
    assert.equal(does(alone("drone"), helpless("a"), solitudeMsMax), "grows");
    assert.equal(does(alone("drone"), [...helpless("z"), stranger()]), "leaves");
  });

  test("looks again while it waits, once in a while, counting from the first look", () => {
    const waiting = answered(alone("stem"), [stranger({ knowsUs: true })])[0];
    assert.deepEqual(types(seekStrangers(waiting, nowMs + seekStrangersMs - 1)), []);
    const again = seekStrangers(waiting, nowMs + seekStrangersMs);
    assert.deepEqual(types(again), ["seek-strangers"]);
    assert.equal(again[0].solitude?.sinceMs, nowMs);
  });

  test("heeds no answer once it is not its turn any more", () => {
    const asked = seekStrangers(alone("b-cell"), nowMs)[0];
    const joined: State = { ...asked, alive: alone("b-cell", "stem").alive };
    const move = heedStrangers(joined, [stranger()], nowMs + 1);
    assert.deepEqual([leaves(move), types(move), move[0].solitude], [false, [], null]);
    assert.equal(seekStrangers(joined, nowMs + 1)[0].solitude, null, "and begins anew should it be again");
    const stopping: State = { ...asked, phase: "stopping" };
    assert.deepEqual(types(heedStrangers(stopping, [], nowMs + 1)), []);
  });
});

test("a stranger is able where somebody on its roster gives rise to others and is about to stay", () => {
  const roster = (cellClass: CellClass, state = "live") => [{ id: "x", class: cellClass, state }];
  for (const cellClass of ["egg", "stem", "neuron"] as const)
    assert.equal(strangerOf("x", roster(cellClass), "m").isAble, true);
  for (const cellClass of ["b-cell", "t-cell", "drone"] as const)
    assert.equal(strangerOf("x", roster(cellClass), "m").isAble, false);
  for (const state of ["draining", "gestating", "suspected"])
    assert.equal(strangerOf("x", roster("neuron", state), "m").isAble, false);
  assert.deepEqual(strangerOf("x", [...roster("drone"), { id: "m", class: "stem", state: "draining" }], "m"), {
    id: "x",
    isAble: false,
    knowsUs: true,
  });
});
