import assert from "node:assert/strict";
import { test } from "node:test";
import { fuzz } from "../../scripts/fuzz-http.ts";

/** Seeds that once found something stay; one that is new each time goes on looking. */
const seeds = [1, 2, Math.floor(Math.random() * 0x7fff_ffff)];

for (const seed of seeds) {
  test(`what our reader accepts, Node's accepts and reads the same (node scripts/fuzz-http.ts --seed ${seed})`, async () => {
    const result = await fuzz({ cases: 3000, seed });
    assert.deepEqual(
      result.disagreements.map(({ index, what, bytes }) => ({ seed, index, what, bytes })),
      [],
    );
    // That it compared anything at all: most cases hold a request that both accept.
    assert.ok(result.agreed > 500 && result.stricter.size > 5);
  });
}
