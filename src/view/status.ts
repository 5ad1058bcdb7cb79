/**
 * `cellws status`: how the organism does, for a person in a hurry.
 *
 * The one question is whether a request would be answered now. A dormant egg counts as yes: the request itself
 * wakes it. An app that fails in one drone and runs in another is served, and the failing is told all the same.
 */
import type { CellClass } from "../core/cell.ts";
import { cellClasses } from "../core/cell.ts";
import type { AppHealth, CellTrouble, OrganismFile } from "../wire/control.ts";
import type { OrganismSurvey } from "../wire/survey.ts";
import { gravestAppHealth } from "../wire/survey.ts";
import type { Clock } from "./ps.ts";
import { ageMsOf } from "./ps.ts";
import type { Ink, Style } from "./style.ts";
import { judgeReadiness } from "./readiness.ts";
import { classInk, glyphs, paint } from "./style.ts";
import { printable } from "./text.ts";
import { formatCount, formatDuration, formatUrl, isEveryAddress } from "./units.ts";

export type StatusPhase =
  /** An egg alone, waiting for its first request. */
  | "dormant"
  /** The app is being loaded; requests wait. */
  | "loading"
  | "serving"
  /** Served, but the app fails in some drones. */
  | "impaired"
  /** The app cannot be loaded or run; clients get 503. */
  | "failing"
  /** A class that a request needs is missing; the organism should be regrowing it. */
  | "regrowing"
  | "stopping"
  /** Processes live, but none of them answers. */
  | "silent";

export interface OrganismStatus {
  name: string;
  organism: string;
  revision: string;
  phase: StatusPhase;
  serving: boolean;
  /** Whether a request would be served, as /readyz has it, and why. */
  ready: boolean;
  readiness: string;
  urls: string[];
  /** Of the admin listener; null where there is none. */
  adminUrl: string | null;
  startedAt: string | null;
  cwd: string | null;
  appFile: string | null;
  dnaFile: string | null;
  population: Partial<Record<CellClass, number>>;
  suspected: number;
  draining: number;
  /** Cells that live and did not answer. */
  unanswered: number;
  inFlight: number;
  app: AppHealth;
  /** Each once, whichever cells have it. */
  troubles: CellTrouble[];
}

export function judgeStatus(survey: OrganismSurvey, file: OrganismFile | null): OrganismStatus {
  const phase = judgePhase(survey);
  const { cells } = survey;
  const readiness = judgeReadiness(survey);
  const population: Partial<Record<CellClass, number>> = {};
  for (const cell of cells) population[cell.class] = (population[cell.class] ?? 0) + 1;
  return {
    name: survey.name,
    organism: survey.organism,
    revision: survey.revision,
    phase,
    serving: phaseServes[phase],
    ready: readiness.ready,
    readiness: readiness.why,
    urls: file?.listen.map(formatUrl) ?? [],
    adminUrl: file?.admin ? formatUrl({ ...file.admin, tls: false }) : null,
    startedAt: file?.startedAt ?? null,
    cwd: file?.cwd ?? null,
    appFile: file?.app ?? null,
    dnaFile: file?.dnaFile ?? null,
    population,
    suspected: cells.filter((cell) => cell.state === "suspected").length,
    draining: cells.filter((cell) => cell.state === "draining").length,
    unanswered: cells.filter((cell) => cell.evidence !== "self").length + survey.strangers.length,
    // B cells own the requests; what drones have in flight are the same ones.
    inFlight: cells.reduce((sum, cell) => sum + (cell.class === "b-cell" ? (cell.inFlight ?? 0) : 0), 0),
    app: appOf(survey, phase),
    troubles: troublesOf(survey),
  };
}

export function renderStatus(
  status: OrganismStatus,
  { clock, file, style }: { clock: Clock; file: OrganismFile | null; style: Style },
): string[] {
  const rows: Array<[label: string, value: string] | null> = [
    [
      "state",
      `${paint(style, phaseInk[status.phase], status.phase)} ${glyphs(style).dash} ${phaseMeaning[status.phase]}`,
    ],
    ["address", addresses(file).join("\n")],
    status.adminUrl === null ? null : ["admin", `${status.adminUrl}  (/metrics /healthz /readyz /status)`],
    // Where all is well the state says it already.
    status.ready && status.serving ? null : ["ready", `${status.ready ? "yes" : "no"}: ${status.readiness}`],
    ["alive", aliveSince(status, clock)],
    ["cells", describePopulation(status, style)],
    status.inFlight > 0 ? ["requests", `${status.inFlight} in flight`] : null,
    ["app", describeApp(status, style)],
    ["trouble", status.troubles.map((trouble) => describeTrouble(trouble, style)).join("\n")],
    status.dnaFile === null ? null : ["dna", status.dnaFile],
    ["revision", status.revision],
  ];
  const title = `${paint(style, "bold", status.name)} ${paint(style, "dim", status.organism)}`.trimEnd();
  return [title, ...rows.flatMap((row) => (row === null || row[1] === "" ? [] : renderRow(row, style)))];
}

const phaseServes = {
  dormant: true,
  loading: false,
  serving: true,
  impaired: true,
  failing: false,
  regrowing: false,
  stopping: false,
  silent: false,
} satisfies Record<StatusPhase, boolean>;

const phaseInk = {
  dormant: "yellow",
  loading: "yellow",
  serving: "green",
  impaired: "yellow",
  failing: "red",
  regrowing: "red",
  stopping: "yellow",
  silent: "red",
} satisfies Record<StatusPhase, Ink>;

