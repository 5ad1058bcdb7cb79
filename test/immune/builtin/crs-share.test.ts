// How many of the Core Rule Set's positive tests the filters catch by themselves, without that rule set.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { buildBuiltin } from "../../../src/immune/builtin/screen.ts";
import { crsFolder, skipWithoutCrs } from "../ftw/rule-places.ts";
import { CLASSES, judgeSample, NAMED_CLASSES, readSamples, shareOf } from "./crs-share.ts";

/** Of the classes of attack that the filters name, all paranoia levels together. */
const SHARE_MIN = 0.85;

describe("the built-in filters alone", { skip: skipWithoutCrs }, () => {
  test("catch most of the Core Rule Set's positive tests", (context) => {
    const screen = buildBuiltin();
    const outcomes = readSamples(crsFolder).map((sample) => judgeSample(screen, sample));
    for (const [prefix, title] of Object.entries(CLASSES)) {
      const { caught, all } = shareOf(outcomes.filter(({ sample }) => sample.classOf === prefix));
      context.diagnostic(`${prefix} ${title}: ${caught} of ${all}`);
    }
    const { caught, all } = shareOf(outcomes.filter(({ sample }) => NAMED_CLASSES.has(sample.classOf)));
    context.diagnostic(`of the classes that they name: ${caught} of ${all}`);
    assert.ok(all > 1000);
    assert.ok(caught >= SHARE_MIN * all, `${caught} of ${all}`);
  });
});
