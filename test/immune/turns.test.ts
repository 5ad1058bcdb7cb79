// Large requests are judged in turns, and what takes too long is stopped, refused and counted.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { evaluateInTurns, runFairlyWatched, runWatched } from "../../src/host/immune/turns.ts";
import { evaluatePhase, evaluateSlice, giveUp } from "../../src/immune/seclang/evaluate.ts";
import type { Judgement } from "../../src/immune/seclang/judgement.ts";
import { judge } from "../../src/immune/seclang/judgement.ts";
import { parseSecLang } from "../../src/immune/seclang/parse.ts";
import { buildRuleSet } from "../../src/immune/seclang/rule-set.ts";
import { buildScreen, forgetLearned } from "../../src/immune/seclang/screen.ts";
import type { Transaction } from "../../src/immune/seclang/transaction.ts";
import { giveRequestBody, openTransaction } from "../../src/immune/seclang/transaction.ts";

const facts = {
  uniqueId: "1",
  clientAddress: "192.0.2.7",
  clientPort: 1,
  serverAddress: "192.0.2.1",
  serverPort: 80,
  method: "POST",
  target: "/",
  protocol: "HTTP/1.1",
  headers: ["Content-Type", "application/x-www-form-urlencoded"],
};

function screenOf(text: string): Transaction["options"] & { rules: Transaction["rules"] } {
  const rules = buildRuleSet(parseSecLang(text, "my.conf"), { readData: () => "" });
  return { rules, screen: buildScreen(rules) };
}

const manyRules = (engine: string): string =>
  [
    `SecRuleEngine ${engine}`,
    ...Array.from(
      { length: 40 },
      (_, i) => `SecRule ARGS "@rx [a-y]${i}[a-y]+z$" "id:${i + 1},phase:2,deny,chain"\n  SecRule ARGS "@rx q"`,
    ),
  ].join("\n");

function open(rules: string, body: string): Transaction {
  const { rules: set, ...options } = screenOf(rules);
  const transaction = openTransaction(set, facts, options);
  evaluatePhase(transaction, 1);
  giveRequestBody(transaction, body);
  return transaction;
}

const body = `a=${"abc7de".repeat(20_000)}&b=q&c=x39xyz`;

describe("a large request", () => {
  test("is judged in several turns as it is at once", () => {
    const atOnce = open(manyRules("On"), body);
    evaluatePhase(atOnce, 2);
    const inTurns = open(manyRules("On"), body);
    let turns = 1;
    while (!evaluateSlice(inTurns, 2, 1)) turns += 1;
    assert.ok(turns > 1, String(turns));
    assert.deepEqual(judge(inTurns), judge(atOnce));
    assert.deepEqual(
      judge(atOnce).hits.map(({ id }) => id),
      [40],
    );
  });

  test("lets the event loop go round between its turns", async () => {
    const transaction = open(manyRules("On"), body);
    let rounds = 0;
    const count = (): void => {
      rounds += 1;
      next = setImmediate(count);
    };
    let next = setImmediate(count);
    await evaluateInTurns(transaction, 2, body.length);
    clearImmediate(next);
    assert.equal(judge(transaction).verdict, "block");
    assert.ok(rounds > 0);
  });
});

describe("a request that costs too much", () => {
  // A reference to a group: nothing but counting bounds that.
  const dear = (engine: string): string => `SecRuleEngine ${engine}
    SecRule ARGS "@rx (.+)(.+)(.+)!\\1\\2\\3" "id:1,phase:2,pass"
    SecRule ARGS "@rx a" "id:2,phase:2,pass"`;

  function judged(engine: string): Judgement {
    const transaction = open(dear(engine), `a=!${"abcdefgh".repeat(1000)}`);
    evaluatePhase(transaction, 2);
    return judge(transaction);
  }

  test("is refused, and the verdict says why", () => {
    const { verdict, status, overrun, hits } = judged("On");
    assert.deepEqual({ verdict, status, overrun, hits }, { verdict: "block", status: 403, overrun: true, hits: [] });
  });

  test("is watched where the rules only detect", () => {
    const { verdict, overrun } = judged("DetectionOnly");
    assert.deepEqual({ verdict, overrun }, { verdict: "watch", overrun: true });
  });

  test("says nothing of itself where nothing cost too much", () => {
    const transaction = open(dear("On"), "a=1");
    evaluatePhase(transaction, 2);
    assert.equal(judge(transaction).overrun, false);
  });
});

describe("the watchdog", () => {
  test("blames nobody for the time in which the machine did other things", () => {
    const idle = new Int32Array(new SharedArrayBuffer(4));
    let calls = 0;
    const answer = runFairlyWatched(() => {
      calls += 1;
      if (calls < 3) Atomics.wait(idle, 0, 0, 5_000);
      return "at last";
    }, 40);
    assert.deepEqual([answer, calls], ["at last", 3]);
  });

  test("blames at once who had the processor all the time, and in the end also who only waits", () => {
    const cpuMs = (): number => {
      const { user, system } = process.threadCpuUsage();
      return (user + system) / 1_000;
    };
    const begun: number[] = [];
    const busy = runFairlyWatched(() => {
      begun.push(cpuMs());
      for (;;);
    }, 200);
    assert.equal(busy, null);
    // How often it had to be begun is up to the machine: whoever is blamed has had half of the time, or all tries.
    const used = [...begun, cpuMs()].flatMap((ms, i, all) => (i === 0 ? [] : [ms - (all[i - 1] ?? 0)]));
    const last = used.pop() ?? 0;
    assert.ok(
      used.every((ms) => ms < 100),
      `${used.join(", ")} ms`,
    );
    assert.ok(last > 90 || begun.length === 10, `${last} ms at the end of ${begun.length}`);
    const idle = new Int32Array(new SharedArrayBuffer(4));
    const waits = (): unknown => Atomics.wait(idle, 0, 0, 60_000);
    assert.equal(runFairlyWatched(waits, 5), null);
  });

  test("stops what does not end, be it a loop or an expression of V8", () => {
    assert.equal(
      runWatched(() => {
        for (;;);
      }, 20),
      null,
    );
    assert.equal(
      runWatched(() => /(?:a+)+$/.test(`${"a".repeat(50)}b`), 20),
      null,
    );
  });

  test("hands on what came of the work, and what it threw", () => {
    assert.equal(
      runWatched(() => 42, 1000),
      42,
    );
    assert.throws(
      () =>
        runWatched(() => {
          throw new RangeError("mine");
        }, 1000),
      RangeError,
    );
  });

  test("leaves an engine that judges as before, once what it learned is forgotten", () => {
    const { rules, ...options } = screenOf(manyRules("On"));
    const run = (): Judgement => {
      const transaction = openTransaction(rules, facts, options);
      giveRequestBody(transaction, body);
      evaluatePhase(transaction, 2);
      return judge(transaction);
    };
    const before = run();
    forgetLearned(options.screen!);
    assert.deepEqual(run(), before);
  });

  test("has a stopped exchange refused", () => {
    const transaction = open(manyRules("On"), "a=1");
    giveUp(transaction);
    evaluatePhase(transaction, 2);
    assert.deepEqual([judge(transaction).verdict, judge(transaction).overrun], ["block", true]);
  });
});
