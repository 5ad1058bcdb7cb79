/**
 * Ends an organism from outside: asks every cell, waits until all are gone, kills what is not, clears up.
 *
 * The asking is a courtesy that lets requests be finished; the end does not depend on it. Nor on the launcher,
 * on sockets that still answer, or on files that are complete: whoever is seen by any of them is waited for,
 * by pid and start time. Killing here is the administrator's, who owns the processes; no vote is needed, and
 * only what has had its time to drain is killed.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { CellClass } from "../core/cell.ts";
import type { AskOutcome } from "./control-client.ts";
import { askCell, CONCURRENT_QUESTIONS_MAX, mapBounded } from "./control-client.ts";
import type { ProcessIdentity } from "./proc.ts";
import { processLives, signalProcess } from "./proc.ts";
import type { RunDir } from "./run-dir.ts";
import { listCellSockets, readOrganismFile, removeRunDir, whoLives } from "./run-dir.ts";
import { surveyOrganism } from "./survey.ts";

export interface StopOptions {
  /** How long requests may be finished; the organism's own value where absent. */
  drainMs?: number;
  /** On top of that, before what is left is killed. */
  graceMs?: number;
  onProgress?: (progress: StopProgress) => void;
}

/** A cell as far as its end needs it. */
export interface EndingCell extends ProcessIdentity {
  id: string;
  class: CellClass;
}

export interface WaitingCell extends EndingCell {
  /** Null: it does not say. */
  inFlight: number | null;
}

export interface StopProgress {
  step: "asking" | "draining" | "killing" | "clearing";
  waiting: WaitingCell[];
  elapsedMs: number;
  /** When patience ends, counted like `elapsedMs`. */
  killAfterMs: number;
}

export interface StopOutcome {
  /** Cells that were seen alive, however they ended. */
  cells: EndingCell[];
  killed: EndingCell[];
  /** What even SIGKILL has not ended. */
  stuck: EndingCell[];
  /** Sockets that somebody holds of whom nothing is known. */
  strangers: string[];
  launcherEnded: "itself" | "signalled" | "none" | "stuck";
  /** The run directory is gone. */
  removed: boolean;
  leftovers: string[];
  elapsedMs: number;
  /** After how long it would have been, or was, killed. */
  killAfterMs: number;
}

/** Where the run directory does not say how long draining may take. */
const DRAIN_MS_DEFAULT = 30_000;
/** On top of draining: to notice, to write down, to exit. */
export const STOP_GRACE_MS = 5_000;
/** The same for who wants the end at once, with no time for requests. */
export const STOP_GRACE_AT_ONCE_MS = 1_000;
/** The kernel ends a process at once, unless it hangs in a disk or a debugger. */
const KILL_MS_MAX = 5_000;
/** The launcher ends by itself when its organism does. */
const LAUNCHER_MS_MAX = 2_000;
const POLL_MS = 100;
/** Shorter than elsewhere: we ask again soon. */
const ASK_MS = 400;
const ASKING_ATTEMPTS_MAX = 3;

export async function stopOrganism(run: RunDir, options: StopOptions = {}): Promise<StopOutcome> {
  let startedMs = performance.now();
  const drainMs = options.drainMs ?? readOrganismFile(run)?.drainMsMax ?? DRAIN_MS_DEFAULT;
  const killAfterMs = drainMs + (options.graceMs ?? (drainMs === 0 ? STOP_GRACE_AT_ONCE_MS : STOP_GRACE_MS));
  const elapsedMs = (): number => performance.now() - startedMs;
  const watch = createWatch(run);
  const report = (step: StopProgress["step"]): void =>
    options.onProgress?.({ step, waiting: watch.waiting(), elapsedMs: elapsedMs(), killAfterMs });

  // Now, for the last cell to leave may clear the directory away before we could read who launched it.
  const { launcher } = await whoLives(run);
  await watch.look();
  report("asking");
  await watch.askToStop(drainMs);
  // Patience is counted from the asking, which takes a while where cells hang.
  startedMs = performance.now();
  while (!watch.isOver() && elapsedMs() < killAfterMs) {
    await sleep(POLL_MS);
    await watch.look();
    report("draining");
    await watch.askToStop(drainMs);
  }

  const killed = watch.isOver() ? [] : await killRemaining(watch, () => report("killing"));
  const launcherEnded = await endLauncher(launcher);
  report("clearing");
  const removal = await removeRunDir(run, { exceptPid: process.pid });
  return {
    cells: watch.seen(),
    killed,
    stuck: watch.waiting(),
    strangers: watch.strangers(),
    launcherEnded,
    removed: removal.removed,
    leftovers: removal.removed ? removal.leftovers : [],
    elapsedMs: elapsedMs(),
    killAfterMs,
  };
}

