/**
 * What a drone's own Node refuses beyond its permission model, which in Node 24 knows nothing of networks: connections to
 * addresses outside of `membrane.connect`. (That a drone does not listen is the listen hook's, src/app/listen-hook.ts.)
 *
 * It stands where every connection of Node's own modules passes, after names have become addresses: at the handle's `connect`.
 * The app gets what the kernel gives behind a firewall, `connect EACCES 10.0.0.1:5432`. A guard within the process holds an
 * app that goes astray, not native code; worker threads have handles of their own. Those are seen from outside
 * (checks/outgoing.ts).
 */
import { once } from "node:events";
import net from "node:net";
import { newIpWords, readIpWords } from "../../lib/ip-words.ts";
import { assert } from "../../lib/assert.ts";
import { readResolvers } from "./checks/outgoing.ts";
import type { AddressRange } from "./rules.ts";
import { isInRanges } from "./rules.ts";

/** As libuv counts it on Linux; `connect` returns it as the kernel would. */
const refusedByAccess = -13;
const dnsPort = 53;

type ConnectMethod = (request: unknown, address: string, port: number) => number;
interface TcpHandlePrototype {
  connect: ConnectMethod;
  connect6: ConnectMethod;
}

/** From here on this thread connects to these ranges alone. `refused` hears of each that was not made. */
export async function guardConnections(
  ranges: readonly AddressRange[],
  refused: (address: string, port: number) => void,
): Promise<void> {
  const resolvers = readResolvers();
  const mayConnect = (address: string, port: number): boolean => {
    const words = newIpWords();
    const family = readIpWords(address, words);
    return (
      family !== 0 && (isInRanges(family, words, ranges) || (port === dnsPort && isInRanges(family, words, resolvers)))
    );
  };
  const handle = await tcpHandlePrototype();
  for (const method of ["connect", "connect6"] as const) {
    const original = handle[method];
    handle[method] = function connect(this: unknown, request, address, port) {
      if (mayConnect(address, port)) return original.call(this, request, address, port);
      refused(address, port);
      return refusedByAccess;
    };
  }
}

/** The class of all TCP handles has no public name: a server that listens for a moment shows it. */
async function tcpHandlePrototype(): Promise<TcpHandlePrototype> {
  const server = net.createServer().listen({ host: "127.0.0.1", port: 0 });
  await once(server, "listening");
  const { _handle: handle } = server as unknown as { _handle: object };
  const prototype = Object.getPrototypeOf(handle) as TcpHandlePrototype;
  assert(typeof prototype.connect === "function" && typeof prototype.connect6 === "function", "a TCP handle connects");
  server.close();
  return prototype;
}
