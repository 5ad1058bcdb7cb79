/**
 * What does size cost? Colonies of 10^2 to 10^5 cells: messages a cell and second at rest, messages a cell for one death, one
 * piece of news, one cell that hangs, and bytes of state a cell.
 *
 *   npm run sim:scale                                                   100 to 10,000 cells: a minute or two
 *   npm run sim:scale -- --cells 100,1000,10000,100000 --out docs/plots/scale.svg    some minutes, and some GB
 *   --hang-max 10000   also lets a cell hang where there are so many (default 1,000: every cell draws the jury by itself)
 */
import fs from "node:fs";
import { parseArgs } from "node:util";
import type { Traffic } from "../src/sim/colony.ts";
import { Colony } from "../src/sim/colony.ts";
import type { ChartColor, Series } from "../src/view/chart.ts";
import { renderChart } from "../src/view/chart.ts";

const { values } = parseArgs({
  options: {
    cells: { type: "string", default: "100,1000,10000" },
    "hang-max": { type: "string", default: "1000" },
    out: { type: "string" },
    json: { type: "boolean", default: false },
  },
});
const sizes = values.cells.split(",").map(Number);
const hangMax = Number(values["hang-max"]);
if (sizes.some((size) => !Number.isInteger(size) || size < 20 || size > 1_000_000) || !Number.isInteger(hangMax)) {
  console.error(
    "sim-scale: --cells takes whole numbers from 20 to 1000000 with commas between, --hang-max a whole number",
  );
  process.exit(2);
}

const quietMs = 1_000;
const warmUpMs = 2_500;
/** Enough for the death to be known, a call to be answered or found unheard, and the replacement to be born. */
const deathMs = 3_000;
const newsCount = 10;
const newsEveryMs = 100;
/** A hung cell's trial: suspicion of six times four looks, a vote, the execution, and the replacement. */
const hangMs = 25_000;

interface Measured {
  readonly cells: number;
  /** At rest, for each cell and second. */
  readonly quiet: {
    readonly messages: number;
    readonly bytes: number;
    readonly questions: number;
    readonly busiest: number;
  };
  /** Beyond what was sent at rest, for each cell, in all. */
  readonly death: Extra;
  readonly news: Extra;
  readonly hang: (Extra & { readonly wasEnded: boolean }) | null;
  readonly stateBytes: { readonly own: number; readonly roster: number };
  readonly heapBytesPerCell: number;
  readonly eventsPerSecond: number;
}

interface Extra {
  readonly messages: number;
  readonly bytes: number;
  readonly questions: number;
}

const results = sizes.map(measure);
if (values.out !== undefined) fs.writeFileSync(values.out, plot(results));
console.log(values.json ? JSON.stringify(results) : table(results));

function measure(cells: number): Measured {
  const startedMs = performance.now();
  const heapBefore = process.memoryUsage().heapUsed;
  const colony = new Colony({ cellCount: cells });
  colony.run(warmUpMs);
  colony.takeTraffic();

  colony.run(quietMs);
  const atRest = colony.takeTraffic();
  const heapBytesPerCell = Math.round((process.memoryUsage().heapUsed - heapBefore) / cells);
  const stateBytes = colony.stateBytes();
  const perSecond = (value: number): number => value / cells / (quietMs / 1000);
  const quiet = {
    messages: perSecond(messagesOf(atRest)),
    bytes: perSecond(atRest.bytes),
    questions: perSecond(atRest.probes + atRest.inspections),
    busiest: atRest.heardMax / (quietMs / 1000),
  };
  const beyond = (traffic: Traffic, forMs: number, events = 1): Extra => {
    const seconds = forMs / 1000;
    return {
      messages: (messagesOf(traffic) / cells - quiet.messages * seconds) / events,
      bytes: (traffic.bytes / cells - quiet.bytes * seconds) / events,
      questions: ((traffic.probes + traffic.inspections) / cells - quiet.questions * seconds) / events,
    };
  };

  for (const id of colony.some("b-cell", newsCount)) {
    colony.speak(id);
    colony.run(newsEveryMs);
  }
  const news = beyond(colony.takeTraffic(), newsCount * newsEveryMs, newsCount);

  colony.kill(colony.some("drone", 1)[0]!);
  colony.run(deathMs);
  const death = beyond(colony.takeTraffic(), deathMs);
  let events = atRest.events;

  let hang: Measured["hang"] = null;
  if (cells <= hangMax) {
    const [victim] = colony.some("drone", 3);
    colony.halt(victim!);
    colony.run(hangMs);
    const traffic = colony.takeTraffic();
    events += traffic.events;
    hang = { ...beyond(traffic, hangMs), wasEnded: !colony.isAlive(victim!) };
  }
  const eventsPerSecond = Math.round(events / ((performance.now() - startedMs) / 1000));
  console.error(`${cells} cells: ${Math.round((performance.now() - startedMs) / 1000)} s`);
  return { cells, quiet, death, news, hang, stateBytes, heapBytesPerCell, eventsPerSecond };
}

