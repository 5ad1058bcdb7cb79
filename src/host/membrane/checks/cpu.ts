/**
 * A drone that uses more processors than `membrane.cpuPercentMax` for long: somebody mines with it, or its worker threads have gone
 * wild. JavaScript answers requests on one processor, with some more for compression, cryptography and garbage; several in
 * full use over ten seconds are worker threads or native code.
 */
import { tickMs } from "../../../core/limits.ts";
import type { Check } from "../check.ts";

/** Long against garbage collections and a burst of password hashes. */
const windowMs = 10_000;

export const cpu: Check = {
  isOn: (rules) => rules.cpus !== null,
  everyMs: 1_000,
  afterMs: 0,
  watch: ({ cpus }) => {
    let start: { readonly ticks: number; readonly atMs: number } | null = null;
    return (look, nowMs) => {
      const ticks = look.cpuTicks();
      if (ticks === null || cpus === null) return null;
      if (start === null || nowMs - start.atMs >= 2 * windowMs) start = { ticks, atMs: nowMs };
      const elapsedMs = nowMs - start.atMs;
      if (elapsedMs < windowMs) return null;
      const used = ((ticks - start.ticks) * tickMs) / elapsedMs;
      start = { ticks, atMs: nowMs };
      return used > cpus ? `it has used ${used.toFixed(1)} processors for ${Math.round(elapsedMs / 1000)} s` : null;
    };
  },
};
