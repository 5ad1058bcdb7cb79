// Writes bans as a T cell does, first to the memory and then to the world (standard output), until it is killed.
//   node memory-writer.ts FILE FIRST
import fs from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { openMemory } from "../../src/host/immune/memory.ts";

const [file = "", first = "0"] = process.argv.slice(2);
const { memory } = openMemory({ file, holder: `t-${process.pid}` });
while (!memory.takeLease()) await sleep(5);
for (let n = Number(first); n < Number(first) + 100_000; n += 1) {
  const range = `10.${(n >> 16) & 255}.${(n >> 8) & 255}.${n & 255}`;
  const wallMs = Date.now();
  const made = { kind: "ban", range, action: "ban", reason: "other", offence: 1, issuedAtMs: wallMs } as const;
  const written = memory.record([{ ...made, untilMs: wallMs + 3_600_000, incident: `${range}#1` }]);
  if (typeof written !== "number") throw new Error(written);
  if (n % 10 === 0) {
    const share = { range, owner: "t", version: n, atMs: n, levels: [], bad: n, clean: 0, sketches: {} };
    memory.keepShares([share]);
  }
  // A whole line at once, and there when this returns: what is on the pipe was announced.
  fs.writeSync(1, `${n}\n`);
}
