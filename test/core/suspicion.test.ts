// Who is suspected, for how long, and when a cell rather distrusts itself; on states made by hand.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  controlPeriodMs,
  gestationMsMax,
  givenUpMs,
  healthScoreToAccuse,
  ownGapMs,
  wornMsMin,
} from "../../src/core/limits.ts";
import type { CellBody } from "../../src/core/record.ts";
import { cellKey } from "../../src/core/record.ts";
import { census, ownerOfProcess, recordsToTell, takeIn } from "../../src/core/roster.ts";
import type { State } from "../../src/core/state.ts";
import type { Suspect } from "../../src/core/suspicion.ts";
import {
  heedAnswer,
  hearSuspicion,
  noticeOwnGap,
  patienceMs,
  pressSuspicion,
  probeNext,
} from "../../src/core/suspicion.ts";
import { elders, knowing, nowMs } from "../support/knowing.ts";

/** One of seven that has got no answer from e1 since `forMs`. */
function suspecting(forMs: number, change: Partial<State> = {}): State {
  const state = knowing("egg", elders(7));
  const suspect = {
    sinceMs: nowMs - forMs,
    answer: "stuck",
    confirmedBy: new Set<string>(),
    isGivenUp: false,
  } as const;
  return { ...state, suspects: new Map([["e1", suspect]]), lookedMs: nowMs - controlPeriodMs, ...change };
}

const accuses = (state: State): boolean =>
  pressSuspicion(state, nowMs)[1].some((effect) => effect.type === "sign-vote");
const longMs = 10_000;

describe("a suspect", () => {
  test("is accused when it has had its time, and not before", () => {
    const suspect = suspecting(0).suspects.get("e1");
    assert.ok(suspect !== undefined);
    const dueMs = patienceMs(suspecting(0), suspect);
    assert.equal(accuses(suspecting(dueMs - 1)), false);
    assert.equal(accuses(suspecting(dueMs)), true);
  });

  test("has less time with each relative that finds the same, and the DNA's where it computes", () => {
    const state = suspecting(0);
    const with_ = (answer: Suspect["answer"], ...confirmedBy: string[]): number =>
      patienceMs(state, { sinceMs: 0, answer, confirmedBy: new Set(confirmedBy), isGivenUp: false });
    assert.deepEqual([with_("stuck"), with_("stuck", "a"), with_("stuck", "a", "b", "c")], [3_000, 2_000, 1_000]);
    assert.deepEqual([with_("busy", "a", "b", "c"), with_("infected")], [state.dna.hangMs, 0]);
    assert.deepEqual([with_("stopped"), with_("stopped", "a", "b", "c")], [1_000, 1_000]);
  });

  test("is confirmed by a relative's own word only, not by what it says of others", () => {
    const state = suspecting(0);
    const confirmations = (by: string, from: string): number =>
      hearSuspicion(state, "e1", by, from)[0].suspects.get("e1")?.confirmedBy.size ?? 0;
    assert.equal(confirmations("e2", "e2"), 1);
    assert.equal(confirmations("e2", "e3"), 0);
    assert.equal(confirmations("e1", "e1"), 0);
  });

  test("is no suspect any more once it answers", () => {
    assert.equal(heedAnswer(suspecting(longMs), "e1", "answered", nowMs)[0].suspects.size, 0);
  });

  test("that nobody could vote out for long is given up: its place is vacant", () => {
    const before = suspecting(longMs + givenUpMs - 8_000);
    assert.equal(census(pressSuspicion(before, nowMs)[0]).stem, 7);
    const [after] = pressSuspicion(suspecting(longMs + givenUpMs), nowMs);
    assert.equal(census(after).stem, 6);
    assert.equal(census(heedAnswer(after, "e1", "answered", nowMs)[0]).stem, 7);
  });
});

