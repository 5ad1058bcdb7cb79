/**
 * How many of the Core Rule Set's positive tests the built-in filters catch by themselves, by class of attack.
 *
 *     CRS_DIR=... node scripts/filter-share.ts
 *     CRS_DIR=... node scripts/filter-share.ts --missed 942 --half written     those that are missed
 *     CRS_DIR=... node scripts/filter-share.ts --json
 *
 * "written": the half of the files that the filters were written with; "held out": the other.
 */
import { parseArgs } from "node:util";
import { buildBuiltin } from "../src/immune/builtin/screen.ts";
import type { Outcome } from "../test/immune/builtin/crs-share.ts";
import {
  CLASSES,
  isCaught,
  judgeSample,
  NAMED_CLASSES,
  readSamples,
  shareOf,
} from "../test/immune/builtin/crs-share.ts";
import { crsFolder, skipWithoutCrs } from "../test/immune/ftw/rule-places.ts";

const { values: options } = parseArgs({
  options: {
    missed: { type: "string" },
    caught: { type: "string" },
    half: { type: "string" },
    json: { type: "boolean", default: false },
  },
});

if (skipWithoutCrs !== false) {
  console.error(skipWithoutCrs);
  process.exit(2);
}
const screen = buildBuiltin();
const outcomes = readSamples(crsFolder).map((sample) => judgeSample(screen, sample));
const halves: Readonly<Record<string, (outcome: Outcome) => boolean>> = {
  all: () => true,
  "level 1": ({ sample }) => sample.paranoia === 1,
  written: ({ sample }) => !sample.isHeldOut,
  "held out": ({ sample }) => sample.isHeldOut,
};

const shown = options.missed ?? options.caught;
if (shown !== undefined) {
  for (const outcome of outcomes) {
    const { sample, hits } = outcome;
    if (!sample.name.startsWith(shown) || isCaught(outcome) !== (options.missed === undefined)) continue;
    if (options.half !== undefined && !halves[options.half]!(outcome)) continue;
    const { facts, body } = sample.request;
    const headers = facts.headers.map((text, i) => (i % 2 === 0 ? `${text}: ` : `${text}; `)).join("");
    console.log(
      `${sample.name} (level ${sample.paranoia}) ${hits.map(({ name }) => name).join()} ${facts.method} ${readable(facts.target)} | ${readable(body)} | ${headers.slice(0, 400)}`,
    );
  }
} else {
  const rows = [...Object.entries(CLASSES), ["", "of the classes that they name (not 920)"] as const].map(
    ([prefix, title]) => ({
      prefix,
      title,
      ...Object.fromEntries(
        Object.entries(halves).map(([name, belongs]) => [
          name,
          shareOf(
            outcomes.filter(
              (outcome) =>
                (prefix === "" ? NAMED_CLASSES.has(outcome.sample.classOf) : outcome.sample.classOf === prefix) &&
                belongs(outcome),
            ),
          ),
        ]),
      ),
    }),
  );
  if (options.json) console.log(JSON.stringify(rows));
  else for (const row of rows) console.log(line(row));
}

function line({ prefix, title, ...shares }: { prefix: string; title: string } & Record<string, unknown>): string {
  const texts = Object.entries(shares).map(([name, share]) => {
    const { caught, all } = share as { caught: number; all: number };
    return `${name} ${all === 0 ? "-" : `${((100 * caught) / all).toFixed(1)} % (${caught}/${all})`}`.padEnd(30);
  });
  return `${prefix.padEnd(4)}${title.padEnd(40)}${texts.join("")}`.trimEnd();
}

function readable(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll("+", " ")).slice(0, 500);
  } catch {
    return text.slice(0, 500);
  }
}
