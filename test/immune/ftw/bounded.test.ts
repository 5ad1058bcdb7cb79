// What the Core Rule Set's patterns may cost: counted in steps, since time is for bench/ and scripts/fuzz-regex.ts.
import assert from "node:assert/strict";
import path from "node:path";
import { describe, test } from "node:test";
import { loadRules } from "../../../src/host/immune/load-rules.ts";
import { evaluatePhase, evaluateSlice } from "../../../src/immune/seclang/evaluate.ts";
import { judge } from "../../../src/immune/seclang/judgement.ts";
import { parseSecLang } from "../../../src/immune/seclang/parse.ts";
import { buildScreen } from "../../../src/immune/seclang/screen.ts";
import type { Transaction } from "../../../src/immune/seclang/transaction.ts";
import { giveRequestBody, openTransaction } from "../../../src/immune/seclang/transaction.ts";
import { urlEncode } from "../../../src/immune/seclang/transformations/url-encode.ts";
import { attackValues } from "../attack-values.ts";
import { crsFolder, skipWithoutCrs } from "./rule-places.ts";

/** Some 5 ns each: 25 ms. */
const STEPS_MAX = 5_000_000;

describe("with the Core Rule Set, all paranoia levels", { skip: skipWithoutCrs }, () => {
  const open = opener();

  test("no value of 8 KB is given up, or takes more steps than it may", () => {
    for (const { name, value } of attackValues()) {
      const transaction = open("application/x-www-form-urlencoded", value);
      giveRequestBody(transaction, `field=${urlEncode(value)}`);
      const before = transaction.evaluation!.meter.left;
      evaluatePhase(transaction, 2);
      const steps = before - transaction.evaluation!.meter.left;
      assert.equal(judge(transaction).overrun, false, name);
      assert.ok(steps < STEPS_MAX, `${name}: ${steps} steps`);
    }
  });

  test("a body of 128 KB is judged in turns, each of few steps", () => {
    for (const { name, value } of attackValues().filter((_, index) => index % 9 === 0)) {
      const transaction = open("application/json", value);
      giveRequestBody(
        transaction,
        JSON.stringify({ text: value.repeat(15).replace(/[^ -~]/g, "?") }).slice(0, 130_000),
      );
      for (let done = false; !done;) {
        const before = transaction.evaluation!.meter.left;
        done = evaluateSlice(transaction, 2, 500_000);
        const steps = before - transaction.evaluation!.meter.left;
        // The search in hand is not cut short: 4 million is what one may take.
        assert.ok(steps < 4_500_000, `${name}: ${steps} steps in a turn`);
      }
      assert.equal(judge(transaction).overrun, false, name);
    }
  });
});

function opener(): (type: string, value: string) => Transaction {
  if (skipWithoutCrs !== false) return () => assert.fail("skipped");
  const rules = loadRules([path.join(crsFolder, "crs-setup.conf.example"), path.join(crsFolder, "rules")], {
    prologue: parseSecLang(
      `SecRuleEngine DetectionOnly
       SecAction "id:900005,phase:1,nolog,pass,setvar:tx.blocking_paranoia_level=4"`,
      "test-setup.conf",
    ),
  });
  const screen = buildScreen(rules);
  return (type, value) => {
    const transaction = openTransaction(
      rules,
      {
        uniqueId: "1",
        clientAddress: "192.0.2.7",
        clientPort: 1,
        serverAddress: "192.0.2.1",
        serverPort: 80,
        method: "POST",
        target: `/form?field=${encodeURIComponent(value.slice(0, 200).replace(/[^ -~]/g, "?"))}`,
        protocol: "HTTP/1.1",
        headers: ["Host", "example.org", "Accept", "*/*", "User-Agent", value.slice(0, 4000), "Content-Type", type],
      },
      { screen },
    );
    evaluatePhase(transaction, 1);
    return transaction;
  };
}
