/** `cellws bans list`: one line a range, the longest in force last; and the same as JSON. */
import type { BanAction, BanBody } from "../core/record.ts";
import type { Ink, Style } from "./style.ts";
import type { Column } from "./table.ts";
import { renderTable } from "./table.ts";
import { formatAge, formatDuration } from "./units.ts";

const columns: Column[] = [
  { title: "RANGE", align: "left" },
  { title: "ACTION", align: "left" },
  { title: "REASON", align: "left" },
  { title: "OFFENCE", align: "right" },
  { title: "SINCE", align: "right" },
  { title: "LEFT", align: "right" },
];

const inks: Readonly<Record<BanAction, Ink | null>> = {
  ban: "red",
  tarpit: "yellow",
  "rate-limit": "yellow",
  watch: null,
  lifted: "dim",
};

export function renderBans(bans: readonly BanBody[], nowMs: number, style: Style): string[] {
  const rows = bans
    .toSorted((a, b) => a.untilMs - b.untilMs)
    .map(({ range, action, reason, offence, issuedAtMs, untilMs }) => [
      { text: range },
      { text: action, ink: inks[action] },
      { text: reason },
      { text: String(offence) },
      { text: formatAge(nowMs - issuedAtMs) },
      { text: formatDuration(untilMs - nowMs) },
    ]);
  return renderTable(columns, rows, style);
}
