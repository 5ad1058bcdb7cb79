import assert from "node:assert/strict";
import { test } from "node:test";
import { descriptorsEveryMs, WearGauge } from "../../src/host/wear-gauge.ts";
import { readProc } from "../../src/host/proc.ts";

test("memory is told as it is, descriptors as they were within the last seconds, of that very process", (t) => {
  const stat = readProc(process.pid);
  if (stat === null) return t.skip("no /proc here");
  let milli = 100;
  const gauge = new WearGauge(() => milli);
  assert.deepEqual(gauge.read("a", { ...stat, rssBytes: 5 }, 0), { rssBytes: 5, descriptorMilli: 100 });
  milli = 200;
  assert.deepEqual(gauge.read("a", { ...stat, rssBytes: 6 }, 10), { rssBytes: 6, descriptorMilli: 100 });
  assert.equal(gauge.read("b", stat, 10).descriptorMilli, 200, "another cell");
  assert.equal(
    gauge.read("a", { ...stat, startTicks: stat.startTicks + 1 }, 20).descriptorMilli,
    200,
    "another process",
  );
  milli = 300;
  assert.equal(gauge.read("b", stat, 10 + descriptorsEveryMs).descriptorMilli, 300);
  gauge.keep((id) => id === "a");
  milli = 400;
  assert.equal(gauge.read("b", stat, 11 + descriptorsEveryMs).descriptorMilli, 400, "forgotten");
});
