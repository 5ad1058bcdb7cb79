/** As PID 1 of a container: orphans are reaped, SIGTERM to PID 1 ends the organism, and the launcher is not missed. */
import assert from "node:assert/strict";
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { type Address, request } from "./client.ts";
import { appFile, bin } from "./organism.ts";
import { until } from "./wait.ts";

const unshare = ["--pid", "--fork", "--mount-proc", "--kill-child"];
const mayUnshare = spawnSync("unshare", [...unshare, "true"]).status === 0;
const skip = mayUnshare ? false : "needs to make a PID namespace (root, and util-linux's unshare)";

interface Contained {
  readonly outside: ChildProcess;
  /** PID 1 of the namespace, as it is known outside. */
  readonly init: number;
  readonly home: string;
  readonly at: Address;
}

/** An organism of five cells in a PID namespace of its own. */
async function contained(t: TestContext): Promise<Contained> {
  const home = mkdtempSync(join(tmpdir(), "cw-pid1-"));
  const env = { ...process.env, XDG_RUNTIME_DIR: home, XDG_STATE_HOME: home };
  const start = [bin, "start", appFile("http-esm.mjs"), "--port", "0", "--name", "one"];
  const outside = spawn("unshare", [...unshare, ...start], { env, stdio: "ignore" });
  const ended = new Promise((resolve) => outside.once("exit", resolve));
  t.after(async () => {
    outside.kill("SIGKILL");
    await ended;
    rmSync(home, { recursive: true, force: true });
  });

  const organismFile = join(home, "cellws", "one", "organism.json");
  await until("the organism to listen", () => existsSync(organismFile));
  const { host, port } = (
    JSON.parse(readFileSync(organismFile, "utf8")) as { listen: [{ host: string; port: number }] }
  ).listen[0];
  assert.equal((await request({ host, port }, { path: "/hello" })).status, 200);
  const [init] = childrenOf(outside.pid ?? 0);
  assert.ok(init !== undefined);
  await until("five cells", () => cellsBelow(init).length === 5);
  return { outside, init, home, at: { host, port } };
}

test("as PID 1 the launcher reaps orphans, and ends the organism at SIGTERM", { skip }, async (t) => {
  const { outside, init, home, at } = await contained(t);

  // The mother of all dies; her daughters are PID 1's now. Then one of those dies, too.
  const [neuron] = cellsBelow(init).filter((pid) => titleOf(pid).includes("neuron"));
  process.kill(neuron ?? assert.fail("there is a neuron"), "SIGKILL");
  await until("another neuron", () =>
    cellsBelow(init).some((pid) => pid !== neuron && titleOf(pid).includes("neuron")),
  );
  const orphans = childrenOf(init).filter((pid) => titleOf(pid).startsWith("cellws: "));
  assert.ok(orphans.length > 0, "orphans fall to PID 1");
  process.kill(orphans[0] ?? 0, "SIGKILL");
  await until("the dead orphan to be reaped", () => !existsSync(`/proc/${orphans[0]}`));
  assert.equal((await request(at, { path: "/hello" })).status, 200);

  process.kill(init, "SIGTERM");
  await until("the namespace to end", () => outside.exitCode !== null || outside.signalCode !== null);
  assert.equal(outside.exitCode, 0);
  assert.deepEqual(readdirSync(join(home, "cellws")), []);
});

test("when the launcher is killed PID 1 stays with the cells, and still ends them at SIGTERM", { skip }, async (t) => {
  const { outside, init, home, at } = await contained(t);
  const launcher = childrenOf(init).find((pid) => read(`/proc/${pid}/cmdline`).includes("\0start\0"));
  process.kill(launcher ?? assert.fail("there is a launcher"), "SIGKILL");
  await until("the launcher to be reaped", () => !existsSync(`/proc/${launcher}`));

  await until("an answer", async () => (await request(at, { path: "/hello" })).status === 200);
  const [drone] = cellsBelow(init).filter((pid) => titleOf(pid).includes("drone"));
  process.kill(drone ?? assert.fail("there is a drone"), "SIGKILL");
  await until("the dead drone to be reaped", () => !existsSync(`/proc/${drone}`));
  await until("an answer", async () => (await request(at, { path: "/hello" })).status === 200);

  process.kill(init, "SIGTERM");
  await until("the namespace to end", () => outside.exitCode !== null || outside.signalCode !== null);
  assert.deepEqual(readdirSync(join(home, "cellws")), []);
});

test(
  "when every cell is dead PID 1 ends with an error, so that the container is started again",
  { skip },
  async (t) => {
    const { outside, init } = await contained(t);
    // All at once: none is left that could heal the others.
    const cells = cellsBelow(init);
    for (const signal of ["SIGSTOP", "SIGKILL"] as const) for (const pid of cells) process.kill(pid, signal);
    await until("the namespace to end", () => outside.exitCode !== null || outside.signalCode !== null);
    assert.equal(outside.exitCode, 1);
  },
);

function childrenOf(pid: number): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name) && parentOf(Number(name)) === pid)
    .map(Number);
}

function cellsBelow(pid: number): number[] {
  const children = childrenOf(pid);
  return [...children.filter((child) => titleOf(child).startsWith("cellws: ")), ...children.flatMap(cellsBelow)];
}

function parentOf(pid: number): number {
  const stat = read(`/proc/${pid}/stat`);
  return Number(stat.slice(stat.lastIndexOf(")") + 4).split(" ")[0]);
}

function titleOf(pid: number): string {
  return read(`/proc/${pid}/cmdline`).split("\0")[0] ?? "";
}

function read(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}
