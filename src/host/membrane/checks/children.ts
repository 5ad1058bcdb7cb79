/**
 * A drone that may not start programs, and has a child. The permission model makes `child_process` throw, so whoever gets
 * this far came by native code, or by a hole.
 *
 * Two kinds of evidence. A child that lives is seen. One that was over between two looks is not, but it leaves a mark: the
 * kernel adds the page faults of every child that a process has waited for to the process's own account. Daughters that it
 * bore as a stem cell may live under it, and die: the account counts only between looks at which it had the very same ones,
 * the dead that it has not waited for included, and anew from the look after one at which they were others.
 * (Who ignores SIGCHLD, or never waits, keeps that account clean, and is caught by the living child alone.)
 */
import { gestationMsMax } from "../../../core/limits.ts";
import type { Check } from "../check.ts";
import { Look, programName } from "../look.ts";

export const children: Check = {
  isOn: (rules) => !rules.children,
  everyMs: 0,
  afterMs: 0,
  watch: ({ uid }, { isCell }) => {
    /** Of the look before, while its children have been the same ever since. */
    let faultsBefore: number | null = null;
    let childrenBefore: string | null = null;
    /** Children that may be daughters in the making, as long as that may take. */
    const tolerated = new Map<string, number>();
    /** Once it was seen without any child it has none in the making any more. */
    let isSettled = false;

    return (look, nowMs) => {
      // Before the children: one that begins and ends in between is then seen at the next look.
      const faults = look.reapedFaults();
      const all = look.childrenAndZombies();
      if (faults === null || all === null) return null;
      const living = all.filter(({ isZombie }) => !isZombie);
      for (const child of living) {
        if (isCell(child)) continue;
        const key = `${child.pid}/${child.startTicks}`;
        const sinceMs = tolerated.get(key) ?? nowMs;
        const inner = new Look(child);
        const executable = inner.executable();
        // One that began as a stem cell's daughter, before this cell became a drone, runs what the drone itself runs. What
        // another user's process runs is not told to everybody (a set-uid program's, say); that there is a child is. And a
        // daughter of before is of the user of before.
        const mayBeUnborn =
          (executable === null || executable === look.executable()) &&
          child.startTicks - look.startTicks >= 0 &&
          (uid === null || inner.users()?.[0] !== uid);
        if (mayBeUnborn && !isSettled && nowMs - sinceMs < gestationMsMax) {
          tolerated.set(key, sinceMs);
          continue;
        }
        if (inner.isSame()) return `it has started ${programName(child.pid)} (pid ${child.pid})`;
      }
      const children = all
        .map(({ pid, startTicks }) => `${pid}/${startTicks}`)
        .sort()
        .join(" ");
      const areTheSame = children === childrenBefore;
      childrenBefore = children;
      if (areTheSame && faultsBefore !== null && faults > faultsBefore)
        return "it has started a program that has ended by now";
      isSettled ||= living.length === 0;
      faultsBefore = areTheSame && living.every(isCell) ? faults : null;
      return null;
    };
  },
};