const phaseMeaning = {
  dormant: "an egg that waits for the first request",
  loading: "the app is being loaded, requests wait",
  serving: "requests are answered",
  impaired: "requests are answered, but the app fails in some drones",
  failing: "the app does not run, clients get 503",
  regrowing: "cells that a request needs are missing, or do not answer",
  stopping: "it is coming to its end",
  silent: "its processes live, but none answers",
} satisfies Record<StatusPhase, string>;

function judgePhase(survey: OrganismSurvey): StatusPhase {
  const { cells } = survey;
  const answering = cells.filter((cell) => cell.evidence === "self");
  if (answering.length === 0) return "silent";
  if (cells.every((cell) => cell.state === "draining")) return "stopping";
  if (cells.every((cell) => cell.class === "egg")) return "dormant";

  const drones = answering.filter((cell) => cell.class === "drone" && cell.state !== "draining");
  const isReady = drones.some((cell) => cell.app?.state === "ready");
  const canAccept = answering.some((cell) => cell.class === "b-cell");
  if (isReady && canAccept) return drones.some((cell) => cell.app?.state === "failed") ? "impaired" : "serving";
  if (isReady) return "regrowing";
  if (survey.app.state === "failed") return "failing";
  return survey.app.state === "loading" || drones.some((cell) => cell.app?.state === "loading")
    ? "loading"
    : "regrowing";
}

/** What the drones themselves say, where any runs; an older failure that some cell still remembers is past. */
function appOf(survey: OrganismSurvey, phase: StatusPhase): AppHealth {
  if (phase !== "serving" && phase !== "impaired") return survey.app;
  return gravestAppHealth(survey.cells.flatMap((cell) => (cell.app === null ? [] : [cell.app])));
}

/** Cells that share a certificate share its trouble: of each code and message one is told. */
function troublesOf({ cells }: OrganismSurvey): CellTrouble[] {
  const all = cells.flatMap((cell) => cell.troubles ?? []);
  return [...new Map(all.map((trouble) => [`${trouble.code} ${trouble.message}`, trouble])).values()];
}

function describeTrouble({ code, message }: CellTrouble, style: Style): string {
  return `${paint(style, code.startsWith("CELLWS_W_") ? "yellow" : "red", code)} ${printable(message, style)}`;
}

function addresses(file: OrganismFile | null): string[] {
  return (file?.listen ?? []).map(
    (listen) => formatUrl(listen) + (isEveryAddress(listen.host) ? "  (on every address of this machine)" : ""),
  );
}

function aliveSince({ startedAt }: OrganismStatus, clock: Clock): string {
  if (startedAt === null) return "";
  const ageMs = ageMsOf(startedAt, clock);
  return ageMs === null ? "" : `since ${startedAt.replace(/\.\d+Z$/, "Z")} (${formatDuration(ageMs)})`;
}

function describePopulation(status: OrganismStatus, style: Style): string {
  const classes = cellClasses
    .filter((cellClass) => status.population[cellClass] !== undefined)
    .map((cellClass) => `${paint(style, classInk[cellClass], cellClass)} ${status.population[cellClass]}`);
  const remarks = [
    status.suspected > 0 ? paint(style, "red", `${status.suspected} suspected`) : "",
    status.draining > 0 ? paint(style, "yellow", `${status.draining} draining`) : "",
    status.unanswered > 0 ? paint(style, "red", `${status.unanswered} without an answer`) : "",
  ].filter((remark) => remark !== "");
  return classes.join(", ") + (remarks.length > 0 ? ` (${remarks.join(", ")})` : "");
}

/** Of a stack the first lines are the app's own, and the rest is how Node got there. */
const STACK_LINES_MAX = 6;

function describeApp(status: OrganismStatus, style: Style): string {
  const { app, appFile } = status;
  if (app.state !== "failed") {
    const state = app.state === "none" ? "not loaded" : app.state;
    return `${appFile ?? ""} ${paint(style, "dim", `(${state})`)}`.trim();
  }
  const { error } = app;
  const why =
    error === undefined
      ? []
      : [
          paint(style, "red", `${error.code}: ${printable(firstLine(error.message), style)}`),
          ...stackLines(error, style),
        ];
  return [`${appFile ?? ""} ${paint(style, "red", "(failed)")}`.trim(), ...why, describeAttempts(app)].join("\n");
}

function stackLines(error: NonNullable<AppHealth["error"]>, style: Style): string[] {
  const lines = (error.stack ?? "").split("\n").filter((line) => line.trim() !== "");
  // The stack begins with the message once more.
  const frames = lines.filter((line) => line.trimStart().startsWith("at "));
  const rest = frames.length - STACK_LINES_MAX;
  const shown = frames
    .slice(0, STACK_LINES_MAX)
    .map((line) => paint(style, "dim", `  ${printable(line.trim(), style)}`));
  return rest > 0 ? [...shown, paint(style, "dim", `  ... ${formatCount(rest, "more line")} in the log`)] : shown;
}

function firstLine(text: string): string {
  return text.split("\n")[0] ?? text;
}

function describeAttempts({ attempts, retryInMs }: AppHealth): string {
  const tried = attempts === undefined ? "" : `tried ${formatCount(attempts, "time")}; `;
  const next =
    retryInMs === undefined
      ? "next attempt when the app's files change"
      : retryInMs < 1_000
        ? "next attempt any moment"
        : `next attempt in ${formatDuration(retryInMs)}`;
  return tried + next;
}

function renderRow([label, value]: [string, string], style: Style): string[] {
  const width = 10;
  return value
    .split("\n")
    .map((line, index) => `  ${paint(style, "dim", (index === 0 ? label : "").padEnd(width))}${line}`);
}
