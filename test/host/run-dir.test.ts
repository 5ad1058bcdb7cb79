import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import net from "node:net";
import path from "node:path";
import { test } from "node:test";
import {
  cellSocketPath,
  createRunDir,
  doorsOf,
  guestCellsDir,
  hasCells,
  isAlive,
  listCellRecords,
  listCellSockets,
  listRunDirs,
  readOrganismFile,
  recordCell,
  removeRunDir,
  runBase,
  runDir,
  runDirExists,
  whoLives,
  writeOrganismFile,
} from "../../src/host/run-dir.ts";
import { ownIdentity } from "../../src/host/proc.ts";
import { CellwsError } from "../../src/lib/cellws-error.ts";
import type { CellRecord } from "../../src/wire/control.ts";
import { DEAD, makeRunBase, organismFile } from "../support/fake-organism.ts";

const record = (id: string, identity = ownIdentity()): CellRecord => ({
  id,
  class: "egg",
  ...identity,
  mother: null,
  generation: 0,
  bornAt: "2026-11-22T12:00:00.000Z",
});

const hasCode =
  (code: string) =>
  (error: unknown): boolean => {
    assert.ok(error instanceof CellwsError, String(error));
    assert.equal(error.code, code);
    return true;
  };

test("the run directory is under XDG_RUNTIME_DIR when that is an absolute path, else under the temp directory", () => {
  assert.equal(runBase({ XDG_RUNTIME_DIR: "/run/user/7" }), "/run/user/7/cellws");
  for (const value of [undefined, "", "relative"]) {
    assert.match(runBase({ XDG_RUNTIME_DIR: value }), /cellws-\d+$/);
  }
});

test("names of organisms are short, lower-case and never paths", (t) => {
  const { base } = makeRunBase(t);
  for (const name of ["a", "0", "shop-2", "a".repeat(32)]) assert.equal(runDir(name, base).name, name);
  for (const name of ["", "-a", "A", "a b", "a/b", "..", ".a", "a".repeat(33), "ä", "a\n"]) {
    assert.throws(() => runDir(name, base), hasCode("CELLWS_E_NAME_INVALID"), JSON.stringify(name));
  }
});

test("a new run directory is whole, private and empty of cells", async (t) => {
  const { base } = makeRunBase(t);
  const { run, leftovers } = await createRunDir("shop", { base });
  assert.deepEqual(leftovers, []);
  for (const dir of [base, run.path, run.cellsDir, run.dnaDir, path.dirname(run.logFile)]) {
    assert.equal(fs.statSync(dir).mode & 0o777, 0o700, dir);
  }
  assert.deepEqual(fs.readdirSync(base), ["shop"], "nothing else is left beside it");
  const living = await whoLives(run);
  assert.deepEqual(living, { records: [], sockets: [], launcher: ownIdentity() });
});

test("a name is taken while its launcher lives, even before the first cell", async (t) => {
  const { base } = makeRunBase(t);
  await createRunDir("shop", { base });
  await assert.rejects(createRunDir("shop", { base }), hasCode("CELLWS_E_NAME_TAKEN"));
});

test("a name is taken while the process of a recorded cell lives, though its launcher is dead", async (t) => {
  const { base } = makeRunBase(t);
  const { run } = await createRunDir("shop", { base, launcher: DEAD });
  recordCell(run, record("aaaaaaaaaa"));
  await assert.rejects(createRunDir("shop", { base }), hasCode("CELLWS_E_NAME_TAKEN"));
  assert.equal((await removeRunDir(run)).removed, false);
  assert.equal(runDirExists(run), true);
});

test("a name is taken while somebody listens on a cell's socket, though nothing is recorded", async (t) => {
  const { base } = makeRunBase(t);
  const { run } = await createRunDir("shop", { base, launcher: DEAD });
  const server = net.createServer().listen(cellSocketPath(run, "aaaaaaaaaa"));
  t.after(() => server.close());
  await assert.rejects(createRunDir("shop", { base }), hasCode("CELLWS_E_NAME_TAKEN"));
});

test("of two starts with one name at the same time, exactly one gets it", async (t) => {
  const { base } = makeRunBase(t);
  const { run } = await createRunDir("shop", { base, launcher: DEAD });
  recordCell(run, record("aaaaaaaaaa", DEAD));
  const results = await Promise.allSettled([1, 2, 3].map(() => createRunDir("shop", { base })));
  const won = results.filter((result) => result.status === "fulfilled");
  assert.equal(won.length, 1);
  assert.deepEqual(fs.readdirSync(base), ["shop"]);
});