describe("a cell", () => {
  test("that finds a hole in its own time accuses nobody at that look, and gives suspects their time anew", () => {
    const dazed = suspecting(longMs, { lookedMs: nowMs - controlPeriodMs - ownGapMs - 1 });
    const [next] = noticeOwnGap(dazed, nowMs);
    assert.equal(next.isDazed, true);
    assert.equal(next.suspects.get("e1")?.sinceMs, nowMs);
    assert.equal(accuses(next), false);
    assert.equal(accuses({ ...suspecting(longMs), isDazed: true }), false);
  });

  test("that finds a long hole in its own time takes nobody for worn out any more, until it is seen to be so again", () => {
    const state = { ...suspecting(0), wornSinceMs: new Map([["e2", nowMs - longMs]]) };
    const wornAfter = (gapMs: number): number =>
      noticeOwnGap({ ...state, lookedMs: nowMs - controlPeriodMs - gapMs }, nowMs)[0].wornSinceMs.size;
    assert.deepEqual([wornAfter(wornMsMin - 1), wornAfter(wornMsMin)], [1, 0]);
  });

  test("that gets no answers all round accuses nobody of hanging, but of what is seen from outside", () => {
    const unwell = suspecting(longMs, { healthScore: healthScoreToAccuse });
    const accusesOf = (answer: Suspect["answer"]): boolean => {
      const suspect = { ...unwell.suspects.get("e1"), answer } as Suspect;
      return accuses({ ...unwell, suspects: new Map([["e1", suspect]]) });
    };
    assert.deepEqual([accusesOf("stuck"), accusesOf("busy")], [false, false]);
    assert.deepEqual([accusesOf("stopped"), accusesOf("infected")], [true, true]);
  });

  test("finds itself no worse where a process is stopped, for that is not its own fault", () => {
    const score = (answer: Suspect["answer"]): number =>
      heedAnswer(knowing("egg", elders(7)), "e1", answer, nowMs)[0].healthScore;
    assert.deepEqual([score("stuck"), score("stopped")], [1, 0]);
  });

  test("is not silenced by what others say of it", () => {
    let state = suspecting(longMs);
    for (let i = 0; i < 20; i += 1) [state] = hearSuspicion(state, "egg", "e2", "e2");
    assert.equal(state.healthScore, healthScoreToAccuse - 1);
    assert.equal(accuses(state), true);
  });

  test("asks whoever should have been born by now, but not the unborn", () => {
    const [first, second] = elders(2);
    assert.ok(first !== undefined && second !== undefined);
    const state = knowing("egg", [first, second]);
    const unborn = { ...state.alive.get("e1"), state: "gestating" } as never;
    const asks = (knownMs: number): number => {
      const heardMs = new Map([["e1", nowMs - knownMs]]);
      return probeNext({ ...state, alive: new Map(state.alive).set("e1", unborn), heardMs }, nowMs)[1].length;
    };
    assert.equal(asks(gestationMsMax - 1), 0);
    assert.equal(asks(gestationMsMax), 1);
  });
});

describe("a ghost, named with the process of a cell that we have not heard of yet,", () => {
  const [pid, startTicks] = [4_321, 77];
  const born = (state: State, id: string, mother: string): State => {
    const certified = { ...(state.alive.get("e1") as CellBody), id, mother, publicKey: id, pid, startTicks };
    const record = { key: cellKey(id), version: 1, origin: id, body: certified, signature: "s" };
    return takeIn(state, [record], "e1", nowMs)[0];
  };
  const before = knowing("egg", elders(7));
  const haunted = born(before, "ghost", "e1");

  test("has it until it is asked and nobody is there", () => {
    assert.equal(ownerOfProcess(haunted, pid, startTicks), "ghost");
    const [asked] = heedAnswer(haunted, "ghost", "absent", nowMs);
    assert.equal(ownerOfProcess(asked, pid, startTicks), undefined);
    assert.equal(ownerOfProcess(heedAnswer(asked, "ghost", "answered", nowMs)[0], pid, startTicks), "ghost");
  });

  test("gives way to that cell then, and nothing is left of it over which relatives could stay at odds", () => {
    const [asked] = heedAnswer(haunted, "ghost", "absent", nowMs);
    const after = born(asked, "real", "e2");
    const never = born(before, "real", "e2");
    assert.deepEqual([after.alive.has("ghost"), after.alive.has("real")], [false, true]);
    assert.equal(
      recordsToTell(after).some(({ key }) => key === cellKey("ghost")),
      false,
    );
    assert.equal(after.digest, never.digest);
  });

  test("is not believed again when another says the same of it", () => {
    const [asked] = heedAnswer(born(haunted, "real", "e1"), "ghost", "absent", nowMs);
    assert.equal(asked.alive.has("ghost"), false);
    const again = born(asked, "ghost", "e1");
    assert.deepEqual([again.alive.has("ghost"), again.digest], [false, asked.digest]);
  });

  test("of our own process is never believed: its mother could have us count ourselves out, and divide for ever", () => {
    const own = before.alive.get("egg") as CellBody;
    const certified = { ...own, id: "ghost", mother: "e1", publicKey: "ghost" };
    const record = { key: cellKey("ghost"), version: 1, origin: "ghost", body: certified, signature: "s" };
    const [after] = takeIn(before, [record], "e1", nowMs);
    assert.equal(after.alive.has("ghost"), false);
    assert.equal(census(after).stem, census(before).stem);
  });

  test("does not take a cell with it whose socket is only late", () => {
    const [late] = heedAnswer(before, "e3", "absent", nowMs);
    assert.equal(late.alive.has("e3"), true);
    assert.equal(born(late, "real", "e2").alive.has("e3"), true);
  });
});
