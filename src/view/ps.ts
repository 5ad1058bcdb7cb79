/** `cellws ps`: one line a cell, eldest first; and the same as JSON, whose shape others rely on. */
import type { OrganismSurvey, SurveyedCell } from "../wire/survey.ts";
import type { Style } from "./style.ts";
import { classInk, stateInk } from "./style.ts";
import type { Column, TableCell } from "./table.ts";
import { renderTable } from "./table.ts";
import { formatAge, formatBytes, formatShare } from "./units.ts";

export interface PsJson {
  organism: string;
  revision: string;
  cells: Array<
    Pick<
      SurveyedCell,
      "id" | "class" | "pid" | "mother" | "generation" | "bornAt" | "state" | "load" | "rssBytes" | "inFlight"
    >
  >;
}

/** `nowMs`: wall clock, against which `bornAt` is an age; `parseTime` reads RFC 3339. */
export interface Clock {
  nowMs: number;
  parseTime: (rfc3339: string) => number;
}

const columns: Column[] = [
  { title: "ID", align: "left" },
  { title: "CLASS", align: "left" },
  { title: "PID", align: "right" },
  { title: "MOTHER", align: "left" },
  { title: "GEN", align: "right" },
  { title: "AGE", align: "right" },
  { title: "STATE", align: "left" },
  { title: "LOAD", align: "right" },
  { title: "RSS", align: "right" },
  { title: "IN FLIGHT", align: "right" },
];

export function renderPs(survey: OrganismSurvey, clock: Clock, style: Style): string[] {
  return renderTable(
    columns,
    survey.cells.map((cell) => renderCell(cell, clock)),
    style,
  );
}

export function psJson(survey: OrganismSurvey): PsJson {
  return {
    organism: survey.organism,
    revision: survey.revision,
    cells: survey.cells.map(
      ({ id, class: cellClass, pid, mother, generation, bornAt, state, load, rssBytes, inFlight }) => ({
        id,
        class: cellClass,
        pid,
        mother,
        generation,
        bornAt,
        state,
        load,
        rssBytes,
        inFlight,
      }),
    ),
  };
}

export function ageMsOf(bornAt: string, clock: Clock): number | null {
  const bornAtMs = clock.parseTime(bornAt);
  // Clocks are set: nobody is born in the future.
  return Number.isFinite(bornAtMs) ? Math.max(0, clock.nowMs - bornAtMs) : null;
}

function renderCell(cell: SurveyedCell, clock: Clock): TableCell[] {
  return [
    { text: cell.id },
    { text: cell.class, ink: classInk[cell.class] },
    { text: String(cell.pid) },
    { text: cell.mother ?? UNKNOWN, ink: "dim" },
    { text: String(cell.generation) },
    { text: orUnknown(ageMsOf(cell.bornAt, clock), formatAge) },
    { text: cell.state, ink: stateInk[cell.state] },
    { text: orUnknown(cell.load, formatShare) },
    { text: orUnknown(cell.rssBytes, formatBytes) },
    { text: orUnknown(cell.inFlight, String) },
  ];
}

const UNKNOWN = "-";

function orUnknown(value: number | null, format: (value: number) => string): string {
  return value === null ? UNKNOWN : format(value);
}