test("what a dead organism left is cleared away and told", async (t) => {
  const { base } = makeRunBase(t);
  const { run } = await createRunDir("shop", { base, launcher: DEAD });
  recordCell(run, record("aaaaaaaaaa", DEAD));
  // A socket file whose owner is gone: connecting to it is refused.
  await leaveStaleSocket(cellSocketPath(run, "aaaaaaaaaa"));
  fs.writeFileSync(run.logFile, "last words\n");
  assert.equal(isAlive(await whoLives(run)), false);

  const { leftovers } = await createRunDir("shop", { base });
  assert.deepEqual(leftovers.sort(), [
    "cells/aaaaaaaaaa.json",
    "cells/aaaaaaaaaa.sock",
    "launcher.json",
    "log/cellws.log",
  ]);
  assert.equal(fs.existsSync(run.logFile), false);
  assert.deepEqual(listCellSockets(run), []);
});

test("a launcher may clear up after itself, and nobody else while it lives", async (t) => {
  const { base } = makeRunBase(t);
  const { run } = await createRunDir("shop", { base });
  assert.equal((await removeRunDir(run)).removed, false);
  assert.equal((await removeRunDir(run, { exceptPid: process.pid })).removed, true);
  assert.deepEqual(fs.readdirSync(base), []);
  assert.equal((await removeRunDir(run)).removed, true, "and once more does no harm");
});

test("a record that is damaged, or another's, is no record", async (t) => {
  const { base } = makeRunBase(t);
  const { run } = await createRunDir("shop", { base, launcher: DEAD });
  recordCell(run, record("aaaaaaaaaa"));
  fs.writeFileSync(path.join(run.cellsDir, "bbbbbbbbbb.json"), "{");
  fs.writeFileSync(path.join(run.cellsDir, "cccccccccc.json"), JSON.stringify(record("aaaaaaaaaa")));
  fs.writeFileSync(path.join(run.cellsDir, "dddddddddd.json"), JSON.stringify({ ...record("dddddddddd"), pid: -1 }));
  assert.deepEqual(
    listCellRecords(run).map(({ id }) => id),
    ["aaaaaaaaaa"],
  );
  assert.equal(hasCells(await whoLives(run)), true);
});

test("a cell whose run directory is gone cannot leave a record, and lives on", async (t) => {
  const { base } = makeRunBase(t);
  const { run } = await createRunDir("shop", { base });
  assert.equal(recordCell(run, record("aaaaaaaaaa")), true);
  fs.rmSync(run.path, { recursive: true });
  assert.equal(recordCell(run, record("aaaaaaaaaa")), false);
});

test("organism.json is read as it was written, and not at all when it is damaged", async (t) => {
  const { base } = makeRunBase(t);
  const { run } = await createRunDir("shop", { base });
  assert.equal(readOrganismFile(run), null);
  writeOrganismFile(run, organismFile("shop"));
  assert.equal(readOrganismFile(run)?.app, "/srv/shop/server.js");
  fs.writeFileSync(run.organismFile, '{"version":2}');
  assert.equal(readOrganismFile(run), null);
});

test("a base that others can enter, or that is no directory, is refused and left alone", async (t) => {
  const { base } = makeRunBase(t);
  fs.mkdirSync(base);
  fs.chmodSync(base, 0o750);
  await assert.rejects(createRunDir("shop", { base }), hasCode("CELLWS_E_RUN_DIR"));
  assert.throws(() => listRunDirs(base), hasCode("CELLWS_E_RUN_DIR"));
  assert.deepEqual(fs.readdirSync(base), []);

  fs.rmdirSync(base);
  const elsewhere = `${base}-elsewhere`;
  fs.mkdirSync(elsewhere, { mode: 0o700 });
  fs.symlinkSync(elsewhere, base);
  await assert.rejects(createRunDir("shop", { base }), hasCode("CELLWS_E_RUN_DIR"));
  assert.deepEqual(fs.readdirSync(elsewhere), []);
});

test(
  "a base of somebody else's is refused",
  { skip: process.geteuid?.() !== 0 && "only root can make one" },
  async (t) => {
    const { base } = makeRunBase(t);
    fs.mkdirSync(base, { mode: 0o700 });
    fs.chownSync(base, 65534, 65534);
    await assert.rejects(createRunDir("shop", { base }), /belongs to somebody else/);
  },
);

test("a base whose parent is missing is explained", async (t) => {
  const { base } = makeRunBase(t);
  await assert.rejects(createRunDir("shop", { base: path.join(base, "missing", "cellws") }), (error: CellwsError) => {
    assert.equal(error.code, "CELLWS_E_RUN_DIR");
    assert.match(error.details.hint ?? "", /does not exist/);
    return true;
  });
});

