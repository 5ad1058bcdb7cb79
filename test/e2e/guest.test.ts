/**
 * Drones that are another user (membrane.user): they answer, are looked at, replaced and ended as others are, and can read,
 * signal and change nothing of root's cells. Needs root, and user "nobody"; without either it says so.
 */
import assert from "node:assert/strict";
import { existsSync, lstatSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import path from "node:path";
import { before, describe, test, type TestContext } from "node:test";
import type { CliResult, PsCell } from "./organism.ts";
import { appFile, cellws, ofClass, Organism, sharedOrganism, startOrganism, watchLife } from "./organism.ts";
import { until } from "./wait.ts";

const [, , uid, gid] = /^nobody:([^:]*):(\d+):(\d+):/m.exec(readFileSync("/etc/passwd", "utf8")) ?? [];
const skip =
  process.getuid?.() !== 0
    ? "only root can start drones as another user"
    : !existsSync("/proc/self/stat")
      ? "there is no /proc"
      : uid === undefined
        ? "there is no user nobody"
        : false;
const settledMs = 6_500;

/** The home of a test's organism is root's alone; the folder of the apps may be entered by all. */
const cwd = path.dirname(appFile("hole.mjs"));

const usersOf = ({ pid }: PsCell): string[] =>
  /^Uid:\s*(.*)$/m.exec(readFileSync(`/proc/${pid}/status`, "latin1"))?.[1]?.split(/\s+/) ?? [];

async function startWith(t: TestContext, dna: object): Promise<CliResult> {
  // Not started: only for its home, its environment, and its look at what is left.
  const organism = new Organism({ app: "http-esm.mjs" });
  t.after(() => organism.end());
  const file = organism.writeDna(dna);
  const args = ["start", appFile("http-esm.mjs"), "--port", "0", "--detach", "--dna", file];
  return await cellws(args, { env: organism.env, cwd: organism.workDir });
}

async function grownUp(organism: Organism): Promise<void> {
  await organism.request({ path: "/pid" });
  await organism.grown({ drone: 2, stem: 2 });
  await new Promise((resolve) => setTimeout(resolve, settledMs));
}

describe("drones that are another user", { skip }, () => {
  const organism = sharedOrganism({
    app: "hole.mjs",
    args: ["--admin-port", "0"],
    dna: {
      cwd,
      immune: { mode: "off" },
      cells: { drone: { min: 2 } },
      // What is forbidden is only watched: so that it can be done.
      membrane: { user: "nobody", children: false, confine: false },
    },
  });
  before(() => grownUp(organism()));

  test("are that user and in no group of root's, and all others are root", async () => {
    const cells = await organism().ps();
    for (const cell of cells)
      assert.deepEqual(usersOf(cell), Array(4).fill(cell.class === "drone" ? uid : "0"), `${cell.class} ${cell.pid}`);
    for (const { pid } of ofClass(cells, "drone")) {
      const status = readFileSync(`/proc/${pid}/status`, "latin1");
      assert.match(status, new RegExp(`^Gid:\\s*${gid}\\s`, "m"));
      assert.match(status, new RegExp(`^Groups:\\s*${gid}\\s*$`, "m"));
      assert.match(status, /^CapEff:\s*0+$/m);
    }
  });

  test("cannot read what is root's, nor the memory of root's cells, nor signal them", async () => {
    const [bCell] = ofClass(await organism().ps(), "b-cell");
    assert.ok(bCell !== undefined);
    const forbidden = [
      `${organism().runDir}/organism.json`,
      `${organism().runDir}/log/cellws.log`,
      `/proc/${bCell.pid}/environ`,
      `/proc/${bCell.pid}/maps`,
    ];
    for (const file of forbidden) {
      assert.ok(readFileSync(file).length > 0, `root reads ${file}`);
      const { status, text } = await organism().request({ path: `/file?path=${encodeURIComponent(file)}` });
      assert.deepEqual([status, text], [500, "EACCES"], file);
    }
    const { text } = await organism().request({ path: `/signal?pid=${bCell.pid}` });
    assert.equal(text, "EPERM");
  });

  test("have their sockets in a folder of their own, and in that alone they may write", async () => {
    const doors = readlinkSync(`${organism().runDir}/cells`);
    assert.equal(lstatSync(doors).mode & 0o777, 0o711);
    const cells = await organism().ps();
    const drones = ofClass(cells, "drone").map(({ id }) => `${id}.sock`);
    const sockets = (dir: string): string[] => readdirSync(dir).filter((name) => name.endsWith(".sock"));
    assert.deepEqual(sockets(`${doors}/guests`).toSorted(), drones.toSorted());
    for (const name of sockets(doors)) {
      const { uid: owner, mode } = lstatSync(`${doors}/${name}`);
      assert.deepEqual([String(owner), mode & 0o777], [uid, 0o600], name);
    }
    const write = await organism().request({ path: `/hold?path=${encodeURIComponent(`${doors}/x`)}&flags=w` });
    assert.deepEqual([write.status, write.text], [500, "EACCES"]);
  });

  test("one that is killed is replaced by another of that user; what was counted is not lost", async () => {
    const [victim] = ofClass(await organism().ps(), "drone");
    assert.ok(victim !== undefined);
    const lives = watchLife(victim);
    organism().kill(victim);
    await until("it to be gone", () => !lives());
    const drones = ofClass(await organism().grown({ drone: 2, stem: 2 }), "drone");
    await until("the new one to be that user", () => drones.every((drone) => usersOf(drone)[0] === uid));
    for (let i = 0; i < 10; i += 1) assert.equal((await organism().request({ path: "/pid" })).status, 200);
    const left = readdirSync(readlinkSync(`${organism().runDir}/cells`)).filter((name) => name.endsWith(".counts"));
    const cells = (await organism().ps()).filter((cell) => cell.class === "drone").map(({ id }) => `${id}.counts`);
    assert.deepEqual(
      left.filter((name) => cells.includes(name)),
      [],
      "a drone's counts are in one place",
    );
  });

  test("one that starts a program is seen by root's cells, voted out, ended and replaced", async () => {
    await new Promise((resolve) => setTimeout(resolve, settledMs));
    const drones = ofClass(await organism().ps(), "drone");
    await organism().request({ path: "/leave-running?command=sleep+60;true" });
    const victim = await until(
      "one of them to be voted out",
      () =>
        drones.find(({ id }) =>
          new RegExp(`"condemned":"${id}","reason":"infected","votes":\\d`).test(organism().logs()),
        ),
      { explain: () => organism().dump() },
    );
    await until("it and what it had started to be gone", () => {
      const commands = organism().processes();
      return commands.every(({ pid, command }) => pid !== victim.pid && !/sleep 60/.test(command));
    });
    await organism().grown({ drone: 2, stem: 2 });
    assert.equal((await organism().request({ path: "/pid" })).status, 200);
  });

  test("the log is one file, and drones write into it", () => {
    const lines = organism().logs().split("\n");
    assert.ok(lines.some((line) => /"class":"drone".*"event":"app-ready"/.test(line)));
  });
});

describe("an organism whose drones are another user", { skip }, () => {
  test("ends when it is asked to, and leaves no folder behind", async (t) => {
    const organism = await startOrganism(t, { app: "hole.mjs", dna: { cwd, membrane: { user: "nobody" } } });
    assert.equal((await organism.request({ path: "/pid" })).status, 200);
    const doors = readlinkSync(`${organism.runDir}/cells`);
    assert.ok(existsSync(doors));
    assert.equal((await organism.stop()).code, 0);
    await organism.gone();
    assert.equal(existsSync(doors), false);
  });

  test("confines them as well, where the DNA says so", async (t) => {
    const organism = await startOrganism(t, {
      app: "hole.mjs",
      dna: { cwd, immune: { mode: "off" }, membrane: { user: "nobody", children: false, fsRead: [], fsWrite: [] } },
    });
    assert.equal((await organism.request({ path: "/pid" })).status, 200);
    for (const hole of ["/ping?host=x", "/file?path=/etc/passwd", "/hold?path=/dev/shm/x&flags=w"])
      assert.equal((await organism.request({ path: hole })).text, "ERR_ACCESS_DENIED", hole);
    const [drone] = ofClass(await organism.ps(), "drone");
    assert.ok(drone !== undefined);
    assert.deepEqual(usersOf(drone), Array(4).fill(uid));
  });

  test("a folder of the dead is cleared away by the next of that name", async (t) => {
    const organism = await startOrganism(t, { app: "hole.mjs", dna: { cwd, membrane: { user: "nobody" } } });
    assert.equal((await organism.request({ path: "/pid" })).status, 200);
    await organism.grown({ stem: 1 });
    const doors = readlinkSync(`${organism.runDir}/cells`);
    for (const { pid } of organism.processes()) process.kill(pid, "SIGKILL");
    await organism.gone();
    const again = organism.again({});
    t.after(() => again.end());
    again.launch();
    await until("the next to have its own", () => existsSync(`${again.runDir}/cells`) && !existsSync(doors));
    await again.listening();
    assert.equal((await again.request({ path: "/pid" })).status, 200);
  });

  const mistakes: ReadonlyArray<readonly [title: string, membrane: object, found: RegExp]> = [
    ["a user that is not there", { user: "no-such-user" }, /there is no user[^]*membrane\.user[^]*useradd/],
    ["root", { user: "root" }, /that is root[^]*membrane\.user/],
    ["a group that is not there", { user: "nobody", group: "no-such-group" }, /there is no group[^]*membrane\.group/],
    ["root's group", { user: "nobody", group: "root" }, /that group is root's[^]*membrane\.group/],
    ["a group without a user", { group: "nogroup" }, /no user[^]*membrane\.group/],
  ];
  for (const [title, membrane, found] of mistakes) {
    test(`is not started for ${title}`, async (t) => {
      const { code, stderr } = await startWith(t, { cwd, membrane });
      assert.equal(code, 2, stderr);
      assert.match(stderr, /CELLWS_E_USER/);
      assert.match(stderr, found);
    });
  }

  test("is not started where that user could not enter the app's folder, which is told", async (t) => {
    const { code, stderr } = await startWith(t, { membrane: { user: "nobody" } });
    assert.equal(code, 2, stderr);
    assert.match(stderr, /CELLWS_E_USER[^]*nobody cannot run the app[^]*EACCES/);
  });
});
