// Who may vote, how many it takes, and what a certificate must hold, on states made by hand.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Vote } from "../../src/core/ballot.ts";
import { castVote, electorate, isSufficient, jury, quorum, takeVotes } from "../../src/core/ballot.ts";
import { execute, heedCertificate } from "../../src/core/execution.ts";
import { ballotWindowMs, foundingMs, jurySizes, lineageWindowMs, maturityMs } from "../../src/core/limits.ts";
import type { CellBody, Charge } from "../../src/core/record.ts";
import type { State } from "../../src/core/state.ts";
import type { Known } from "../support/knowing.ts";
import { elders, knowing, nowMs } from "../support/knowing.ts";

const charge = (target: string, change: Partial<Charge> = {}): Charge => ({
  target,
  pid: 101,
  startTicks: 7,
  reason: "hung",
  window: Math.floor(nowMs / ballotWindowMs),
  round: 0,
  ...change,
});
const vote = (voter: string, of: Charge): Vote => ({ voter, charge: of, signature: "s" });

describe("a majority", () => {
  test("is more than half of the electorate", () => {
    const table = [
      [3, 2],
      [4, 3],
      [5, 3],
      [31, 16],
    ] as const;
    for (const [n, q] of table) assert.equal(quorum(n), q, `${n} cells`);
  });

  test("is of those who may vote: not of others, not of the accused, not twice of one", () => {
    const state = knowing("egg", elders(6));
    const of = charge("e1");
    assert.equal(isSufficient(state, of, ["egg", "e2", "e3", "e4"], nowMs), true);
    assert.equal(isSufficient(state, of, ["egg", "e2", "e3"], nowMs), false);
    assert.equal(isSufficient(state, of, ["egg", "e2", "e3", "e3"], nowMs), false);
    assert.equal(isSufficient(state, of, ["egg", "e2", "e3", "nobody"], nowMs), false);
    assert.equal(isSufficient(state, of, ["egg", "e1", "e2", "e3", "e4"], nowMs), false);
  });

  test("is not to be had of two cells", () => {
    const state = knowing("egg", elders(2));
    assert.deepEqual(castVote(state, "e1", "hung", nowMs)[1], []);
  });

  test("is not judged by a newborn that has not asked the others yet", () => {
    const state = { ...knowing("egg", elders(6)), probed: 2 };
    assert.equal(isSufficient(state, charge("e1"), ["egg", "e2", "e3", "e4"], nowMs), false);
  });
});

describe("the electorate", () => {
  test("has no cells in it that are newly known", () => {
    const young: Known = { id: "young", knownMs: maturityMs - 1 };
    assert.ok(!electorate(knowing("egg", [...elders(6), young]), nowMs).includes("young"));
    assert.ok(electorate(knowing("egg", [...elders(6), { ...young, knownMs: maturityMs }]), nowMs).includes("young"));
  });

  test("gives a line that divides in a hurry fewer seats than the others have, however deep it is", () => {
    for (const chain of [false, true]) {
      const sybils = Array.from({ length: 30 }, (_, i): Known => {
        const mothers = chain ? Array.from({ length: Math.min(i, 8) }, (_, k) => `s${i - 1 - k}`).reverse() : [];
        return { id: `s${i}`, lineage: ["egg", "e1", ...mothers], knownMs: maturityMs };
      });
      const electors = electorate(knowing("egg", [...elders(7), ...sybils]), nowMs);
      const line = electors.filter((id) => id === "e1" || id.startsWith("s")).length;
      assert.ok(line > 1 && 2 * line < electors.length, `${line} of ${electors.length}`);
    }
  });

  test("is everybody where nobody has been known for long", () => {
    const all = elders(8).map((cell) => ({ ...cell, knownMs: maturityMs }));
    assert.equal(electorate(knowing("egg", all), nowMs).length, 8);
  });

  test("does not shrink to the first three when their time has come: those who came soon after them are founders, too", () => {
    const others = (knownMs: number): Known[] =>
      elders(8)
        .slice(3)
        .map((cell) => ({ ...cell, knownMs }));
    const founders = elders(3).map((cell) => ({ ...cell, knownMs: lineageWindowMs }));
    const seats = (knownMs: number): number =>
      electorate(knowing("egg", [...founders, ...others(knownMs)]), nowMs).length;
    assert.equal(seats(lineageWindowMs - foundingMs), 8);
    assert.equal(seats(lineageWindowMs - foundingMs - 1), 3);
  });

  test("has nobody in it whom the voter sees to be infected", () => {
    const state = knowing("egg", elders(6));
    const suspect = { sinceMs: nowMs, answer: "infected", confirmedBy: new Set<string>(), isGivenUp: false } as const;
    assert.deepEqual(electorate({ ...state, suspects: new Map([["e2", suspect]]) }, nowMs).length, 5);
  });
});