test("a run directory whose sockets would have too long a path is refused before anything is made", async (t) => {
  const { runtimeDir } = makeRunBase(t);
  const base = path.join(runtimeDir, "x".repeat(100));
  await assert.rejects(createRunDir("shop", { base }), (error: CellwsError) => {
    assert.equal(error.code, "CELLWS_E_RUN_DIR");
    assert.match(error.details.found ?? "", /socket paths of \d+ bytes/);
    return true;
  });
  assert.equal(fs.existsSync(base), false);
});

test("organisms are listed by name; what is none of them is passed over", async (t) => {
  const { base } = makeRunBase(t);
  assert.deepEqual(listRunDirs(base), []);
  await createRunDir("shop", { base });
  await createRunDir("board", { base });
  fs.writeFileSync(path.join(base, "file"), "");
  fs.mkdirSync(path.join(base, ".old-x-1"));
  assert.deepEqual(
    listRunDirs(base).map(({ name }) => name),
    ["board", "shop"],
  );
});

async function leaveStaleSocket(socketPath: string): Promise<void> {
  // Node unlinks a socket when it closes it: so listen elsewhere and move it there.
  const first = `${socketPath}.first`;
  const server = net.createServer();
  await new Promise<void>((resolve) => server.listen(first, resolve));
  fs.renameSync(first, socketPath);
  await new Promise((resolve) => server.close(resolve));
}

const isRoot = process.getuid?.() === 0 ? false : "only root can make a folder for another user";

test(
  "what a guest puts into its folder leads root nowhere, holds it nowhere, and is nobody else's",
  { skip: isRoot },
  async (t) => {
    const { base } = makeRunBase(t);
    const { run } = await createRunDir("shop", { base, launcher: DEAD, guest: { uid: 65_534, gid: 65_534 } });
    const guests = guestCellsDir(run);
    const doors = doorsOf(run);
    assert.ok(doors !== null);
    assert.equal(fs.statSync(guests).uid, 65_534);
    // Root's own lie beside it, and go before whatever the guest has of the same name.
    assert.ok(recordCell(run, record("aaaa")));
    fs.writeFileSync(path.join(guests, "aaaa.json"), JSON.stringify({ ...record("aaaa"), class: "drone" }));
    fs.writeFileSync(path.join(guests, "bbbb.json"), JSON.stringify({ ...record("bbbb"), class: "drone" }));
    const secret = path.join(base, "secret");
    fs.writeFileSync(secret, JSON.stringify(record("cccc")));
    fs.symlinkSync(secret, path.join(guests, "cccc.json"));
    fs.symlinkSync(secret, path.join(guests, "cccc.sock"));
    spawnSync("mkfifo", [path.join(guests, "dddd.json")]);
    fs.mkdirSync(path.join(guests, "folder"));
    assert.deepEqual(
      listCellRecords(run).map(({ id, class: cellClass }) => [id, cellClass]),
      [
        ["aaaa", "egg"],
        ["bbbb", "drone"],
      ],
    );
    assert.equal(path.dirname(cellSocketPath(run, "cccc")), run.cellsDir);

    for (const id of ["aaaa", "bbbb"]) {
      fs.rmSync(path.join(guests, `${id}.json`), { force: true });
      fs.rmSync(path.join(run.cellsDir, `${id}.json`), { force: true });
    }
    assert.equal((await removeRunDir(run)).removed, true);
    assert.ok(fs.existsSync(secret), "a link's end is not what is cleared away");
    assert.deepEqual(fs.readdirSync(guests.replace(run.cellsDir, doors)), ["folder"], "nothing is followed downwards");
    fs.rmSync(doors, { recursive: true });
  },
);

test(
  "the next start clears away what the dead have left in /run, and nothing of the living",
  { skip: isRoot },
  async (t) => {
    const { base } = makeRunBase(t);
    const guest = { uid: 65_534, gid: 65_534 };
    const make = async (name: string): Promise<string> => {
      const { run } = await createRunDir(name, { base, launcher: DEAD, guest });
      assert.ok(recordCell(run, { ...record("aaaa"), ...(name === "dead" ? DEAD : ownIdentity()) }));
      const doors = doorsOf(run);
      assert.ok(doors !== null);
      t.after(() => fs.rmSync(doors, { recursive: true, force: true }));
      // The link to it is gone: systemd has removed its run directory.
      fs.rmSync(run.path, { recursive: true });
      return doors;
    };
    const [dead, living, young] = [await make("dead"), await make("living"), await make("young")];
    fs.rmSync(path.join(young, "aaaa.json"));
    for (const doors of [dead, living]) fs.utimesSync(doors, 0, 0);
    await make("next");
    assert.deepEqual(
      [dead, living, young].map((doors) => fs.existsSync(doors)),
      [false, true, true],
    );
  },
);
