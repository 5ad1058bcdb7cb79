/**
 * Judges a request without holding the event loop: small ones at once, large ones in turns between which the loop goes
 * round, and each turn of a large one under a watchdog.
 *
 * The engine bounds itself: its patterns cannot backtrack, it counts its steps, stops when a turn's are used up, and
 * gives a request up (overrun: refused) that asks for too many. The watchdog is for what is not thought of. It is a
 * thread beside this one (Node's, behind the `timeout` of vm scripts) that stops the turn, wherever it is; a worker
 * with rules of its own would protect as well, and cost each cell a second copy of them and each request a copy of its
 * body. What was stopped may have left half-made what the engine keeps between requests: so that is thrown away.
 */
import { setImmediate as loopTurn } from "node:timers/promises";
import vm from "node:vm";
import { stepBuiltin, type BuiltinRun } from "../../immune/builtin/evaluate.ts";
import { forgetAutomata } from "../../immune/seclang/pattern/automaton.ts";
import { evaluatePhase, evaluateSlice, giveUp } from "../../immune/seclang/evaluate.ts";
import type { Phase } from "../../immune/seclang/rule.ts";
import { forgetLearned } from "../../immune/seclang/screen.ts";
import type { Transaction } from "../../immune/seclang/transaction.ts";

/** Steps of one turn: some 5 ms, and four times that where nothing is warm yet. */
const TURN_STEPS = 500_000;
/** Requests up to this size are judged in a millisecond or two: a watchdog, which costs 0.1 ms, would be dear. */
const SMALL_BYTES_MAX = 4096;
/**
 * A turn that takes as long as this is stopped. A hundred times what it should take, so that a machine that is busy
 * with other things gets no request refused.
 */
const TURN_MS_MAX = 1000;

/** Whether a phase that looks at so much may be judged at once (`evaluatePhase`). */
export function isSmall(bytes: number): boolean {
  return bytes <= SMALL_BYTES_MAX;
}

/** `bytes`: the size of what the phase looks at. Resolves when the phase is done, or given up (judge says `overrun`). */
export async function evaluateInTurns(transaction: Transaction, phase: Phase, bytes: number): Promise<void> {
  if (isSmall(bytes)) return evaluatePhase(transaction, phase);
  while (!watchedTurn(transaction, phase)) await loopTurn();
}

/** The same for the built-in filters; null: they are done at once. */
export function stepInTurns(run: BuiltinRun, bytes: number): Promise<void> | null {
  if (!isSmall(bytes)) return stepWatched(run);
  stepBuiltin(run, Infinity);
  return null;
}

async function stepWatched(run: BuiltinRun): Promise<void> {
  for (;;) {
    const done = runWatched(() => stepBuiltin(run, TURN_STEPS), TURN_MS_MAX);
    if (done === true) return;
    if (done === null) {
      run.overrun = true;
      forgetAutomata();
      return;
    }
    await loopTurn();
  }
}

/** True: the phase is done. */
function watchedTurn(transaction: Transaction, phase: Phase): boolean {
  const done = runWatched(() => evaluateSlice(transaction, phase, TURN_STEPS), TURN_MS_MAX);
  if (done !== null) return done;
  giveUp(transaction);
  if (transaction.options.screen !== undefined) forgetLearned(transaction.options.screen);
  return true;
}

/** What `work` returns, or null where it took longer than `msMax` and was stopped. */
export function runWatched<Result>(work: () => Result, msMax: number): Result | null {
  const outcome: { result: Result | null } = { result: null };
  sandbox.work = (): void => {
    outcome.result = work();
  };
  try {
    SCRIPT.runInContext(sandbox, { timeout: msMax });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ERR_SCRIPT_EXECUTION_TIMEOUT") throw error;
    return null;
  } finally {
    delete sandbox.work;
  }
  return outcome.result;
}

/**
 * As `runWatched`, but it is this thread's own time that counts: stopped without having had the processor for half of
 * `msMax`, because the machine was busy with other things, `work` is begun anew, so many times.
 */
export function runFairlyWatched<Result>(work: () => Result, msMax: number): Result | null {
  for (let attempt = 1; ; attempt += 1) {
    const before = process.threadCpuUsage();
    const result = runWatched(work, msMax);
    if (result !== null || attempt === FAIR_ATTEMPTS_MAX) return result;
    const { user, system } = process.threadCpuUsage(before);
    if ((user + system) / 1000 >= msMax / 2) return null;
  }
}

const FAIR_ATTEMPTS_MAX = 10;

const SCRIPT = new vm.Script("work()", { filename: "watched-turn" });
const sandbox = vm.createContext(Object.create(null)) as { work?: () => void };
