/**
 * Executable memory that V8 did not make, in a drone without native addons (`membrane.addons: false`).
 *
 * V8 of Node 24 writes machine code into anonymous memory that is readable, writable and executable at once; its built-in
 * functions are mapped from Node's own file. So anonymous areas say nothing, and looking at them accuses nobody. What
 * neither V8 nor the loader does after the start: execute from another file than those that were mapped when the drone was
 * first seen (a library that was loaded later, a deleted file, memory that pretends to be one), or from the stack or heap.
 * With addons all of this is ordinary (sharp, Prisma and others load libraries when they are first used), so it is not
 * looked at.
 */
import type { Check } from "../check.ts";
import { settledMs } from "../check.ts";
import { deletedSuffix } from "../look.ts";

/** What the loader may map late on behalf of the resolver (glibc's name services). */
const nameServices = /\/lib(nss_|resolv|nsl)[^/]*$/;

export const code: Check = {
  isOn: (rules) => !rules.addons,
  everyMs: 2_000,
  afterMs: settledMs,
  watch: () => {
    let known: ReadonlySet<string> | null = null;
    return (look) => {
      const areas = look.executableAreas();
      if (areas === null) return null;
      const stack = areas.find(({ name }) => name === "[stack]" || name === "[heap]");
      if (stack !== undefined) return `its ${stack.name.slice(1, -1)} is executable`;
      const files = areas.filter(({ inode }) => inode !== 0).map(({ name }) => name.replace(deletedSuffix, ""));
      // Of the files themselves: one that was replaced by an update is mapped under its old name, and marked as deleted.
      if (known !== null) {
        const seen = known;
        const late = files.find((file) => !seen.has(file) && !nameServices.test(file));
        if (late !== undefined) return `it executes code from ${late}`;
      }
      known ??= new Set(files);
      return null;
    };
  },
};