interface Watch {
  /** Looks who lives, and how much each still has to do. */
  look: () => Promise<void>;
  /** Asks those that have not been asked yet. */
  askToStop: (drainMs: number) => Promise<void>;
  /** Nobody lives, nobody listens. */
  isOver: () => boolean;
  waiting: () => WaitingCell[];
  seen: () => EndingCell[];
  strangers: () => string[];
}

function createWatch(run: RunDir): Watch {
  const cells = new Map<string, WaitingCell>();
  const asked = new Map<string, number>();
  let strangers: string[] = [];

  const waiting = (): WaitingCell[] => [...cells.values()].filter(processLives);

  async function look(): Promise<void> {
    const { survey } = await surveyOrganism(run, { timeoutMs: ASK_MS });
    for (const { id, class: cellClass, pid, startTicks, inFlight } of survey.cells) {
      // By process and not by id alone: what matters is that this process ends.
      cells.set(`${pid}:${startTicks}`, { id, class: cellClass, pid, startTicks, inFlight });
    }
    strangers = survey.strangers;
  }

  async function askToStop(drainMs: number): Promise<void> {
    const sockets = listCellSockets(run).filter(({ id }) => (asked.get(id) ?? 0) < ASKING_ATTEMPTS_MAX);
    await mapBounded(sockets, CONCURRENT_QUESTIONS_MAX, async ({ id, path }) => {
      const outcome = await askCell(path, { op: "stop", drainMs }, { timeoutMs: ASK_MS });
      asked.set(id, hasHeard(outcome) ? ASKING_ATTEMPTS_MAX : (asked.get(id) ?? 0) + 1);
    });
  }

  return {
    look,
    askToStop,
    isOver: () => waiting().length === 0 && strangers.length === 0,
    waiting,
    seen: () =>
      [...cells.values()].map(({ id, class: cellClass, pid, startTicks }) => ({
        id,
        class: cellClass,
        pid,
        startTicks,
      })),
    strangers: () => strangers,
  };
}

/** A silent cell has the request in its socket: it reads that first when it wakes. */
function hasHeard(outcome: AskOutcome): boolean {
  return outcome.kind === "silent" || (outcome.kind === "reply" && outcome.reply.ok);
}

async function killRemaining(watch: Watch, report: () => void): Promise<EndingCell[]> {
  const killed = new Map<number, EndingCell>();
  const deadlineMs = performance.now() + KILL_MS_MAX;
  for (;;) {
    // Again each time round: one that we have just killed may have given birth right before.
    for (const cell of watch.waiting()) if (signalProcess(cell, "SIGKILL") === "sent") killed.set(cell.pid, cell);
    report();
    await sleep(POLL_MS);
    await watch.look();
    if (watch.waiting().length === 0 || performance.now() > deadlineMs) break;
  }
  return [...killed.values()].map(({ id, class: cellClass, pid, startTicks }) => ({
    id,
    class: cellClass,
    pid,
    startTicks,
  }));
}

/** It is no cell and has no say; but one that has not yet brought forth its egg must not do so after the end. */
async function endLauncher(launcher: ProcessIdentity | null): Promise<StopOutcome["launcherEnded"]> {
  if (launcher === null || launcher.pid === process.pid) return "none";
  if (await endsWithin(launcher, LAUNCHER_MS_MAX)) return "itself";
  for (const signal of ["SIGTERM", "SIGKILL"] as const) {
    signalProcess(launcher, signal);
    if (await endsWithin(launcher, LAUNCHER_MS_MAX)) return "signalled";
  }
  return "stuck";
}

async function endsWithin(process_: ProcessIdentity, msMax: number): Promise<boolean> {
  const deadlineMs = performance.now() + msMax;
  while (processLives(process_)) {
    if (performance.now() > deadlineMs) return false;
    await sleep(POLL_MS);
  }
  return true;
}
