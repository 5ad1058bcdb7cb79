/**
 * A drone that is connected, or connecting, to an address outside of `membrane.connect`. The guard refuses such connections in
 * the app's main thread; this sees those of native libraries and worker threads too.
 *
 * Not counted: what came in through a listening socket of its own (`membrane.listen` is about that), and the machine's
 * resolvers, without which no name of an allowed host could be looked up. Datagrams from a socket that was not connected
 * leave no address behind and are not seen.
 */
import fs from "node:fs";
import { formatIpRange } from "../../../lib/ip-range.ts";
import { newIpWords, rangeOfWords, readIpWords } from "../../../lib/ip-words.ts";
import type { Check } from "../check.ts";
import { settledMs } from "../check.ts";
import { tcpListen } from "../look.ts";
import type { AddressRange } from "../rules.ts";
import { isInRanges } from "../rules.ts";

const timeWait = 6;
const closed = 7;
const dnsPort = 53;

export const outgoing: Check = {
  isOn: (rules) => rules.connect !== null,
  everyMs: 500,
  afterMs: settledMs,
  watch: ({ connect }) => {
    const resolvers = readResolvers();
    return (look) => {
      const sockets = look.sockets();
      if (sockets === null || connect === null) return null;
      const own = [...sockets].flatMap((inode) => look.internet().get(inode) ?? []);
      const served = new Set(own.filter(({ state }) => state === tcpListen).map(({ localPort }) => localPort));
      for (const { protocol, state, family, remote, remotePort, localPort } of own) {
        if (remotePort === 0 || state === tcpListen || state === timeWait || state === closed) continue;
        if (protocol === "tcp" && served.has(localPort)) continue;
        if (isInRanges(family, remote, connect)) continue;
        if (remotePort === dnsPort && isInRanges(family, remote, resolvers)) continue;
        return `it is connected to ${formatIpRange(rangeOfWords(family, remote, family === 4 ? 32 : 128))} port ${remotePort}`;
      }
      return null;
    };
  },
};

/** As /etc/resolv.conf names them; without one, glibc asks the machine itself. */
export function readResolvers(): AddressRange[] {
  let text = "";
  try {
    text = fs.readFileSync("/etc/resolv.conf", "utf8");
  } catch {
    // None: the default follows.
  }
  const named = [...text.matchAll(/^\s*nameserver\s+(\S+)/gm)].map(([, address]) => address ?? "");
  return (named.length === 0 ? ["127.0.0.1", "::1"] : named).flatMap((address) => {
    const words = newIpWords();
    const family = readIpWords(address, words);
    return family === 0 ? [] : [{ family, words, prefixBits: family === 4 ? 32 : 128 }];
  });
}