function messagesOf({ messages }: Traffic): number {
  return Object.values(messages).reduce((sum, count) => sum + count, 0);
}

function table(measured: readonly Measured[]): string {
  const rows = measured.map(({ cells, quiet, death, news, hang, stateBytes, heapBytesPerCell }) => [
    String(cells),
    quiet.messages.toFixed(1),
    (quiet.bytes / 1024).toFixed(1),
    quiet.questions.toFixed(1),
    String(Math.round(quiet.busiest)),
    news.messages.toFixed(2),
    death.messages.toFixed(2),
    hang === null ? "-" : `${hang.messages.toFixed(1)}${hang.wasEnded ? "" : " (not ended)"}`,
    (stateBytes.own / 1024).toFixed(1),
    (stateBytes.roster / 1024).toFixed(0),
    (heapBytesPerCell / 1024).toFixed(1),
  ]);
  const head = [
    "cells",
    "messages/s",
    "KiB/s",
    "questions/s",
    "busiest/s",
    "one news",
    "one death",
    "one hang",
    "own KiB",
    "roster KiB",
    "heap KiB",
  ];
  const widths = head.map((title, i) => Math.max(title.length, ...rows.map((row) => row[i]!.length)));
  return [head, ...rows].map((row) => row.map((text, i) => text.padStart(widths[i]!)).join("  ")).join("\n");
}

function plot(measured: readonly Measured[]): string {
  const series = (
    name: string,
    color: ChartColor,
    of: (one: Measured) => number | null,
    dash?: Series["dash"],
  ): Series => ({
    name,
    kind: "marked",
    color,
    ...(dash === undefined ? {} : { dash }),
    points: measured.map((one) => [one.cells, of(one)] as const),
  });
  return renderChart({
    title: "What size costs a cell",
    notes: [
      "simulated colonies that are already grown; each cell runs the step of production",
      "made by: npm run sim:scale",
    ],
    x: { label: "cells in the organism", scale: "log" },
    panels: [
      {
        y: { label: "at rest, a second" },
        series: [
          series("messages to kin", "blue", (one) => one.quiet.messages),
          series("questions", "orange", (one) => one.quiet.questions, "dashed"),
          series("busiest cell takes in", "grey", (one) => one.quiet.busiest, "dotted"),
        ],
      },
      {
        y: { label: "messages for one", from: 0 },
        series: [
          series("piece of news", "blue", (one) => one.news.messages),
          series("death, in three seconds", "orange", (one) => one.death.messages, "dashed"),
          ...(measured.some(({ hang }) => hang !== null)
            ? [series("hang, till ended", "purple", (one) => one.hang?.messages ?? null, "dotted")]
            : []),
        ],
      },
      {
        y: { label: "KiB of state", scale: "log" },
        series: [
          series("its own", "green", (one) => one.stateBytes.own / 1024),
          series("roster of all others", "black", (one) => one.stateBytes.roster / 1024, "dashed"),
        ],
      },
    ],
  });
}
