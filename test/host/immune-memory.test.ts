import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, test, type TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import type { BanBody } from "../../src/core/record.ts";
import { leaseMs, openMemory, type Memory, type MemoryOptions } from "../../src/host/immune/memory.ts";
import { migrations } from "../../src/host/immune/migrations.ts";
import { ensureStateDir, listStateDirs, stateDir } from "../../src/host/immune/state-dir.ts";
import { defaultBanPolicy } from "../../src/immune/bans/policy.ts";
import { offenceMemoryMs, Sentencer } from "../../src/immune/bans/sentencing.ts";
import { forgetMs, Ledger } from "../../src/immune/ledger/ledger.ts";
import { prngBelow, prngFrom } from "../../src/lib/prng.ts";

const writer = fileURLToPath(new URL("../support/memory-writer.ts", import.meta.url));
const wallMs = Date.now();
const ban = (range: string, changes: Partial<BanBody> = {}): BanBody => ({
  kind: "ban",
  range,
  action: "ban",
  reason: "other",
  offence: 1,
  issuedAtMs: wallMs,
  untilMs: wallMs + 3_600_000,
  incident: `${range}#1`,
  ...changes,
});

function makeFile(t: TestContext): string {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), "cellws-memory-"));
  t.after(() => fs.rmSync(dir, { recursive: true, force: true }));
  return path.join(dir, "immune.db");
}

function open(t: TestContext, options: Partial<MemoryOptions> & { file: string }): Memory {
  const { memory, notices } = openMemory({ holder: "t", ...options });
  assert.deepEqual(notices, []);
  t.after(() => memory.close());
  return memory;
}

const rangesOf = (bans: readonly BanBody[]): string[] => bans.map(({ range }) => range);

