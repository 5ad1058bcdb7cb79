/**
 * A drone that may not listen, and does: on a port, or on a Unix socket other than the cell's own. The app's own `listen`
 * opens nothing (src/app/listen-hook.ts), and what would really listen is refused there.
 */
import type { Check } from "../check.ts";
import { settledMs } from "../check.ts";
import { tcpListen } from "../look.ts";
import { isWithin } from "../rules.ts";

export const listening: Check = {
  isOn: (rules) => !rules.listen,
  everyMs: 1_000,
  afterMs: settledMs,
  watch:
    (_rules, { runDir }) =>
    (look) => {
      const sockets = look.sockets();
      if (sockets === null) return null;
      const internet = look.internet();
      const unix = look.unixListeners();
      for (const inode of sockets) {
        const socket = internet.get(inode);
        if (socket?.protocol === "tcp" && socket.state === tcpListen) return `it listens on port ${socket.localPort}`;
        const name = unix.get(inode);
        if (name !== undefined && !isWithin(name, [runDir]))
          return `it listens on the Unix socket ${name || "(unnamed)"}`;
      }
      return null;
    },
};
