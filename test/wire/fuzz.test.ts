import { test } from "node:test";
import { fuzzWire } from "../../scripts/fuzz-wire.ts";

test("no damaged word of another cell makes a reader throw, or be read in two ways", (t) => {
  const seed = Math.floor(Math.random() * 2 ** 31);
  t.diagnostic(`seed ${seed}`);
  fuzzWire({ cases: 4_000, seed });
});
