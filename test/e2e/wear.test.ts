/** A drone that leaks is replaced before it goes, and no request is lost to that. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { ofClass, sharedOrganism, watchLife } from "./organism.ts";
import { until } from "./wait.ts";

const mebibyte = 1_048_576;

describe("a drone that leaks memory", () => {
  const organism = sharedOrganism({
    app: "leaks.mjs",
    dna: { cells: { drone: { min: 2, max: 2 } }, wear: { droneBytesMax: 256 * mebibyte } },
  });

  test("is voted out once its replacement is there, and every request is answered", async () => {
    await organism().request({ path: "/pid" });
    await organism().grown({ drone: 2, stem: 2 });
    const { text: pid } = await organism().request({ path: "/leak?mib=320" });
    const worn = ofClass(await organism().ps(), "drone").find((cell) => String(cell.pid) === pid);
    assert.ok(worn !== undefined, "a drone has answered");
    const lives = watchLife(worn);

    const fewest = { drones: Number.POSITIVE_INFINITY };
    const failures: string[] = [];
    let asked = 0;
    const over = new AbortController();
    const ask = async (): Promise<void> => {
      while (!over.signal.aborted) {
        asked += 1;
        const { status } = await organism().request({ path: "/pid" });
        if (status !== 200) failures.push(String(status));
      }
    };
    const asking = Promise.all([ask(), ask()]);
    await until(
      "the worn-out drone to be gone",
      async () => {
        const drones = ofClass(await organism().ps(), "drone").filter(({ state }) => state !== "draining");
        fewest.drones = Math.min(fewest.drones, drones.length);
        return !lives();
      },
      { msMax: 90_000 },
    );
    over.abort();
    await asking;

    assert.deepEqual(failures, []);
    assert.ok(asked > 100, `${asked} requests in that time`);
    assert.ok(fewest.drones >= 2, `never fewer than two drones: ${fewest.drones}`);
    assert.match(organism().logs(), new RegExp(`"condemned":"${worn.id}","reason":"worn"`));
    assert.doesNotMatch(organism().logs(), new RegExp(`"executed":"${worn.id}"`), "it has left by itself");
    await organism().grown({ drone: 2, stem: 2 });
  });
});