describe("the memory of bans", () => {
  test("keeps what was recorded, and counts an incident once", (t) => {
    const file = makeFile(t);
    const memory = open(t, { file });
    assert.ok(memory.takeLease());
    const bans = [ban("192.0.2.7"), ban("2001:db8::/64", { action: "tarpit", offence: 3 })];
    assert.equal(memory.record(bans), 2);
    assert.equal(memory.record(bans), 0);
    memory.close();
    const again = open(t, { file });
    assert.deepEqual(again.bansInForce(), bans);
    assert.deepEqual([...again.allBans()], bans);
    assert.equal(again.offencesOf("2001:db8::/64", "tarpit"), 3);
    assert.equal(again.offencesOf("2001:db8::/64", "ban"), 0);
    assert.equal(fs.statSync(file).mode & 0o777, 0o600);
  });

  test("tells the last word on each range, where it is in force", (t) => {
    const memory = open(t, { file: makeFile(t) });
    memory.takeLease();
    memory.record([
      ban("192.0.2.1"),
      ban("192.0.2.1", { action: "lifted", incident: "192.0.2.1#lifted" }),
      ban("192.0.2.2", { untilMs: wallMs - 1 }),
      ban("192.0.2.3", { action: "watch", incident: "w" }),
      ban("192.0.2.3", { incident: "b" }),
    ]);
    assert.deepEqual(
      memory.bansInForce().map(({ range, action }) => [range, action]),
      [["192.0.2.3", "ban"]],
    );
  });

  test("has one keeper at a time; its lease ends with its process, or when it is not renewed", (t) => {
    const file = makeFile(t);
    let nowMs = 0;
    const clock = { monotonicMs: () => nowMs, wallMs: () => wallMs };
    const one = open(t, { file, holder: "one", clock });
    const two = open(t, { file, holder: "two", clock });
    const dead = open(t, { file, holder: "dead", clock, process: { pid: 2 ** 22 + 1, startTicks: 7 } });
    assert.equal(dead.takeLease(), true);
    assert.equal(one.takeLease(), true, "its holder does not live");
    assert.equal(two.takeLease(), false);
    const work = () => "done";
    assert.equal(two.keep(work), "not-ours");
    assert.equal(two.record([ban("192.0.2.7")]), 1, "a sentence is named, and any T cell may write it");
    assert.equal(one.record([ban("192.0.2.7")]), 0, "once");
    nowMs = leaseMs;
    assert.equal(two.takeLease(), true, "it was not renewed");
    assert.equal(one.keep(work), "not-ours", "a keeper that was paused writes nothing");
    assert.equal(two.keep(work), "done");
    assert.equal(one.leaseHolder(), "two");
    two.close();
    assert.equal(one.takeLease(), true, "it was given back");
  });

  test("forgets the oldest that are over, and stays within its bounds", (t) => {
    const memory = open(t, { file: makeFile(t), bansMax: 10 });
    memory.takeLease();
    memory.record([
      ban("10.0.0.1", { issuedAtMs: wallMs - offenceMemoryMs - 1, untilMs: wallMs - 5 }),
      ban("10.0.0.2", { untilMs: wallMs - 5 }),
    ]);
    assert.deepEqual(rangesOf([...memory.allBans()]), ["10.0.0.2"], "the other is older than offences are remembered");
    memory.record(Array.from({ length: 120 }, (_, i) => ban(`10.1.0.${i}`)));
    const kept = rangesOf([...memory.allBans()]);
    assert.equal(kept.length, 10);
    assert.ok(!kept.includes("10.0.0.2"));
  });

  test("says that it is full instead of growing, and makes room from what is over", (t) => {
    const file = makeFile(t);
    const bytesMax = 200 * 1_024;
    const memory = open(t, { file, bytesMax });
    memory.takeLease();
    const many = (prefix: string, untilMs: number): BanBody[] =>
      Array.from({ length: 400 }, (_, i) => ban(`${prefix}.${i >> 8}.${i & 255}`, { untilMs }));
    assert.equal(memory.record(many("10.1", wallMs - 1)), 400);
    const filled = [2, 3, 4, 5].map((i) => memory.record(many(`10.${i}`, wallMs + 3_600_000)));
    assert.ok(filled.includes("full"), filled.join(" "));
    assert.ok(filled.includes(400));
    memory.close();
    assert.ok(fs.statSync(file).size <= bytesMax);
  });

  test("keeps statistics over the death of cells, and drops those of another boot", (t) => {
    const file = makeFile(t);
    const memory = open(t, { file });
    memory.takeLease();
    const share = { range: "192.0.2.7", owner: "t", version: 3, atMs: 9, levels: [], bad: 1, clean: 0, sketches: {} };
    assert.equal(memory.keepShares([share]), 1);
    assert.equal(memory.keepShares([{ ...share, range: "192.0.2.8", owner: "u" }]), 1);
    const { seq, shares } = memory.sharesSince(1, 10);
    assert.deepEqual([seq, shares.map(({ owner }) => owner)], [2, ["u"]], "what came later");
    assert.equal(memory.keepShares([{ ...share, version: 4 }]), 1);
    assert.deepEqual(
      memory.loadStatistics().map(({ owner, version }) => [owner, version]),
      [
        ["t", 4],
        ["u", 3],
      ],
    );
    memory.keep(() => memory.run("UPDATE share SET boot = 'another'"));
    assert.deepEqual(memory.loadStatistics(), []);
    assert.equal(memory.forgetShares(), 2);
  });

  test("tells a T cell of what others have seen also when all that it had read before is forgotten", (t) => {
    const file = makeFile(t);
    let nowMs = 0;
    const memory = open(t, { file, clock: { monotonicMs: () => nowMs, wallMs: () => wallMs } });
    const share = { range: "192.0.2.7", owner: "t", version: 1, atMs: 0, levels: [], bad: 1, clean: 0, sketches: {} };
    for (let version = 1; version <= 3; version += 1) memory.keepShares([{ ...share, version }]);
    const { seq } = memory.sharesSince(0, 10);
    nowMs = forgetMs + 1;
    memory.takeLease();
    assert.equal(memory.forgetShares(), 1);
    memory.keepShares([{ ...share, range: "192.0.2.8", atMs: nowMs }]);
    assert.deepEqual(
      memory.sharesSince(seq, 10).shares.map(({ range }) => range),
      ["192.0.2.8"],
    );
  });
});

