// Who divides for the pool when asked to, and how a neuron that nobody hears gets its answers; on states made by hand.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { unheardCalls } from "../../src/core/limits.ts";
import { replenish } from "../../src/core/pool.ts";
import { cellKey } from "../../src/core/record.ts";
import { takeIn } from "../../src/core/roster.ts";
import type { State } from "../../src/core/state.ts";
import { step } from "../../src/core/step.ts";
import type { Known } from "../support/knowing.ts";
import { elders, grown, knowing, nowMs } from "../support/knowing.ts";

test("a stem cell that is asked to divide does so only where it finds the pool short itself", () => {
  const divides = (stemPool: number): boolean => {
    const state = knowing("e1", elders(6));
    const asked = { ...state, kin: new Set(["egg"]), dna: { ...state.dna, stemPool } };
    const event = { type: "message", from: "egg", message: { type: "hand-down", hops: 1 }, nowMs } as const;
    return step(asked, event)[1].some(({ type }) => type === "divide");
  };
  // All six that it knows are stem cells.
  assert.deepEqual([divides(7), divides(6), divides(0)], [true, false, false]);
});

describe("a neuron that nobody hears", () => {
  const min = { neuron: 1, "b-cell": 0, "t-cell": 0, drone: 3 };
  const population = Object.fromEntries(
    Object.entries(min).map(([c, n]) => [c, { min: n, max: 9 }]),
  ) as State["dna"]["population"];
  const far = ["f1", "f2", "f3"].map((id): Known => ({ ...grown(id, "stem"), mother: "elsewhere" }));

  /** The neuron "n", which has called for three drones so many times; `close`: stem cells that it has borne. */
  function calling(calls: number, close: readonly string[] = []): State {
    const daughters = close.map((id): Known => ({ ...grown(id, "stem"), mother: "n" }));
    const state = knowing("n", [grown("n", "neuron"), ...far, ...daughters]);
    const unanswered = { ...state.unanswered, drone: calls };
    return { ...state, unanswered, kin: new Set(close), dna: { ...state.dna, population, stemPool: 3 } };
  }
  function withMin(state: State, drones: number): State {
    const wanted = { ...state.dna.population, drone: { min: drones, max: 9 } };
    return { ...state, dna: { ...state.dna, population: wanted } };
  }
  const births = (state: State): number => replenish(state, nowMs)[1].filter(({ type }) => type === "divide").length;

  test("bears as many stem cells as cells are missing, though the pool is full, and not before", () => {
    assert.deepEqual([births(calling(unheardCalls - 1)), births(calling(unheardCalls + 1))], [0, 3]);
  });

  test("counts those that it has borne already, as far as they are linked to it; should these not answer it bears one more now and then", () => {
    assert.equal(births(calling(unheardCalls + 1, ["c1"])), 2);
    assert.equal(births(calling(unheardCalls + 1, ["c1", "c2", "c3"])), 0);
    assert.equal(births(calling(2 * unheardCalls, ["c1", "c2", "c3"])), 1);
    assert.equal(births({ ...calling(unheardCalls + 1, ["c1", "c2", "c3"]), kin: new Set(["c1"]) }), 2);
  });

  test("bears one at a time for what the load wants beyond the minimum", () => {
    const state = calling(unheardCalls + 1);
    const drone = { ...state.demand.drone, panicUntilMs: nowMs + 1, panicWanted: 3 };
    const strained: State = { ...withMin(state, 0), demand: { ...state.demand, drone } };
    assert.deepEqual([births(strained), births(withMin(state, 0))], [1, 0]);
  });

  test("is heard when one of those answers and nobody is missing any more, or when another does", () => {
    const callsAfter = (id: string, calls: number, min: number): number => {
      const state = withMin(calling(calls, ["c1"]), min);
      const held = state.records.get(cellKey(id));
      assert(held?.body.kind === "cell");
      const news = { ...held, version: held.version + 1, body: { ...held.body, class: "drone" } } as const;
      return takeIn(state, [news], "c1", nowMs)[0].unanswered.drone;
    };
    assert.equal(callsAfter("c1", unheardCalls + 1, 3), unheardCalls + 1);
    assert.equal(callsAfter("c1", unheardCalls + 1, 1), 0);
    assert.equal(callsAfter("f1", unheardCalls + 1, 3), 0);
    assert.equal(callsAfter("c1", unheardCalls - 1, 3), 0);
  });

  test("is answered by its own daughters at once, by as many as it calls for, whatever their rank among all", () => {
    const daughters = ["c1", "c2", "c3", "c4", "c5"];
    const answering = (calls: number, wanted: number): string[] =>
      daughters.filter((self) => {
        const all = [...daughters.map((id): Known => ({ ...grown(id, "stem"), mother: "n" })), ...elders(40)];
        const state = { ...knowing(self, [grown("n", "neuron"), ...all]), kin: new Set(["n"]) };
        const pulse = {
          id: "n.9",
          origin: "n",
          class: "drone",
          strength: 250_000,
          wanted,
          unanswered: calls,
          hops: 1,
        } as const;
        const heard = step(state, { type: "message", from: "n", message: { type: "pulse", pulse }, nowMs })[0];
        return heard.class === "drone";
      });
    assert.deepEqual(answering(0, 1), []);
    assert.deepEqual(
      [1, 2, 5].map((wanted) => answering(unheardCalls, wanted).length),
      [1, 2, 5],
    );
  });
});
