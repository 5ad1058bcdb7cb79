// When the kernel's set of bans is made anew, with a program in the place of `nft` that writes down what it is asked.
import assert from "node:assert/strict";
import { chmodSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { KernelSet } from "../../src/host/immune/kernel-set.ts";
import { folderWith } from "../dna/support.ts";

test("the kernel's set is made anew with each change, when a ban ends, and once a minute, for others may have flushed it", async (t) => {
  const folder = folderWith(t, { nft: '#!/bin/sh\ncat >> "$(dirname "$0")/asked"\n' });
  chmodSync(path.join(folder, "nft"), 0o755);
  const pathBefore = process.env["PATH"];
  process.env["PATH"] = `${folder}:${pathBefore}`;
  t.after(() => (process.env["PATH"] = pathBefore));
  const asked = path.join(folder, "asked");
  writeFileSync(asked, "");
  const callsOf = (): number => readFileSync(asked, "utf8").split("# Made by").length - 1;

  let untilMs = 3_600_000;
  const kept = {
    seq: 1,
    bansInForce: () => [
      {
        kind: "ban",
        range: "203.0.113.7",
        action: "ban",
        reason: "other",
        offence: 1,
        issuedAtMs: 0,
        untilMs,
        incident: "203.0.113.7#1",
      } as const,
    ],
  };
  const set = new KernelSet("shop", [8_080]);
  /** How often `nft` is called when it is shown the bans at these times. */
  const callsAt = async (...wallMs: number[]): Promise<number> => {
    const before = callsOf();
    for (const ms of wallMs) {
      set.show(kept, ms);
      await set.settled();
    }
    return callsOf() - before;
  };
  assert.equal(await callsAt(0, 1_000, 59_000), 1);
  assert.equal(await callsAt(60_000, 61_000), 1);
  kept.seq = 2;
  untilMs = 85_000;
  assert.equal(await callsAt(62_000, 84_000), 1, "another ban");
  assert.equal(await callsAt(85_000, 86_000), 1, "its end");
});
