/**
 * Client connections that all read into one buffer.
 *
 * Node makes a chunk of 64 KiB for each read, cuts it to what came and carries it through a stream: a seventh of what a small
 * request costs a server that does nothing else. A socket made with `onread` reads into a buffer of ours and calls us with it.
 * Servers cannot make such sockets, so the handle of an accepted, unread connection is given to one that was made so, as Node
 * itself does with handles that another process sends. What is not in Node's documentation: such a handle as the option `handle`, and
 * `_handle` (with `reading` and `useUserBuffer`) and `_server` of a socket. Where they are not there the connection reads as
 * it did; test/cells/lent-reads.test.ts says so for the Node that is in use.
 */
import * as net from "node:net";

/** The event of such a socket instead of "data". Its chunk is overwritten once the listeners have returned. */
export const lent = "lent";

/** What a read brings at most, as Node has it. */
const bufferBytes = 65_536;
let shared: Buffer | null = null;

interface SocketInternals {
  _handle: { reading?: boolean; useUserBuffer?: unknown } | null;
  _server: net.Server | null;
}

/** `accepted` comes from a server with `pauseOnConnect`, and is not to be used any more where another is returned. */
export function lendReads(accepted: net.Socket): net.Socket {
  const old = accepted as unknown as SocketInternals;
  const handle = old._handle;
  if (handle === null || handle.reading !== false || typeof handle.useUserBuffer !== "function") return accepted;
  const buffer = (shared ??= Buffer.allocUnsafeSlow(bufferBytes));
  const onread: net.OnReadOpts = {
    buffer,
    callback: (bytes) => {
      socket.emit(lent, buffer.subarray(0, bytes));
      return true;
    },
  };
  const options = { handle: handle as unknown, onread } as net.SocketConstructorOpts;
  const socket = new net.Socket(options);
  // Its server counts it until it closes.
  (socket as unknown as SocketInternals)._server = old._server;
  old._server = null;
  old._handle = null;
  return socket;
}
