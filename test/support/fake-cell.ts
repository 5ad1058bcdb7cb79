/**
 * A process that speaks the control protocol as a cell does, and nothing else: for tests of the command line.
 * Started by fork with a FakeCell as JSON in argv[2]; "others" may be sent to it later.
 */
import net from "node:net";
import fs from "node:fs";
import { createInterface } from "node:readline";
import { ownIdentity } from "../../src/host/proc.ts";
import { cellSocketPath, recordCell, runDir } from "../../src/host/run-dir.ts";
import type { AppHealth, CellSummary, CellVitals, ControlReply, ControlRequest } from "../../src/wire/control.ts";

export interface FakeCell extends Omit<CellVitals, "pid" | "startTicks"> {
  base: string;
  name: string;
  organism: string;
  revision: string;
  others: CellSummary[];
  appHealth: AppHealth;
  /** What it does when asked for its vitals. */
  vitals: "answers" | "silent" | "hangs-up" | "babbles";
  /** What it does when told to stop. Milliseconds: drains so long, then exits. */
  onStop: number | "ignores";
  /** Whether it leaves its record in the run directory. */
  records: boolean;
}

/** What it sends to its parent. */
export type FakeCellMessage = { ready: { pid: number; startTicks: number } } | { told: ControlRequest };

if (process.argv[2] !== undefined) live(JSON.parse(process.argv[2]) as FakeCell);

function live(cell: FakeCell): void {
  const run = runDir(cell.name, cell.base);
  const identity = ownIdentity();
  const { id, class: cellClass, mother, generation, bornAt } = cell;
  if (cell.records) recordCell(run, { id, class: cellClass, mother, generation, bornAt, ...identity });
  process.on("message", (message: { others: CellSummary[] }) => (cell.others = message.others));
  process.on("disconnect", () => process.exit(1));

  const server = net.createServer((socket) => {
    socket.on("error", () => socket.destroy());
    const lines = createInterface({ input: socket });
    let isFirst = true;
    lines.on("line", (line) => {
      if (isFirst) isFirst = false;
      else answer(cell, identity, JSON.parse(line) as ControlRequest, socket);
    });
    lines.on("error", () => socket.destroy());
  });
  server.listen(cellSocketPath(run, id), () => tell({ ready: identity }));
}

function answer(
  cell: FakeCell,
  identity: { pid: number; startTicks: number },
  request: ControlRequest,
  socket: net.Socket,
): void {
  tell({ told: request });
  if (request.op === "stop") {
    if (cell.onStop === "ignores") return;
    reply(socket, { ok: true, op: "stop" });
    cell.state = "draining";
    setTimeout(() => end(cell), cell.onStop);
    return;
  }
  if (cell.vitals === "silent") return;
  if (cell.vitals === "hangs-up") return void socket.destroy();
  if (cell.vitals === "babbles") return void socket.write("HTTP/1.1 400 Bad Request\n");
  const { organism, name, revision, others, appHealth } = cell;
  const { id, class: cellClass, mother, generation, bornAt, state, load, rssBytes, inFlight, app } = cell;
  const self = { id, class: cellClass, ...identity, mother, generation, bornAt, state, load, rssBytes, inFlight, app };
  reply(socket, { ok: true, op: "vitals", organism, name, revision, self, others, appHealth });
}

function reply(socket: net.Socket, value: ControlReply): void {
  socket.write(`${JSON.stringify(value)}\n`);
}

function end(cell: FakeCell): void {
  const run = runDir(cell.name, cell.base);
  fs.rmSync(cellSocketPath(run, cell.id), { force: true });
  process.exit(0);
}

function tell(message: FakeCellMessage): void {
  process.send?.(message);
}
