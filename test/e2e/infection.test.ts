/**
 * What comes in through a hole and is only watched (`membrane.confine: false`): a program that mines, a file outside of the
 * allowed folders. Each is found from outside, and the drone dies by ballot, with the evidence on its certificate.
 */
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { before, describe, test } from "node:test";
import { ofClass, sharedOrganism, watchLife } from "./organism.ts";
import { until } from "./wait.ts";

const skip = existsSync("/proc/self/stat") ? false : "there is no /proc";
const settledMs = 6_500;
const windowMs = 10_500;

describe("a drone that somebody uses for his own ends", { skip }, () => {
  const organism = sharedOrganism({
    app: "hole.mjs",
    dna: {
      immune: { mode: "off" },
      cells: { drone: { min: 2, max: 2 } },
      membrane: { confine: false, fsRead: [], cpuPercentMax: 50 },
    },
  });
  before(async () => {
    await organism().request({ path: "/pid" });
    await organism().grown({ drone: 2, stem: 2 });
    await new Promise((resolve) => setTimeout(resolve, settledMs));
  });

  const holes: ReadonlyArray<readonly [title: string, path: () => string, check: string, found: RegExp]> = [
    [
      "to read a file outside of the allowed folders",
      () => {
        const secret = organism().scratch("secret.txt");
        writeFileSync(secret, "secret");
        return `/hold?path=${encodeURIComponent(secret)}&flags=r`;
      },
      "files",
      /it has \S*secret\.txt open/,
    ],
    ["to mine, in threads of its own", () => "/mine?threads=2", "cpu", /has used [\d.]+ processors for 1\d s/],
  ];
  for (const [title, path, check, found] of holes) {
    test(`${title}: is voted out for it, ended and replaced`, async () => {
      const drones = ofClass(await organism().ps(), "drone");
      const lives = new Map(drones.map((drone) => [drone.id, watchLife(drone)]));
      assert.equal((await organism().request({ path: path() })).status, 200);
      const victim = await until(
        "a drone to be voted out as infected",
        () =>
          drones.find(({ id }) =>
            new RegExp(`"condemned":"${id}","reason":"infected","votes":\\d`).test(organism().logs()),
          ),
        { msMax: 60_000, explain: () => organism().dump() },
      );
      await until("its process to be ended", () => lives.get(victim.id)?.() === false);
      const folder = organism().scratch("state/cellws/e2e/certificates");
      const finding = await until("its certificate to be kept", () => {
        const kept = readdirSync(folder).map((name) => readFileSync(`${folder}/${name}`, "utf8"));
        const certificate = kept.find((text) => text.includes(`"target":"${victim.id}"`));
        return certificate === undefined
          ? null
          : (JSON.parse(certificate) as { finding: { check: string; found: string } }).finding;
      });
      assert.equal(finding.check, check);
      assert.match(finding.found, found);
      await organism().grown({ neuron: 1, "b-cell": 1, drone: 2, stem: 2 });
      assert.equal((await organism().request({ path: "/pid" })).status, 200);
      await new Promise((resolve) => setTimeout(resolve, windowMs));
    });
  }

  test("nobody else was voted out", () => {
    const condemned = organism()
      .logs()
      .match(/"condemned":"\w+"/g);
    assert.equal(new Set(condemned).size, holes.length);
  });
});
