/**
 * A shell whose standard input is a connection of the internet obeys whoever is at the other end. Node gives its children
 * pipes and Unix socket pairs, terminals in the browser use pseudo-terminals: nobody legitimate does this, so it is looked
 * at whatever the DNA says. A shell behind pipes that the drone itself connects to the network looks like any other child:
 * against that there is `membrane.children: false`.
 */
import path from "node:path";
import type { Check } from "../check.ts";
import { deletedSuffix, Look, tcpEstablished } from "../look.ts";

const shells: ReadonlySet<string> = new Set(["sh", "dash", "bash", "ash", "zsh", "ksh", "mksh", "fish", "csh", "tcsh"]);
const isShell = (executable: string): boolean => {
  const name = path.basename(executable.replace(deletedSuffix, ""));
  return shells.has(name) || name === "busybox";
};

/** Children of one drone that are looked into: an app that keeps more has a reason. */
const childrenMax = 64;

export const remoteShell: Check = {
  isOn: () => true,
  everyMs: 200,
  afterMs: 0,
  watch: () => (look) => {
    for (const child of (look.children() ?? []).slice(0, childrenMax)) {
      const inner = new Look(child);
      const executable = inner.executable();
      if (executable === null || !isShell(executable)) continue;
      const input = inner.files()?.find(({ fd }) => fd === 0)?.target;
      const inode = /^socket:\[(\d+)\]$/.exec(input ?? "")?.[1];
      if (inode === undefined) continue;
      const socket = inner.internet().get(Number(inode));
      if (socket?.protocol === "tcp" && socket.state === tcpEstablished && inner.isSame())
        return `a shell (${path.basename(executable)}, pid ${child.pid}) takes its commands from the network`;
    }
    return null;
  },
};
