/**
 * Code that a test runs inside a living cell of any class, by Node's own debugger: so a cell can be made to fail in ways that
 * no signal can, without a door in the product for it. The organism is to be started with NODE_OPTIONS that
 * hold `inspectable`.
 */
import type { Organism, PsCell } from "./organism.ts";
import { within } from "./wait.ts";

/** Each cell's debugger on a port of its own. It is opened only by SIGUSR1. */
export const inspectable = "--inspect-port=0";

/** Runs `code` in the cell. What it does to the cell is awaited by the caller. */
export async function breakOff(organism: Organism, cell: PsCell, code: string): Promise<void> {
  const place = /Debugger listening on (ws:\/\/127\.0\.0\.1:\d+\/[\w-]+)/g;
  const opened = new Set([...organism.logs().matchAll(place)].map(([, url]) => url));
  organism.kill(cell, "SIGUSR1");
  const url = await organism.until("the cell's debugger", () =>
    [...organism.logs().matchAll(place)].map(([, found]) => found).find((found) => !opened.has(found)),
  );
  const socket = new WebSocket(url);
  await within(
    "the debugger to connect",
    new Promise((resolve, reject) => {
      socket.addEventListener("open", resolve);
      socket.addEventListener("error", () => reject(new Error(`no debugger at ${url}`)));
    }),
  );
  const answered = new Promise((resolve) => socket.addEventListener("message", resolve));
  // A moment later, when we have gone: a process that exits waits for its debugger to leave.
  const expression = `setTimeout(() => { ${code} }, ${laterMs})`;
  socket.send(JSON.stringify({ id: 1, method: "Runtime.evaluate", params: { expression } }));
  await within("the debugger's answer", answered);
  socket.close();
}

const laterMs = 100;
