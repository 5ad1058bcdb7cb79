/**
 * A drone that may not start programs, and has a child. The permission model makes `child_process` throw, so whoever gets
 * this far came by native code, or by a hole.
 *
 * Three kinds of evidence. A child that lives is seen. So is one that has ended and was not waited for yet: a zombie. One
 * that was over between two looks is not, but it leaves a mark: the kernel adds the page faults of every child that a
 * process has waited for to the process's own account. (Who ignores SIGCHLD keeps that account clean, and is caught by the
 * living child alone.)
 *
 * What must not be taken for evidence are the daughters that it bore as a stem cell: they live under it, one of them perhaps
 * unborn and known to nobody, and die. A drone divides no more (but to start the organism anew, where only drones are left), so
 * all of them are there at the first look, and at the second where the kernel left one out (it may while another child
 * ends: proc(5), task/children). Where a daughter has gone since the look before, the account begins anew, and only with
 * the next look: she may have been waited for between the reading of the account and that of the children.
 */
import { gestationMsMax } from "../../../core/limits.ts";
import type { Check } from "../check.ts";
import { Look, programName } from "../look.ts";

const overByNow = "it has started a program that has ended by now";

export const children: Check = {
  isOn: (rules) => !rules.children,
  everyMs: 0,
  afterMs: 0,
  watch: ({ uid }, { isCell, areDronesAlone }) => {
    /** Its daughters by process, and who may be one: until when to wait for her to become a cell. */
    const daughters = new Map<string, number>();
    /** Those of the look before. */
    let before: readonly string[] | null = null;
    let faultsBefore: number | null = null;
    let looks = 0;

    return (look, nowMs) => {
      // Before the children: one that begins and ends in between is then seen at the next look.
      const faults = look.reapedFaults();
      const all = look.childrenAndZombies();
      if (faults === null || all === null) return null;
      looks += 1;

      const present = new Set<string>();
      for (const child of all) {
        const key = `${child.pid}/${child.startTicks}`;
        present.add(key);
        if (isCell(child)) daughters.set(key, Number.POSITIVE_INFINITY);
        else if (!daughters.has(key) && (looks <= 2 || areDronesAlone()) && mayBeUnborn(look, child, uid))
          daughters.set(key, nowMs + gestationMsMax);
        const untilMs = daughters.get(key);
        if (untilMs !== undefined && (child.isZombie || nowMs < untilMs)) continue;
        if (child.isZombie) return overByNow;
        if (new Look(child).isSame()) return `it has started ${programName(child.pid)} (pid ${child.pid})`;
      }

      const areAllThere = before?.every((key) => present.has(key)) ?? false;
      if (areAllThere && faultsBefore !== null && faults > faultsBefore) return overByNow;
      faultsBefore = areAllThere ? faults : null;
      before = [...present];
      return null;
    };
  },
};

/**
 * One that began as a stem cell's daughter, before this cell became a drone, runs what the drone itself runs. What another
 * user's process runs is not told to everybody (a set-uid program's, say), nor what a zombie ran. And a daughter of before is
 * of the user of before.
 */
function mayBeUnborn(drone: Look, child: { pid: number; startTicks: number }, uid: number | null): boolean {
  const look = new Look(child);
  const executable = look.executable();
  return (
    (executable === null || executable === drone.executable()) &&
    child.startTicks >= drone.startTicks &&
    (uid === null || look.users()?.[0] !== uid)
  );
}
