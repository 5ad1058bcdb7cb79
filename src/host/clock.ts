/**
 * The machine's clock: monotonic, in whole milliseconds, and the same for all of its processes. So one cell understands what
 * another says of a moment, and ballots of several fall into one window. (`performance.now()` is of one process alone, and
 * Date.now() is set back and forth.)
 */
export function machineNowMs(): number {
  return Number(process.hrtime.bigint() / 1_000_000n);
}