describe("a memory's file", () => {
  test("of an older cellws is brought up to date with what it holds", (t) => {
    const file = makeFile(t);
    const db = new DatabaseSync(file);
    db.exec(`${migrations[0]}; PRAGMA user_version = 1`);
    db.exec(`INSERT INTO ban (incident, range, action, reason, offence, issued_ms, until_ms)
             VALUES ('i', '192.0.2.7', 'ban', 'other', 1, ${wallMs}, ${wallMs + 60_000})`);
    db.close();
    const memory = open(t, { file });
    assert.deepEqual(rangesOf(memory.bansInForce()), ["192.0.2.7"]);
    memory.takeLease();
    const share = { range: "192.0.2.7", owner: "t", version: 1, atMs: 0, levels: [], bad: 1, clean: 0, sketches: {} };
    assert.equal(memory.keepShares([share]), 1);
  });

  test("of a newer cellws is refused and left alone", (t) => {
    const file = makeFile(t);
    const db = new DatabaseSync(file);
    db.exec("PRAGMA user_version = 999");
    db.close();
    const before = fs.readFileSync(file);
    assert.throws(() => openMemory({ file, holder: "t" }), { code: "CELLWS_E_MEMORY_NEWER" });
    assert.deepEqual(fs.readFileSync(file), before);
  });

  for (const [what, damage] of [
    ["is no database", (file: string) => fs.writeFileSync(file, "nonsense ".repeat(1_000))],
    [
      "is overwritten in the middle",
      (file: string) => {
        const fd = fs.openSync(file, "r+");
        fs.writeSync(fd, Buffer.alloc(12_288, 0xaa), 0, 12_288, 4_096);
        fs.closeSync(fd);
      },
    ],
    ["is cut off", (file: string) => fs.truncateSync(file, 6_000)],
  ] as const) {
    test(`that ${what} is set aside whole, which is told, and a new one is begun`, (t) => {
      const file = makeFile(t);
      const first = openMemory({ file, holder: "t" }).memory;
      first.takeLease();
      first.record(Array.from({ length: 200 }, (_, i) => ban(`10.0.0.${i}`)));
      first.close();
      damage(file);
      const damaged = fs.readFileSync(file);
      const { memory, notices } = openMemory({ file, holder: "t" });
      t.after(() => memory.close());
      assert.equal(notices[0]?.code, "CELLWS_W_MEMORY_CORRUPT");
      const aside = fs.readdirSync(path.dirname(file)).find((name) => name.includes("corrupt-") && name.endsWith("Z"));
      assert.ok(aside !== undefined && notices[0]?.message.includes(aside));
      assert.deepEqual(fs.readFileSync(path.join(path.dirname(file), aside)), damaged);
      assert.ok(memory.takeLease());
      assert.equal(memory.record([ban("192.0.2.7")]), 1);
    });
  }
});

