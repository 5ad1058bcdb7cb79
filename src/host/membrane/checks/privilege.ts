/**
 * A drone that was not root and is it now has broken out: no process gets there without a program that is set-uid, which a
 * drone is not. The other way (an app that gives up root once it listens) is good practice. Where drones are to be another user
 * (membrane.user), one that is somebody else has broken out as well, or never went in.
 */
import type { Check } from "../check.ts";
import { settledMs } from "../check.ts";

export const privilege: Check = {
  isOn: () => true,
  everyMs: 0,
  afterMs: 0,
  watch: ({ uid }) => {
    let wasRoot: boolean | null = null;
    let sinceMs: number | null = null;
    return (look, nowMs) => {
      const users = look.users();
      if (users === null) return null;
      sinceMs ??= nowMs;
      const stranger = uid === null || nowMs - sinceMs < settledMs ? undefined : users.find((user) => user !== uid);
      if (stranger !== undefined) return `it runs as user ${stranger}, and not as ${uid}`;
      const isRoot = users.includes(0);
      if (wasRoot === false && isRoot) return "it has become root";
      wasRoot = isRoot;
      return null;
    };
  },
};
