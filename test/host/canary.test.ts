// Canaries: what siblings' answers say of the one that answers otherwise, and when they say nothing.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import type { AskDrone, CanaryAnswer, CanaryRequest } from "../../src/host/membrane/canary.ts";
import { canaryAnswer, majorityOf, sendCanary } from "../../src/host/membrane/canary.ts";
import { CanaryWatch, confirmMs, followUpMsMin, followUpsMax } from "../../src/host/membrane/canary-watch.ts";

const request: CanaryRequest = { path: "/about", headers: ["content-type"] };
const page = (body: string, status = 200, type = "text/plain"): CanaryAnswer =>
  canaryAnswer(request, { status, headers: ["Date", "now", "Content-Type", type], body: Buffer.from(body) });

/** Each drone's answers in order, the last again and again. */
function drones(script: Record<string, CanaryAnswer[]>): { ids: string[]; ask: AskDrone; asked: string[] } {
  const asked: string[] = [];
  const ask: AskDrone = async (drone) => {
    const count = asked.filter((id) => id === drone).length;
    asked.push(drone);
    const answers = script[drone] ?? [];
    return answers[Math.min(count, answers.length - 1)] ?? null;
  };
  return { ids: Object.keys(script), ask, asked };
}

describe("the answers to a canary", () => {
  const a = page("a");
  const cases: ReadonlyArray<{ title: string; script: Record<string, CanaryAnswer[]>; found: Record<string, RegExp> }> =
    [
      { title: "all alike", script: { x: [a], y: [a], z: [a] }, found: {} },
      {
        title: "one with another body",
        script: { x: [a], y: [page("b")], z: [a] },
        found: { y: /GET \/about with another body \(3e23e816 and not ca978112\), unlike 2 of 3 drones/ },
      },
      {
        title: "one with another status",
        script: { x: [a], y: [a], z: [page("a", 302)] },
        found: { z: /status 302 and not 200/ },
      },
      {
        title: "one with another field that is compared",
        script: { x: [page("a", 200, "text/html")], y: [a], z: [a] },
        found: { x: /other headers/ },
      },
      { title: "two that differ: nobody knows which is right", script: { x: [a], y: [page("b")] }, found: {} },
      { title: "all different", script: { x: [a], y: [page("b")], z: [page("c")] }, found: {} },
      {
        title: "as many of one sort as of the other",
        script: { x: [a], y: [a], z: [page("b")], w: [page("b")] },
        found: {},
      },
      {
        title: "a plurality that is no majority",
        script: { x: [a], y: [a], z: [page("b")], w: [page("c")] },
        found: {},
      },
      {
        title: "two liars of five",
        script: { v: [page("l")], w: [page("m")], x: [a], y: [a], z: [a] },
        found: { v: /3 of 5/, w: /3 of 5/ },
      },
      {
        title: "errors, too many requests, silence",
        script: { x: [a], y: [a], z: [page("b", 503)], w: [null], v: [page("b", 429)] },
        found: {},
      },
      {
        title: "a page that is changed under way",
        script: { x: [a, page("new")], y: [page("new")], z: [a, page("new")] },
        found: {},
      },
      { title: "one that was late with a change", script: { x: [a], y: [page("old"), a], z: [a] }, found: {} },
      { title: "one that says nothing the second time", script: { x: [a], y: [page("b"), null], z: [a] }, found: {} },
    ];
  for (const { title, script, found } of cases) {
    test(`${title}: ${Object.keys(found).join(" and ") || "nobody"} is found`, async () => {
      const { ids, ask } = drones(script);
      const told = await sendCanary(request, ids, ask);
      assert.deepEqual([...told.keys()].toSorted(), Object.keys(found).toSorted());
      for (const [drone, text] of told) assert.match(text, found[drone]!);
    });
  }

  test("what is not compared makes no difference", () => {
    const answers = ["one", "two"].map((date) =>
      canaryAnswer(request, { status: 200, headers: ["Date", date, "content-TYPE", "x"], body: Buffer.from("a") }),
    );
    assert.ok(answers[0] !== null && answers[1] !== null);
    assert.deepEqual(answers[0], answers[1]);
    assert.equal(
      majorityOf([
        ["x", answers[0]!],
        ["y", answers[1]!],
      ]),
      null,
    );
  });
});