test(
  "writers that are killed at any moment lose no ban that they announced, and double none",
  { timeout: 120_000 },
  async (t) => {
    const file = makeFile(t);
    const rounds = 15;
    const seed = Date.now() & 0xffff;
    t.diagnostic(`seed ${seed}`);
    let prng = prngFrom(seed);
    const announced = new Set<number>();
    let next = 0;
    for (let round = 0; round < rounds; round += 1) {
      const child = spawn(process.execPath, [writer, file, String(next)], { stdio: ["ignore", "pipe", "inherit"] });
      const [lines, drawn] = prngBelow(prng, 20);
      prng = drawn;
      const enough = Promise.withResolvers<void>();
      let told = "";
      child.stdout.on("data", (chunk: Buffer) => {
        told += chunk.toString();
        // More than are said again, so that each round gets further; where in its next write that is, nobody knows.
        if (told.split("\n").length > 5 + lines) enough.resolve();
      });
      const exited = once(child, "close");
      await Promise.race([enough.promise, exited]);
      child.kill("SIGKILL");
      await exited;
      for (const line of told.split("\n").slice(0, -1)) announced.add(Number(line));
      // The next begins a little before where this one stood: what was said is said again.
      next = Math.max(0, Math.max(-1, ...announced) - 3);
    }
    const { memory, notices } = openMemory({ file, holder: "after" });
    t.after(() => memory.close());
    assert.deepEqual(notices, []);
    const kept = rangesOf([...memory.allBans()]);
    assert.equal(new Set(kept).size, kept.length, "doubled");
    assert.ok(announced.size > rounds, `${announced.size} announced`);
    const lost = [...announced].filter((n) => !kept.includes(`10.${(n >> 16) & 255}.${(n >> 8) & 255}.${n & 255}`));
    assert.deepEqual(lost, []);
    // One of each round may have been written and not told.
    assert.ok(kept.length <= announced.size + rounds);
    assert.ok(memory.takeLease(), "the lease of the dead is free");
  },
);

test("a T cell that is born after all others were killed goes on where they stood", (t) => {
  const file = makeFile(t);
  const grow = (owner: string) => {
    const memory = open(t, { file, holder: owner });
    assert.ok(memory.takeLease());
    const ledger = new Ledger({ owner, salt: "s" });
    ledger.merge(memory.loadStatistics());
    const sentencer = new Sentencer(defaultBanPolicy, prngFrom(1));
    const moment = { nowMs: 1_000, wallMs: Date.now() };
    for (const body of memory.allBans()) sentencer.learn(body, moment);
    const attack = (client: string, id: string): number => {
      ledger.observeMark({ id, client, attackClass: "other", rules: [], score: 5, cell: "b", atMs: 1_000 });
      const decisions = sentencer.consider(ledger, client, moment);
      const bodies = decisions.flatMap((decision) => (decision.kind === "sentence" ? [decision.body] : []));
      const written = memory.record(bodies);
      assert.ok(typeof written === "number");
      memory.keepShares(ledger.snapshot(0.5));
      return written;
    };
    return { memory, attack };
  };
  const first = grow("first");
  for (let i = 0; i < 5; i += 1) first.attack("192.0.2.7", `a${i}`);
  for (let i = 0; i < 3; i += 1) first.attack("192.0.2.8", `b${i}`);
  assert.deepEqual(rangesOf(first.memory.bansInForce()), ["192.0.2.7"]);
  first.memory.close();
  const second = grow("second");
  // What was banned is not banned again; of who had sent three marks two more are enough.
  assert.equal(second.attack("192.0.2.7", "a5"), 0);
  assert.deepEqual([second.attack("192.0.2.8", "b3"), second.attack("192.0.2.8", "b4")], [0, 1]);
  assert.deepEqual(
    [...second.memory.allBans()].map(({ range, offence }) => [range, offence]),
    [
      ["192.0.2.7", 1],
      ["192.0.2.8", 1],
    ],
  );
});

test("the state directory is its owner's alone", (t) => {
  const base = path.dirname(makeFile(t));
  const dir = stateDir("shop", base);
  ensureStateDir(dir);
  assert.equal(fs.statSync(dir.path).mode & 0o777, 0o700);
  assert.deepEqual(listStateDirs(base), []);
  open(t, { file: dir.memoryFile });
  assert.deepEqual(listStateDirs(base), [dir]);
  fs.chmodSync(dir.path, 0o755);
  assert.throws(() => ensureStateDir(dir), { code: "CELLWS_E_STATE_DIR" });
  fs.chmodSync(dir.path, 0o700);
});
