// Looks at real processes that do what a drone might, and what each check makes of them; and that it makes nothing of the rest.
import assert from "node:assert/strict";
import type { ChildProcess } from "node:child_process";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import net from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, beforeEach, describe, test } from "node:test";
import { descendantsOf, Look, readInternetLine } from "../../src/host/membrane/look.ts";
import type { Surroundings } from "../../src/host/membrane/check.ts";
import type { CheckName } from "../../src/host/membrane/checks.ts";
import type { MembraneRules } from "../../src/host/membrane/rules.ts";
import { appFolder, isWithin, membraneRules, permissionFlags } from "../../src/host/membrane/rules.ts";
import type { Finding } from "../../src/host/membrane/watch.ts";
import { MembraneWatch } from "../../src/host/membrane/watch.ts";
import type { ProcessIdentity } from "../../src/host/proc.ts";
import { readProc, signalProcess } from "../../src/host/proc.ts";
import { until } from "../e2e/wait.ts";

const skip = existsSync("/proc/self/stat") ? false : "there is no /proc";
const folder = mkdtempSync(path.join(tmpdir(), "cellws-membrane-"));
after(() => rmSync(folder, { recursive: true, force: true }));

type Membrane = Parameters<typeof membraneRules>[0]["membrane"];
const open: Membrane = {
  confine: true,
  children: true,
  listen: true,
  connect: "any",
  fsRead: "any",
  fsWrite: "any",
  addons: true,
  cpuPercentMax: 0,
  user: null,
  group: null,
  canary: { paths: [], headers: [], host: "localhost", everyMs: 10_000 },
};
const rules = (membrane: Partial<Membrane>): MembraneRules =>
  membraneRules({ app: path.join(folder, "app.mjs"), membrane: { ...open, ...membrane } });

/** Where nobody is a cell. */
const nowhere: Surroundings = { isCell: () => false, areDronesAlone: () => false, runDir: "/nowhere", events: null };

/** A process that waits for lines of JavaScript on its standard input and does each. */
class Puppet {
  readonly process: ChildProcess;
  readonly cell: { id: string } & ProcessIdentity;
  #said = "";

