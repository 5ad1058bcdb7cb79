/** A process that logs as a cell does, in a flood: argv[2] is a LogWriterTask as JSON. Prints LogWriterResult. */
import fs from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { createCellLog } from "../../src/host/log.ts";

export interface LogWriterTask {
  file: string;
  cell: string;
  lines: number;
  bytesMax: number;
  files: number;
  /** Also lines that go past the log, as native output does. */
  rawEvery: number;
}

export interface LogWriterResult {
  linesLost: number;
}

const task = JSON.parse(process.argv[2] ?? "") as LogWriterTask;
const { file, cell, lines, bytesMax, files, rawEvery } = task;
const log = createCellLog({ file, cell, class: "drone", bytesMax, files });
const raw = fs.openSync(file, "a");
for (let serial = 0; serial < lines; serial += 1) {
  log.info("written", { serial, padding: "x".repeat(serial % 300) });
  if (rawEvery > 0 && serial % rawEvery === 0) fs.writeSync(raw, `raw ${cell} ${serial}\n`);
  // A thousand turns of the event loop a second, and a flood of lines in each.
  if (serial % 20 === 0) await sleep(1);
}
fs.closeSync(raw);
await log.close();
console.log(JSON.stringify({ linesLost: log.linesLost() } satisfies LogWriterResult));
