/**
 * The example's Dockerfile, without Docker: what its image would run, as whom, and with what in its environment, in a PID
 * namespace. The image itself is Node's; what is ours is in these lines.
 */
import assert from "node:assert/strict";
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { test, type TestContext } from "node:test";
import { request } from "./client.ts";
import { appFile, bin } from "./organism.ts";
import { freePort } from "./plain.ts";
import { until } from "./wait.ts";

const dockerfile = readFileSync(path.join(import.meta.dirname, "../../examples/docker/Dockerfile"), "utf8");
const instruction = (name: string): string => new RegExp(`^${name} (.*)$`, "m").exec(dockerfile)?.[1] ?? "";
const list = (text: string): string[] => JSON.parse(/\[.*\]/.exec(text)?.[0] ?? "[]") as string[];
const environment = Object.fromEntries(
  instruction("ENV")
    .split(" ")
    .map((pair) => pair.split("=") as [string, string]),
);

const unshare = ["--pid", "--fork", "--mount-proc", "--kill-child"];
/** Somebody without any right, as the image's `node` is. */
const nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"];
const mayContain =
  spawnSync("unshare", [...unshare, ...nobody, "true"]).status === 0 &&
  spawnSync("nsenter", ["--version"]).status === 0;
const skip = mayContain ? false : "needs to make a PID namespace (root, and util-linux's unshare, setpriv and nsenter)";

interface Container {
  readonly outside: ChildProcess;
  readonly port: number;
  /** As `docker exec` runs it: its exit code and what it said. */
  readonly exec: (command: readonly string[]) => { status: number | null; output: string };
}

/** `docker run`, as far as it concerns us. */
async function contained(t: TestContext): Promise<Container> {
  const folder = mkdtempSync(path.join(tmpdir(), "cw-docker-"));
  const app = path.join(folder, "app");
  const state = path.join(folder, "state");
  const temp = path.join(folder, "tmp");
  mkdirSync(path.join(app, "node_modules/.bin"), { recursive: true });
  for (const place of [state, temp]) {
    mkdirSync(place);
    chmodSync(place, 0o777);
  }
  chmodSync(folder, 0o755);
  symlinkSync(bin, path.join(app, "node_modules/.bin/cellws"));
  copyFileSync(appFile("http-esm.mjs"), path.join(app, "server.js"));
  // The container's own folders are ours here, and so is its port.
  const place = (text: string): string => text.replace(/^\/state/, state).replace(/^\/tmp/, temp);
  const env = {
    PATH: process.env["PATH"],
    TMPDIR: temp,
    HOME: "/nonexistent",
    ...Object.fromEntries(Object.entries(environment).map(([name, value]) => [name, place(value)])),
  };
  const port = await freePort();
  const words = [...list(instruction("ENTRYPOINT")), ...list(instruction("CMD"))];
  const command = words.map((word) => (word === "8080" ? String(port) : word));
  const outside = spawn("unshare", [...unshare, ...nobody, ...command], { cwd: app, env, stdio: "ignore" });
  const ended = once(outside, "exit");
  t.after(async () => {
    outside.kill("SIGKILL");
    await ended;
    rmSync(folder, { recursive: true, force: true });
  });
  return {
    outside,
    port,
    exec: (wanted) => {
      const { status, stdout, stderr } = spawnSync(
        "nsenter",
        ["--target", String(initOf(outside)), "--pid", "--mount", ...nobody, "env", "-C", app, ...wanted],
        { env, encoding: "utf8" },
      );
      return { status, output: `${stdout}${stderr}` };
    },
  };
}

test(
  "the example's image answers as nobody's user, is healthy asleep and awake, and stops as Docker stops it",
  { skip },
  async (t) => {
    const { outside, port, exec } = await contained(t);
    const health = list(/^HEALTHCHECK .* CMD (.*)$/m.exec(dockerfile)?.[1] ?? "");
    assert.ok(health.length > 0);
    await until("it to be healthy, while nobody has asked anything", () => {
      const { status, output } = exec(health);
      if (status !== 0) throw new Error(output);
      return true;
    });
    assert.match(exec(["node_modules/.bin/cellws", "ps", "--name", "app"]).output, /egg/, "and without waking it");
    assert.equal((await request({ host: "127.0.0.1", port }, { path: "/hello" })).text, "hello");
    await until("it to be healthy", () => exec(health).status === 0);
    assert.deepEqual(Object.keys(environment).toSorted(), ["NODE_ENV", "XDG_CACHE_HOME", "XDG_STATE_HOME"]);

    process.kill(initOf(outside), "SIGTERM");
    await until("it to end", () => outside.exitCode !== null || outside.signalCode !== null);
    assert.equal(outside.exitCode, 0);
  },
);

/** PID 1 of the namespace, as it is known outside. */
function initOf(outside: ChildProcess): number {
  const init = readdirSync("/proc").find((name) => {
    if (!/^\d+$/.test(name)) return false;
    try {
      const stat = readFileSync(`/proc/${name}/stat`, "latin1");
      return Number(stat.slice(stat.lastIndexOf(")") + 4).split(" ")[0]) === outside.pid;
    } catch {
      return false;
    }
  });
  assert.ok(init !== undefined, "it runs");
  return Number(init);
}
