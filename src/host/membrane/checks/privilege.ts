/**
 * A drone that was not root and is it now has broken out: no process gets there without a program that is set-uid, which a
 * drone is not. The other way (an app that gives up root once it listens) is good practice.
 */
import type { Check } from "../check.ts";

export const privilege: Check = {
  isOn: () => true,
  everyMs: 0,
  afterMs: 0,
  watch: () => {
    let wasRoot: boolean | null = null;
    return (look) => {
      const users = look.users();
      if (users === null) return null;
      const isRoot = users.includes(0);
      if (wasRoot === false && isRoot) return "it has become root";
      wasRoot = isRoot;
      return null;
    };
  },
};
