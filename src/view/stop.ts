/** `cellws stop`: what it waits for while it waits, and what became of everybody. */
import type { CellClass } from "../core/cell.ts";
import type { Style } from "./style.ts";
import { classInk, paint } from "./style.ts";
import { formatCount, formatDuration } from "./units.ts";

interface Ending {
  id: string;
  class: CellClass;
  pid: number;
}

export interface StopProgressView {
  step: "asking" | "draining" | "killing" | "clearing";
  waiting: ReadonlyArray<Ending & { inFlight: number | null }>;
  elapsedMs: number;
  killAfterMs: number;
}

export interface StopOutcomeView {
  name: string;
  cells: readonly Ending[];
  killed: readonly Ending[];
  stuck: readonly Ending[];
  strangers: readonly string[];
  launcherEnded: "itself" | "signalled" | "none" | "stuck";
  removed: boolean;
  leftovers: readonly string[];
  elapsedMs: number;
  killAfterMs: number;
}

/** One line. */
export function renderStopProgress(progress: StopProgressView, style: Style): string {
  const { step, waiting, elapsedMs, killAfterMs } = progress;
  if (step === "clearing" || waiting.length === 0) return "clearing up";
  // B cells own the requests; a drone that still works shows in them. Without B cells the drones' own count.
  const owners = waiting.some((cell) => cell.class === "b-cell") ? "b-cell" : "drone";
  const inFlight = waiting.reduce((sum, cell) => sum + (cell.class === owners ? (cell.inFlight ?? 0) : 0), 0);
  const who = describeWaiting(waiting, style);
  if (step === "killing") return `killing ${who}`;
  const requests = inFlight > 0 ? `, ${formatCount(inFlight, "request")} in flight` : "";
  const left = formatDuration(Math.max(0, Math.ceil((killAfterMs - elapsedMs) / 1_000) * 1_000));
  return `waiting for ${who}${requests} (${left} left)`;
}

/** `left` of few are named, of many counted. */
const NAMED_MAX = 3;

function describeWaiting(waiting: StopProgressView["waiting"], style: Style): string {
  if (waiting.length > NAMED_MAX) return formatCount(waiting.length, "cell");
  return waiting.map((cell) => `${paint(style, classInk[cell.class], cell.class)} ${cell.id}`).join(", ");
}

export function renderStopOutcome(outcome: StopOutcomeView, style: Style): string[] {
  const patience = formatDuration(outcome.killAfterMs);
  const lines = outcome.killed.map((cell) => `killed ${name(cell, style)}: it had not ended after ${patience}`);
  if (outcome.launcherEnded === "signalled") lines.push("ended the launcher, which had not ended by itself");
  return [...lines, summary(outcome)];
}

function summary({ name, cells, leftovers, elapsedMs }: StopOutcomeView): string {
  if (cells.length === 0) {
    return `${name} was not running; cleared away what it had left (${formatCount(leftovers.length, "file")})`;
  }
  return `${name} has ended: ${formatCount(cells.length, "cell")} in ${formatDuration(elapsedMs)}, nothing is left`;
}

function name(cell: Ending, style: Style): string {
  return `${paint(style, classInk[cell.class], cell.class)} ${cell.id} (pid ${cell.pid})`;
}
