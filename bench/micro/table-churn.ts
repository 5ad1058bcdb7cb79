/**
 * What a table costs through which requests pass: a Map, and src/lib/number-table.ts. Each has some entries at a time, which
 * come and go in order, and was there before (which is what makes the difference: V8 has moved it to the old generation).
 *
 *   node --expose-gc bench/micro/table-churn.ts
 */
import { NumberTable } from "../../src/lib/number-table.ts";

interface Table {
  set(key: number, value: object): unknown;
  delete(key: number): boolean;
}

const requests = 3_000_000;
const inFlight = 40;
/** About what a request of a small app leaves. */
const fieldsOfEach = 100;

const gc = (globalThis as { gc?: () => void }).gc;
if (gc === undefined) {
  console.error("table-churn: --expose-gc is missing: node --expose-gc bench/micro/table-churn.ts");
  process.exit(2);
}
for (const [name, make] of [
  ["Map", (): Table => new Map<number, object>()],
  ["NumberTable", (): Table => new NumberTable<object>()],
] as const) {
  const table = make();
  // Old, and with a history.
  for (let key = 1; key <= inFlight; key += 1) table.set(key, {});
  gc();
  gc();
  const before = process.cpuUsage();
  for (let key = inFlight + 1; key <= requests; key += 1) {
    table.set(key, { fields: Array<number>(fieldsOfEach).fill(key) });
    table.delete(key - inFlight);
  }
  const { user, system } = process.cpuUsage(before);
  console.log(`${name.padEnd(12)} ${((user + system) / requests).toFixed(2)} us CPU a request`);
}