describe("a jury", () => {
  test("is all of a small electorate and 31 of a large one; the next is larger, and then all vote", () => {
    const few = Array.from({ length: 31 }, (_, i) => `c${i}`);
    const many = Array.from({ length: 200 }, (_, i) => `c${i}`);
    assert.equal(jury(few, charge("c1")).length, 31);
    const sizes = jurySizes.map((_, round) => jury(many, charge("c1", { round })).length);
    assert.deepEqual(sizes, [31, 61, 200]);
  });

  test("that came to no sentence is followed by the next one in the next window", () => {
    const state = knowing("egg", elders(62));
    const rounds: number[] = [];
    let now: State = state;
    for (let window = 0; window < 4; window += 1) {
      const atMs = nowMs + window * ballotWindowMs;
      const [next, effects] = castVote(now, "e1", "hung", atMs);
      const signed = effects.find((effect) => effect.type === "sign-vote");
      if (signed?.type !== "sign-vote") continue;
      rounds.push(signed.charge.round);
      [now] = takeVotes(next, [vote("egg", signed.charge)], null, atMs);
    }
    assert.deepEqual(rounds.at(-1), 2);
    assert.deepEqual(
      rounds,
      rounds.toSorted((a, b) => a - b),
    );
  });
});

describe("a voter", () => {
  test("signs one sentence a window, or a tenth of a large electorate", () => {
    for (const [count, allowed] of [
      [6, 1],
      [25, 2],
    ] as const) {
      let state = knowing("egg", elders(count));
      let signed = 0;
      for (let i = 1; i < 6; i += 1) {
        const [next, effects] = castVote(state, `e${i}`, "hung", nowMs);
        state = next;
        signed += effects.filter((effect) => effect.type === "sign-vote").length;
      }
      assert.equal(signed, allowed, `${count} cells`);
    }
  });

  test("signs the same sentence again where the window ended before all had, and no other one", () => {
    const [lateMs, nextMs] = [nowMs + ballotWindowMs - 1, nowMs + ballotWindowMs];
    const [first, effects] = castVote(knowing("egg", elders(6)), "e1", "hung", lateMs);
    const signed = effects.find((effect) => effect.type === "sign-vote");
    assert.ok(signed?.type === "sign-vote");
    const [state] = takeVotes(first, [vote("egg", signed.charge)], null, lateMs);
    const signs = (target: string): boolean => castVote(state, target, "hung", nextMs)[1].length > 0;
    assert.deepEqual([signs("e1"), signs("e2")], [true, false]);
  });

  test("who signs far more than that is heeded no further", () => {
    let state = knowing("egg", elders(12));
    for (let i = 2; i < 12; i += 1) {
      const of = charge(`e${i}`, { pid: 100 + i });
      [state] = takeVotes(state, [vote("e1", of)], null, nowMs);
    }
    assert.equal(state.ballots.size, 2);
  });

  test("is heeded on this very process, in this window or the next to it", () => {
    const state = knowing("egg", elders(6));
    const window = Math.floor(nowMs / ballotWindowMs);
    const heeded = (of: Charge): boolean => takeVotes(state, [vote("e2", of)], null, nowMs)[0].ballots.size > 0;
    assert.equal(heeded(charge("e1")), true);
    assert.equal(heeded(charge("e1", { pid: 4_711 })), false);
    assert.equal(heeded(charge("e1", { startTicks: 8 })), false);
    assert.equal(heeded(charge("e1", { window: window - 1 })), true);
    assert.equal(heeded(charge("e1", { window: window - 2 })), false);
    assert.equal(heeded(charge("e1", { window: window + 2 })), false);
  });
});

describe("a sentence", () => {
  const heed = (self: string, reason: Charge["reason"]): ReturnType<typeof heedCertificate> => {
    const of = charge("e1", { reason });
    const votes = ["egg", "e2", "e3", "e4"].map((voter) => ({ voter, signature: "s" }));
    return heedCertificate(knowing(self, elders(6)), { kind: "certificate", id: "e1", charge: of, votes }, nowMs);
  };
  const kills = (reason: Charge["reason"]): boolean => heed("egg", reason)[1].some(({ type }) => type === "kill");

  test("for hanging or an infection is carried out at once by the mother", () => {
    assert.deepEqual([kills("hung"), kills("infected")], [true, true]);
    assert.equal(heed("e1", "hung")[0].phase, "ended");
  });

  test("for being one too many, worn out or outdated lets the condemned finish what it has", () => {
    for (const reason of ["surplus", "worn", "outdated"] as const) {
      assert.equal(kills(reason), false, reason);
      const [own] = heed("e1", reason);
      assert.deepEqual([own.phase, own.stop?.alone], ["living", true], reason);
    }
  });

  test("for what a name stands for ends no process that has another name too; for what a process does it ends that", () => {
    const state = knowing("e2", elders(6));
    const { pid, startTicks } = state.alive.get("e3") as CellBody;
    const alive = new Map(state.alive).set("e1", { ...(state.alive.get("e1") as CellBody), pid, startTicks });
    const ends = (reason: Charge["reason"]): boolean => {
      const condemned = new Map([["e1", { reason, pid, startTicks, atMs: 0 }]]);
      return execute({ ...state, alive, condemned }, nowMs)[1].some(({ type }) => type === "kill");
    };
    assert.deepEqual([ends("surplus"), ends("outdated")], [false, false]);
    assert.deepEqual([ends("hung"), ends("infected"), ends("worn")], [true, true, true]);
  });
});