describe("the watch", () => {
  const a = page("a");
  function watch(script: Record<string, CanaryAnswer[]>, self = "b-cell") {
    const { ids, ask, asked } = drones(script);
    const found: string[] = [];
    const waits: number[] = [];
    const canaries = new CanaryWatch({
      requests: [request],
      everyMs: 10_000,
      self,
      ask,
      drones: () => ids,
      onFound: (drone) => void found.push(drone),
      wait: async (ms) => void waits.push(ms),
    });
    const settled = async (): Promise<void> => {
      for (let i = 0; i < 50; i += 1) await turn();
    };
    return { canaries, found, waits, asked, settled };
  }

  test("believes a difference that two rounds find", async () => {
    const { canaries, found, waits, settled } = watch({ x: [a], y: [page("b")], z: [a] });
    canaries.look(0);
    await settled();
    assert.deepEqual([found, waits], [["y"], [confirmMs]]);
  });

  test("and none that is gone in the second", async () => {
    const { canaries, found, settled } = watch({ x: [a], y: [page("b"), page("b"), a], z: [a] });
    canaries.look(0);
    await settled();
    assert.deepEqual(found, []);
  });

  test("asks at its interval, and never two alone", async () => {
    const { canaries, asked, settled } = watch({ x: [a], y: [a], z: [a] });
    for (const nowMs of [0, 250, 9_999]) canaries.look(nowMs);
    await settled();
    assert.equal(asked.length, 3);
    canaries.look(10_000);
    await settled();
    assert.equal(asked.length, 6);
    const two = watch({ x: [a], y: [page("b")] });
    two.canaries.look(0);
    await two.settled();
    assert.deepEqual(two.asked, []);
  });

  test("follows up what a relative suspects, once in a while, and only of drones", async () => {
    const { canaries, found, asked, settled } = watch({ w: [a], x: [a], y: [page("b")], z: [a] });
    canaries.followUp("b-cell", 0);
    await settled();
    assert.deepEqual(asked, []);
    canaries.followUp("y", 0);
    await settled();
    assert.deepEqual(found, ["y"]);
    const count = asked.length;
    canaries.followUp("y", 4_999);
    await settled();
    assert.equal(asked.length, count, "nobody can make us ask for ever");
    canaries.followUp("y", 5_000);
    await settled();
    assert.ok(asked.length > count);
  });

  test("looks again where its own looks have missed it, a few times", async () => {
    // Busy at first; and of each later look both rounds.
    const { canaries, found, asked, settled } = watch({ x: [a], y: [null, page("b")], z: [a] });
    canaries.followUp("y", 0);
    await settled();
    assert.deepEqual(found, []);
    canaries.pursue(followUpMsMin - 1);
    await settled();
    assert.equal(asked.length, 3, "not at once");
    canaries.pursue(followUpMsMin);
    await settled();
    assert.deepEqual(found, ["y"]);

    const well = watch({ x: [a], y: [a], z: [a] });
    well.canaries.followUp("y", 0);
    for (let look = 0; look < 2 * followUpsMax; look += 1) {
      await well.settled();
      well.canaries.pursue(look * followUpMsMin);
    }
    await well.settled();
    assert.equal(well.asked.length, 3 * followUpsMax);
  });

  test("of a drone counts its own answer, and does not judge itself", async () => {
    const three = { x: [a], y: [page("b")], z: [a] };
    const sibling = watch(three, "x");
    sibling.canaries.followUp("y", 0);
    await sibling.settled();
    assert.deepEqual(sibling.found, ["y"]);

    const suspect = watch(three, "y");
    suspect.canaries.followUp("y", 0);
    await suspect.settled();
    assert.deepEqual(suspect.asked, []);
    suspect.canaries.followUp("x", 0);
    await suspect.settled();
    assert.deepEqual([suspect.found, suspect.asked.length > 0], [[], true]);
  });
});
