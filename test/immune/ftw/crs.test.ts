// The Core Rule Set's own regression tests, without sockets; and that the screen changes nothing but the time they take.
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { describe, test } from "node:test";
import * as fc from "fast-check";
import { loadRules } from "../../../src/host/immune/load-rules.ts";
import { parseSecLang } from "../../../src/immune/seclang/parse.ts";
import type { RuleSet } from "../../../src/immune/seclang/rule-set.ts";
import type { Screen } from "../../../src/immune/seclang/screen.ts";
import { buildScreen } from "../../../src/immune/seclang/screen.ts";
import type { FtwRequest } from "./raw-request.ts";
import { requestOf } from "./raw-request.ts";
import { crsFolder, debianCrs, skipWithoutCrs, skipWithoutDebianCrs } from "./rule-places.ts";
import { checkStage, readStages, runRequest } from "./run.ts";

/** What the test suite sets up: all paranoia levels, all limits, and no rule ends the request. */
const testSetup = `
  SecRuleEngine DetectionOnly
  SecResponseBodyAccess On
  SecAction "id:900005,phase:1,nolog,pass,\\
    setvar:tx.blocking_paranoia_level=4,setvar:tx.crs_validate_utf8_encoding=1,\\
    setvar:tx.arg_name_length=100,setvar:tx.arg_length=400,setvar:tx.total_arg_length=64000,\\
    setvar:tx.max_num_args=255,setvar:tx.max_file_size=64100,setvar:tx.combined_file_sizes=65535"`;

/** Stages that fail, each with its reason: none. */
const exceptions: ReadonlyArray<{ stages: RegExp; reason: string }> = [];

describe("the Core Rule Set 4", { skip: skipWithoutCrs }, () => {
  for (const folder of skipWithoutCrs === false ? testFolders() : []) {
    test(`fires as ${folder} expects`, () => {
      const stages = readStages(path.join(crsFolder, "tests", folder));
      const failures = stages.flatMap((stage) => {
        const wrong = checkStage(crs(), stage, { screen: crsScreen() });
        const isKnown = exceptions.some(({ stages }) => stages.test(stage.name));
        if (wrong !== null) return isKnown ? [] : [`${stage.name}: ${wrong}`];
        return isKnown ? [`${stage.name}: passes, though it is listed as an exception`] : [];
      });
      assert.ok(stages.length > 0);
      assert.deepEqual(failures, []);
    });
  }
});

describe("the screen", { skip: skipWithoutCrs }, () => {
  // Some of the larger bodies take plain patterns many seconds, which is what the screen is for.
  const bytesMax = 16 * 1024;
  const requests = (): FtwRequest[] =>
    testFolders()
      .flatMap((folder) => readStages(path.join(crsFolder, "tests", folder)))
      .map(({ input }) => requestOf(input))
      .filter(({ isRefused, body }) => !isRefused && body.length < bytesMax);

  test("spares no rule that matches, on every fourth request of the test suite", () => {
    const some = requests().filter((_, index) => index % 4 === 0);
    assert.ok(some.length > 400);
    for (const request of some) sameHits(request);
  });

  test("spares no rule that matches, on requests of the test suite into which others are mixed", () => {
    const all = requests();
    const request = fc.nat({ max: all.length - 1 }).map((index) => all[index]!);
    const mixed = fc.tuple(request, request, fc.nat({ max: 99 }), fc.nat({ max: 99 })).map(([one, other, from, to]) => {
      const mix = (left: string, right: string): string =>
        left.slice(0, Math.floor((left.length * from) / 100)) + right.slice(Math.floor((right.length * to) / 100));
      const target = mix(one.facts.target, other.facts.target);
      const headers = one.facts.headers.map((text, i) =>
        i % 2 === 0 ? text : mix(text, other.facts.headers[i] ?? ""),
      );
      return { facts: { ...one.facts, target, headers }, body: mix(one.body, other.body) };
    });
    fc.assert(fc.property(mixed, sameHits), { numRuns: 300 });
  });

  function sameHits(request: Pick<FtwRequest, "facts" | "body">): void {
    assert.deepEqual(runRequest(crs(), request, { screen: crsScreen() }), runRequest(crs(), request));
  }
});

describe("Debian's Core Rule Set 3.3.4", { skip: skipWithoutDebianCrs }, () => {
  test("loads, and scores an attack but not a harmless request", () => {
    const rules = loadRules([debianCrs.setup, debianCrs.rules]);
    assert.ok(rules.ruleCount > 700);
    assert.ok(rules.notices.some(({ text }) => text === "rule 910100 does nothing: @geoLookup never matches here"));
    const facts = {
      uniqueId: "1",
      clientAddress: "192.0.2.7",
      clientPort: 1,
      serverAddress: "192.0.2.1",
      serverPort: 80,
      method: "GET",
      protocol: "HTTP/1.1",
      headers: ["Host", "example.org", "User-Agent", "Mozilla/5.0", "Accept", "*/*"],
    };
    const attack = runRequest(rules, { facts: { ...facts, target: "/?file=../../../../etc/passwd" }, body: "" });
    assert.ok(attack.score.inbound >= 5, String(attack.score.inbound));
    assert.equal(attack.verdict, "block");
    const harmless = runRequest(rules, { facts: { ...facts, target: "/?q=tea" }, body: "" });
    assert.deepEqual([harmless.verdict, harmless.score.inbound], ["pass", 0]);
  });
});

function testFolders(): string[] {
  return fs.readdirSync(path.join(crsFolder, "tests")).sort();
}

let loaded: RuleSet | null = null;
let screen: Screen | null = null;

/** Loaded once, and only where a test runs. */
function crs(): RuleSet {
  loaded ??= loadRules([path.join(crsFolder, "crs-setup.conf.example"), path.join(crsFolder, "rules")], {
    prologue: parseSecLang(testSetup, "test-setup.conf"),
  });
  return loaded;
}

function crsScreen(): Screen {
  screen ??= buildScreen(crs());
  return screen;
}