  constructor(flags: string[] = []) {
    const program = `
      process.stdin.setEncoding("utf8").on("data", (text) => { for (const line of text.split("\\n")) if (line) eval(line); });
      console.log("ready");`;
    this.process = spawn(process.execPath, [...flags, "-e", program], { stdio: ["pipe", "pipe", "inherit"] });
    this.process.stdout?.setEncoding("utf8").on("data", (text: string) => (this.#said += text));
    const pid = this.process.pid ?? 0;
    this.cell = { id: "puppet", pid, startTicks: readProc(pid)?.startTicks ?? 0 };
  }

  /** Does it; resolves when it says the word. */
  async do(script: string, word = "done"): Promise<void> {
    this.#said = "";
    this.process.stdin?.write(`${script}\n`);
    await this.says(word);
  }

  says(word: string): Promise<unknown> {
    return until(`the puppet to say ${word}`, () => this.#said.includes(word));
  }

  async end(): Promise<void> {
    const exited = once(this.process, "exit");
    const started = descendantsOf(this.cell, () => false);
    this.process.kill("SIGKILL");
    for (const process_ of started) signalProcess(process_, "SIGKILL");
    await exited;
  }
}

/** A neighbour of a puppet, whose time goes as fast as is wanted. */
function neighbour(membrane: Partial<Membrane>): (puppet: Puppet) => Finding | null {
  const watch = new MembraneWatch(rules(membrane), nowhere);
  let nowMs = 0;
  return ({ cell }) => watch.look(cell, (nowMs += 6_000));
}

async function withPuppet(work: (puppet: Puppet) => Promise<void>, flags?: string[]): Promise<void> {
  const puppet = new Puppet(flags);
  try {
    await puppet.says("ready");
    await work(puppet);
  } finally {
    await puppet.end();
  }
}

const connectTo = (port: number): string =>
  `globalThis.c = require("net").connect(${port}, "127.0.0.1", () => console.log("done"))`;
const spawnSleep = `globalThis.s = require("child_process").spawn("sleep", ["60"], { stdio: "ignore" }); s.on("spawn", () => console.log("done"))`;

describe("a look from outside", { skip }, () => {
  const server = net.createServer((socket) => socket.on("error", () => undefined).resume());
  let port = 0;
  before(async () => {
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    port = (server.address() as net.AddressInfo).port;
  });
  after(() => server.close());

  const cases: ReadonlyArray<{
    title: string;
    membrane: Partial<Membrane>;
    script: () => string;
    found: readonly [CheckName, RegExp] | null;
  }> = [
    { title: "a child", membrane: { children: false }, script: () => spawnSleep, found: ["children", /started sleep/] },
    {
      title: "a child that was over before anybody looked",
      membrane: { children: false },
      script: () => `require("child_process").execFileSync("true"); console.log("done")`,
      found: ["children", /has ended by now/],
    },
    { title: "a child where children are allowed", membrane: { listen: false }, script: () => spawnSleep, found: null },
    {
      title: "a worker thread, a look-up of a name and a file of the system",
      membrane: { children: false, connect: [], fsRead: [], fsWrite: [], listen: false, addons: false },
      script: () =>
        `require("dns").lookup("localhost", () => new (require("worker_threads").Worker)("1", { eval: true }).on("exit", () => {
          globalThis.f = require("fs").openSync("/etc/hosts"); console.log("done"); }))`.replaceAll("\n", " "),
      found: null,
    },
    {
      title: "a connection to elsewhere",
      membrane: { connect: ["10.0.0.0/8", "::1"] },
      script: () => connectTo(port),
      found: ["outgoing", /127\.0\.0\.1 port \d+/],
    },
    {
      title: "a connection that is allowed",
      membrane: { connect: ["127.0.0.0/8"] },
      script: () => connectTo(port),
      found: null,
    },
    {
      title: "a port",
      membrane: { listen: false },
      script: () => `require("net").createServer().listen(0, "127.0.0.1", () => console.log("done"))`,
      found: ["listening", /listens on port \d+/],
    },
    {
      title: "a Unix socket",
      membrane: { listen: false },
      script: () => `require("net").createServer().listen("${folder}/socket", () => console.log("done"))`,
      found: ["listening", /Unix socket .*socket/],
    },
    {
      title: "a connection that came in through a port of its own",
      membrane: { connect: [] },
      script: () =>
        `require("net").createServer(() => console.log("done")).listen(0, "127.0.0.1", function () {
          require("child_process").spawn(process.execPath, ["-e", "require('net').connect(" + this.address().port + ", '127.0.0.1')"]); })`.replaceAll(
          "\n",
          " ",
        ),
      found: null,
    },
    {
      title: "a file outside",
      membrane: { fsRead: ["/var/empty"] },
      script: () =>
        `require("fs").writeFileSync("/dev/shm/cellws-${process.pid}", ""); globalThis.f = require("fs").openSync("/dev/shm/cellws-${process.pid}"); require("fs").rmSync("/dev/shm/cellws-${process.pid}"); console.log("done")`,
      found: ["files", /cellws-\d+ open/],
    },
    {
      title: "a file of its own, open for writing where it may only read",
      membrane: { fsRead: [folder], fsWrite: [] },
      script: () => `globalThis.f = require("fs").openSync("${folder}/written", "w"); console.log("done")`,
      found: ["files", /written open for writing/],
    },
    {
      title: "a file where it may write",
      membrane: { fsRead: [], fsWrite: [folder] },
      script: () => `globalThis.f = require("fs").openSync("${folder}/written", "w"); console.log("done")`,
      found: null,
    },
    {
      title: "another program in its place",
      membrane: {},
      script: () => `console.log("done"); process.execve("/bin/sleep", ["sleep", "60"], {})`,
      found: ["executable", /instead of/],
    },
    {
      title: "a shell at the end of a connection",
      membrane: {},
      script: () =>
        `globalThis.c = require("net").connect(${port}, "127.0.0.1", () => {
          require("child_process").spawn("sh", [], { stdio: [c, c, "ignore"] }).on("spawn", () => console.log("done")); })`.replaceAll(
          "\n",
          " ",
        ),
      found: ["remote-shell", /takes its commands from the network/],
    },
    {
      title: "a shell with pipes, and a connection beside it",
      membrane: {},
      script: () =>
        `globalThis.c = require("net").connect(${port}, "127.0.0.1", () => {
          require("child_process").spawn("sh", []).on("spawn", () => console.log("done")); })`.replaceAll("\n", " "),
      found: null,
    },
  ];
  for (const { title, membrane, script, found } of cases) {
    test(`${found === null ? "passes over" : "finds"} ${title}`, async () => {
      await withPuppet(async (puppet) => {
        const look = neighbour(membrane);
        assert.equal(look(puppet), null, "at first sight there is nothing");
        assert.equal(look(puppet), null, "nor when it is compared with that");
        await puppet.do(script());
        if (found === null) {
          assert.equal(look(puppet), null);
          assert.equal(look(puppet), null, "nor at the second");
          return;
        }
        const finding = await until(`it to be found`, () => look(puppet));
        assert.equal(finding.check, found[0]);
        assert.match(finding.found, found[1]);
      });
    });
  }

  test("finds a drone that is not the user that it is to be, once it has had the time to become it", async () => {
    await withPuppet(async (puppet) => {
      const own = process.getuid?.() ?? 0;
      const watchFor = (uid: number): MembraneWatch => new MembraneWatch({ ...rules({}), uid }, nowhere);
      const [right, wrong] = [watchFor(own), watchFor(own + 1)];
      assert.equal(wrong.look(puppet.cell, 0), null);
      assert.deepEqual(wrong.look(puppet.cell, 6_000), {
        check: "privilege",
        found: `it runs as user ${own}, and not as ${own + 1}`,
      });
      for (const nowMs of [0, 6_000]) assert.equal(right.look(puppet.cell, nowMs), null);
    });
  });

  test("finds much processor time over long, and not a burst", async () => {
    await withPuppet(async (puppet) => {
      const watch = new MembraneWatch(rules({ cpuPercentMax: 10 }), nowhere);
      const burn = (ms: number): Promise<void> =>
        puppet.do(
          // Asked seldom: the question itself costs system time.
          `{ const from = process.cpuUsage().user; while (process.cpuUsage().user - from < ${ms * 1000}) for (let i = 0; i < 1e6; i += 1); } console.log("done")`,
        );
      // The watch's clock is ours: what the puppet has used in a moment is spread over ten seconds.
      assert.equal(watch.look(puppet.cell, 0), null);
      await burn(100);
      assert.equal(watch.look(puppet.cell, 15_000), null, "100 ms and the puppet's own start in 15 s");
      await burn(1_200);
      assert.match(watch.look(puppet.cell, 25_000)?.found ?? "", /has used 0\.\d processors for 10 s/);
    });
  });

  test("does not forget: what was hidden again stands, until another process has the pid", async () => {
    await withPuppet(async (puppet) => {
      const look = neighbour({ connect: [] });
      look(puppet);
      await puppet.do(connectTo(port));
      assert.notEqual(look(puppet), null);
      await puppet.do(`c.destroy(); c.on("close", () => console.log("done"))`);
      assert.notEqual(look(puppet), null);
    });
  });

  test("accuses nobody of what a cell's daughters are", async () => {
    await withPuppet(async (puppet) => {
      const watch = new MembraneWatch(rules({ children: false }), { ...nowhere, isCell: () => true });
      watch.look(puppet.cell, 0);
      await puppet.do(spawnSleep);
      assert.equal(watch.look(puppet.cell, 10_000), null);
    });
  });

  test("finds a program that was over, beside daughters that live; a daughter's own death is none", async () => {
    await withPuppet(async (puppet) => {
      const daughters = new Set<number>();
      const watch = new MembraneWatch(rules({ children: false }), {
        ...nowhere,
        isCell: ({ pid }) => daughters.has(pid),
      });
      let nowMs = 0;
      const look = (): Finding | null => watch.look(puppet.cell, (nowMs += 1_000));
      await puppet.do(spawnSleep);
      await puppet.do(spawnSleep);
      for (const { pid } of descendantsOf(puppet.cell, () => false)) daughters.add(pid);
      assert.equal(daughters.size, 2);
      for (let i = 0; i < 3; i += 1) assert.equal(look(), null, "daughters are none of its business");

      await puppet.do(`s.on("exit", () => console.log("done")); s.kill("SIGKILL")`);
      for (let i = 0; i < 3; i += 1) assert.equal(look(), null, "she was waited for, which makes page faults");

      await puppet.do(`require("child_process").execFileSync("true"); console.log("done")`);
      assert.match(look()?.found ?? "", /has ended by now/);
    });
  });

  describe("a child that has ended and was not waited for yet", () => {
    const daughters = new Set<number>();
    beforeEach(() => daughters.clear());
    const newWatch = (): MembraneWatch =>
      new MembraneWatch(rules({ children: false }), { ...nowhere, isCell: ({ pid }) => daughters.has(pid) });
    const lookAt = (watch: MembraneWatch, puppet: Puppet, nowMs: number): string | null =>
      watch.look(puppet.cell, nowMs)?.found ?? null;

    /** Does it, then stands still without waiting for any child until `goOn` is called; resolves with that many zombies. */
    async function stopWithZombies(puppet: Puppet, script: string, count: number): Promise<() => Promise<void>> {
      const sign = path.join(folder, `go-on-${puppet.cell.pid}-${count}`);
      const standStill = `const nap = new Int32Array(new SharedArrayBuffer(4));
        while (!require("fs").existsSync(${JSON.stringify(sign)})) Atomics.wait(nap, 0, 0, 5);`;
      await puppet.do(
        `{ ${script}; console.log("stopped"); ${standStill} setTimeout(() => console.log("goes on"), 20); }`.replaceAll(
          "\n",
          " ",
        ),
        "stopped",
      );
      const zombies = (): number => new Look(puppet.cell).childrenAndZombies()?.filter((c) => c.isZombie).length ?? 0;
      await until(`${count} to have ended`, () => zombies() === count);
      return async () => {
        writeFileSync(sign, "");
        await puppet.says("goes on");
        await until("it to have waited for them", () => zombies() === 0);
      };
    }

    test("is a program that it has started, also beside daughters that live", async () => {
      await withPuppet(async (puppet) => {
        const watch = newWatch();
        await puppet.do(spawnSleep);
        for (const { pid } of descendantsOf(puppet.cell, () => false)) daughters.add(pid);
        for (const nowMs of [0, 250]) assert.equal(lookAt(watch, puppet, nowMs), null);
        await stopWithZombies(puppet, `require("child_process").spawn("true")`, 1);
        assert.match(lookAt(watch, puppet, 500) ?? "", /has ended by now/);
      });
    });

    test("may be a daughter that died unborn, if it was there from the first", async () => {
      await withPuppet(async (puppet) => {
        const watch = newWatch();
        const goOn = await stopWithZombies(puppet, `require("child_process").spawn("true")`, 1);
        for (const nowMs of [0, 250, 500]) assert.equal(lookAt(watch, puppet, nowMs), null);
        await goOn();
        // She was waited for, which makes page faults.
        for (const nowMs of [750, 1_000, 1_250]) assert.equal(lookAt(watch, puppet, nowMs), null);
      });
    });

    test("is no evidence where only drones are left, of whom one starts the organism anew", async () => {
      await withPuppet(async (puppet) => {
        const watch = new MembraneWatch(rules({ children: false }), { ...nowhere, areDronesAlone: () => true });
        for (const nowMs of [0, 250, 500]) assert.equal(lookAt(watch, puppet, nowMs), null);
        await puppet.do(spawnSleep);
        assert.match(lookAt(watch, puppet, 750) ?? "", /started sleep/, "which is none of it");
      });
      await withPuppet(async (puppet) => {
        const watch = new MembraneWatch(rules({ children: false }), { ...nowhere, areDronesAlone: () => true });
        for (const nowMs of [0, 250, 500]) assert.equal(lookAt(watch, puppet, nowMs), null);
        await puppet.do(
          `globalThis.s = require("child_process").spawn(process.execPath, ["-e", "setTimeout(() => 0, 60000)"]); s.on("spawn", () => console.log("done"))`,
        );
        assert.equal(lookAt(watch, puppet, 750), null);
        assert.match(lookAt(watch, puppet, 60_000) ?? "", /has started node/, "a birth does not take so long");
      });
    });

    test("may be a daughter whom everybody has forgotten", async () => {
      await withPuppet(async (puppet) => {
        const watch = newWatch();
        await puppet.do(spawnSleep);
        for (const { pid } of descendantsOf(puppet.cell, () => false)) daughters.add(pid);
        for (const nowMs of [0, 250, 60_000]) assert.equal(lookAt(watch, puppet, nowMs), null);
        daughters.clear();
        const goOn = await stopWithZombies(puppet, `s.kill("SIGKILL")`, 1);
        assert.equal(lookAt(watch, puppet, 60_250), null);
        await goOn();
        for (const nowMs of [60_500, 60_750, 61_000]) assert.equal(lookAt(watch, puppet, nowMs), null);
        await puppet.do(`require("child_process").execFileSync("true"); console.log("done")`);
        assert.match(lookAt(watch, puppet, 61_250) ?? "", /has ended by now/);
      });
    });
  });

  test("says nothing of a process that is not there, or another's", async () => {
    const watch = new MembraneWatch(rules({ children: false, connect: [] }), nowhere);
    assert.equal(watch.look({ id: "gone", pid: 2 ** 22 + 1, startTicks: 5 }, 0), null);
    await withPuppet(async (puppet) => {
      await puppet.do(connectTo(port));
      assert.equal(watch.look({ ...puppet.cell, startTicks: puppet.cell.startTicks + 1 }, 10_000), null);
    });
  });
});

test("a line of /proc/net/tcp is read, with IPv4 addresses in IPv6 as what they are", () => {
  const [inode, socket] =
    readInternetLine(
      "   0: 0100007F:1F90 0A00000A:01BB 01 00000000:00000000 00:00000000 00000000  1000        0 4711 1 0000 20 4 30 10 -1",
      "tcp",
      4,
    ) ?? [];
  assert.equal(inode, 4711);
  assert.deepEqual(
    { ...socket, remote: [...(socket?.remote ?? [])] },
    {
      protocol: "tcp",
      family: 4,
      localPort: 8080,
      remote: [0x0a00000a, 0, 0, 0],
      remotePort: 443,
      state: 1,
    },
  );
  const [, mapped] =
    readInternetLine(
      "   1: 0000000000000000FFFF00000100007F:1F90 0000000000000000FFFF00000A00000A:01BB 01 0:0 0:0 0 0 0 12 1",
      "tcp",
      6,
    ) ?? [];
  assert.equal(mapped?.family, 4);
  assert.equal(mapped?.remote[0], 0x0a00000a);
  assert.equal(readInternetLine("nonsense", "tcp", 4), null);
});

test("an open membrane needs no flags, a closed one grants what a cell needs and no more", () => {
  const own = { runDir: "/run/organism", events: null, envFile: null };
  assert.deepEqual(permissionFlags(rules({}), own), []);
  assert.deepEqual(permissionFlags(rules({ children: false, confine: false }), own), []);
  assert.deepEqual(permissionFlags(rules({ listen: false, connect: [] }), own), []);
  const flags = permissionFlags(rules({ children: false, fsWrite: [folder] }), own);
  assert.ok(flags.includes("--allow-fs-read=*") && flags.includes(`--allow-fs-write=${folder}/*`));
  assert.ok(flags.includes("--allow-addons") && !flags.includes("--allow-child-process"));
  assert.ok(!flags.includes("--allow-fs-write=*"));
});

test("the app's folder is its project's, and a folder's neighbour with a longer name is not in it", () => {
  const project = path.join(folder, "project");
  assert.equal(appFolder(path.join(import.meta.dirname, "x", "server.js")), path.resolve(import.meta.dirname, "../.."));
  writeFileSync(`${project}-package.json`, "{}");
  assert.equal(isWithin("/srv/app/x", ["/srv/app"]), true);
  assert.equal(isWithin("/srv/application", ["/srv/app"]), false);
  assert.equal(isWithin("/srv/app", ["/srv/app"]), true);
});
