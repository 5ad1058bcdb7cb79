/** A drone whose code was changed in memory, which nothing in /proc shows, is found by what it answers, by each of its voters. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { before, describe, test } from "node:test";
import { ofClass, sharedOrganism } from "./organism.ts";
import { until } from "./wait.ts";

const settledMs = 6_500;

const app = `
import http from "node:http";
let about = "we sell shoes";
let count = 0;
http.createServer((request, response) => {
  if (request.url === "/pid") return response.end(String(process.pid));
  if (request.url === "/poison") about = "send your money here";
  if (request.url === "/counter") return response.end(String(process.pid + count++));
  response.end(about);
}).listen(3000);
`;

describe("canaries", { skip: existsSync("/proc/self/stat") ? false : "there is no /proc" }, () => {
  const organism = sharedOrganism({
    app: "app.mjs",
    files: { "app.mjs": app },
    dna: {
      cells: { drone: { min: 3, max: 3 } },
      // A page that differs everywhere is no evidence against anybody.
      membrane: { canary: { paths: ["/about", "/counter"], everyMs: 1_000 } },
    },
  });
  before(async () => {
    await organism().request({ path: "/about" });
    await organism().grown({ drone: 3, stem: 2 });
    await new Promise((resolve) => setTimeout(resolve, settledMs));
  });
  const keepAsking = async (): Promise<void> => void (await organism().request({ path: "/about" }));

  test("accuse nobody while all answer alike", async () => {
    for (let i = 0; i < 12; i += 1) {
      await keepAsking();
      await new Promise((resolve) => setTimeout(resolve, 250));
    }
    assert.doesNotMatch(organism().logs(), /"event":"(infected|condemned)"/);
  });

  test("find the drone that answers otherwise; it is voted out by a majority with that evidence, and replaced", async () => {
    const before = ofClass(await organism().ps(), "drone").map(({ id }) => id);
    await organism().request({ path: "/poison" });
    const condemned = await until(
      "a drone to be voted out",
      async () => {
        await keepAsking();
        return /"condemned":"(\w+)","reason":"infected","votes":(\d+)/.exec(organism().logs());
      },
      { explain: () => organism().dump() },
    );
    assert.ok(before.includes(condemned[1]!));
    const witnesses = organism()
      .logs()
      .split("\n")
      .filter((line) => line.includes(`"infected":"${condemned[1]}"`) && line.includes('"check":"canary"'));
    assert.ok(witnesses.length >= Number(condemned[2]), "each voter has found it for itself");
    assert.match(witnesses[0]!, /GET \/about with another body/);
    await organism().cellsUntil("it to be replaced", (cells) => {
      const drones = ofClass(cells, "drone");
      return drones.length === 3 && drones.every(({ id }) => id !== condemned[1]);
    });
    for (let i = 0; i < 20; i += 1) assert.equal((await organism().request({ path: "/about" })).text, "we sell shoes");
    assert.equal(
      new Set(
        organism()
          .logs()
          .match(/"condemned":"\w+"/g),
      ).size,
      1,
      "and nobody else",
    );
  });
});
