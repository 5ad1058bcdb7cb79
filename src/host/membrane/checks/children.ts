/**
 * A drone that may not start programs, and has a child. The permission model makes `child_process` throw, so whoever gets
 * this far came by native code, or by a hole.
 *
 * Two kinds of evidence. A child that lives is seen. One that was over between two looks is not, but it leaves a mark: the
 * kernel adds the page faults of every child that a process has waited for to the process's own account. That account
 * counts from a look at which the drone had no child at all: daughters that it bore as a stem cell may die under it.
 * (Who ignores SIGCHLD, or never waits, keeps that account clean, and is caught by the living child alone.)
 */
import { gestationMsMax } from "../../../core/limits.ts";
import type { Check } from "../check.ts";
import { Look, programName } from "../look.ts";

export const children: Check = {
  isOn: (rules) => !rules.children,
  everyMs: 0,
  afterMs: 0,
  watch: (_rules, { isCell }) => {
    let faultsBefore: number | null = null;
    /** Children that may be daughters in the making, as long as that may take. */
    const tolerated = new Map<string, number>();

    return (look, nowMs) => {
      // Before the children: one that begins and ends in between is then seen at the next look.
      const faults = look.reapedFaults();
      const living = look.children();
      if (faults === null || living === null) return null;
      for (const child of living) {
        if (isCell(child)) continue;
        const key = `${child.pid}/${child.startTicks}`;
        const sinceMs = tolerated.get(key) ?? nowMs;
        const inner = new Look(child);
        const executable = inner.executable();
        if (executable === null) continue;
        // One that began as a stem cell's daughter, before this cell became a drone, runs what the drone itself runs.
        const mayBeUnborn = executable === look.executable() && child.startTicks - look.startTicks >= 0;
        if (mayBeUnborn && faultsBefore === null && nowMs - sinceMs < gestationMsMax) {
          tolerated.set(key, sinceMs);
          continue;
        }
        if (inner.isSame()) return `it has started ${programName(child.pid)} (pid ${child.pid})`;
      }
      if (faultsBefore !== null && faults > faultsBefore) return "it has started a program that has ended by now";
      if (living.length === 0) faultsBefore ??= faults;
      return null;
    };
  },
};
