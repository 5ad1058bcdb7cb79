/** `cellws threats`: who attacked, how, and what was done about it. Read from the memory: it needs no living cell. */
import path from "node:path";
import type { ChronicleEntry } from "../../host/immune/chronicle.ts";
import { openThreats } from "../../host/immune/threats.ts";
import { renderThreats, rangesOf, threatsChart, totalsOf } from "../../view/threats.ts";
import { wallClock } from "../clock.ts";
import type { CliCommand, OrganismOptions } from "../command.ts";
import { addExamples, addOrganismOptions, parseDurationOption } from "../command.ts";
import { judgeOutput, writeWhole } from "../output.ts";

interface ThreatsOptions extends OrganismOptions {
  since: number;
  svg?: string;
  xarf?: boolean;
}

const sinceInitiallyMs = 24 * 3_600_000;

export const command: CliCommand<ThreatsOptions> = {
  define(command) {
    addOrganismOptions(command, { json: "print { name, incidents, attacks, ranges, rules, reports, seen } as JSON" });
    command
      .option("--since <duration>", "how far back (default: 24h)", parseDurationOption, sinceInitiallyMs)
      .option("--svg <file>", "write a plot over time here")
      .option("--xarf", "print the reports instead, as they are or would be sent");
    addExamples(command, [
      ["cellws threats", "of the last day"],
      ["cellws threats --since 7d --svg week.svg", "of a week, with a plot"],
      ["cellws threats --xarf", "what is told to others"],
    ]);
  },
  async run(context, _operands, { name, json, since, svg, xarf }) {
    const out = svg === undefined ? null : judgeOutput("--svg", path.resolve(context.cwd, svg));
    const { nowMs } = wallClock();
    const { notices, ...found } = openThreats(name, nowMs - since);
    for (const { code, message } of notices) context.note(`cellws: ${code}: ${message}`);
    const view = { ...found, nowMs, sinceMs: nowMs - since };
    if (out !== null) writeWhole(out, threatsChart({ ...view, sinceMs: firstOf(view) }, toMinute));
    if (xarf === true) {
      for (const document of view.xarf) context.out(JSON.stringify(document, null, json === true ? 0 : 2));
    } else if (json === true) {
      const { incidents, seen, reports } = view;
      const totals = {
        attacks: totalsOf(seen, "class"),
        ranges: rangesOf(incidents),
        rules: totalsOf(seen, "rule"),
      };
      context.out(JSON.stringify({ name: view.name, incidents: incidents.map(toJson), ...totals, reports, seen }));
    } else for (const line of renderThreats(view, context.style)) context.out(line);
    if (out !== null) context.note(`cellws: the plot is in ${out}`);
    return 0;
  },
};

function toJson({ issuedAtMs, untilMs, ...rest }: ChronicleEntry) {
  return { ...rest, issuedAt: new Date(issuedAtMs).toISOString(), until: new Date(untilMs).toISOString() };
}

/** `2026-11-26 14:51 UTC` */
const toMinute = (ms: number): string => `${new Date(ms).toISOString().slice(0, 16).replace("T", " ")} UTC`;

const plotMsMin = 10 * 60_000;

/** An attack of five minutes would be a line in a plot of a day: it begins a little before the first that was seen. */
function firstOf({
  seen,
  sinceMs,
  nowMs,
}: {
  seen: ReadonlyArray<{ minute: number }>;
  sinceMs: number;
  nowMs: number;
}): number {
  const [first] = seen;
  if (first === undefined) return sinceMs;
  return Math.max(sinceMs, Math.min(nowMs - plotMsMin, (first.minute - 1) * 60_000));
}
