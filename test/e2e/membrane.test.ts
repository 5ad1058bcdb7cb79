/**
 * The membrane around drones: what is forbidden is refused from inside, and who does it all the same is found by its
 * neighbours, each by its own look, voted out, ended and replaced; drones that do nothing of the kind are left alone.
 */
import assert from "node:assert/strict";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import net from "node:net";
import { after, before, describe, test } from "node:test";
import type { PsCell } from "./organism.ts";
import { ofClass, sharedOrganism, startOrganism, watchLife, type Organism } from "./organism.ts";
import { until } from "./wait.ts";

const skip = existsSync("/proc/self/stat") ? false : "there is no /proc";
/** Newborns vote after five seconds, and one that has just become a drone is looked at closely after as many. */
const settledMs = 6_500;

/** Ready for a vote. */
async function grownUp(organism: Organism): Promise<void> {
  await organism.request({ path: "/pid" });
  await organism.grown({ drone: 2, stem: 2 });
  await new Promise((resolve) => setTimeout(resolve, settledMs));
}

/** Asks until the answer comes from a drone, and which one it was is known. */
async function attack(organism: Organism, path: string): Promise<void> {
  await organism.request({ path }).catch(() => undefined);
}

/** Waits for the certificate against a drone for what was found; the drone. */
async function condemnedFor(organism: Organism, found: RegExp): Promise<string> {
  return until(
    `a drone to be voted out for ${found}`,
    () => {
      const lines = organism
        .logs()
        .split("\n")
        .filter((line) => line.includes('"event":"infected"') && found.test(line));
      const id = /"infected":"(\w+)"/.exec(lines.at(-1) ?? "")?.[1];
      return id !== undefined && new RegExp(`"condemned":"${id}","reason":"infected","votes":\\d`).test(organism.logs())
        ? id
        : null;
    },
    { explain: () => organism.dump() },
  );
}

interface Infection {
  title: string;
  path: (scratch: Scratch) => string;
  found: RegExp;
}
interface Scratch {
  port: number;
}

describe("a drone that does what the DNA forbids, past what would refuse it", { skip }, () => {
  const listener = net.createServer();
  before(async () => {
    listener.listen(0, "127.0.0.1");
    await once(listener, "listening");
  });
  after(() => listener.close());
  const scratch = (): Scratch => ({ port: (listener.address() as net.AddressInfo).port });

  const organism = sharedOrganism({
    app: "hole.mjs",
    dna: {
      cells: { drone: { min: 2 } },
      membrane: {
        confine: false,
        children: false,
        listen: false,
        connect: ["10.99.0.0/16"],
        fsRead: [],
        fsWrite: [],
        cpus: 1.5,
      },
    },
  });
  before(() => grownUp(organism()));

  const infections: readonly Infection[] = [
    {
      title: "leaves a shell running",
      path: () => "/leave-running?command=sleep+60;true",
      found: /"check":"children".*has started/,
    },
    { title: "runs a command that is over at once", path: () => "/ping?host=there;true", found: /"check":"children"/ },
    {
      title: "connects to a stranger",
      path: ({ port }) => `/fetch?host=127.0.0.1&port=${port}`,
      found: /"check":"outgoing".*127\.0\.0\.1 port/,
    },
    { title: "listens on a port of its own", path: () => "/listen", found: /"check":"listening".*listens on port/ },
    {
      title: "writes where it may not",
      path: () => "/hold?path=/dev/shm/cellws-membrane-test&flags=w",
      found: /"check":"files".*membrane-test open/,
    },
  ];
  for (const { title, path, found } of infections) {
    test(`${title}: is voted out, ended and replaced`, async () => {
      const before = ofClass(await organism().ps(), "drone");
      await attack(organism(), path(scratch()));
      const id = await condemnedFor(organism(), found);
      const victim = before.find((drone) => drone.id === id);
      assert.ok(victim !== undefined, "it was one of the drones");
      await until("its process to be ended", () => !isRunning(victim));
      await organism().grown({ neuron: 1, "b-cell": 1, drone: 2, stem: 2 });
      assert.equal((await organism().request({ path: "/pid" })).status, 200);
      // A voter signs one sentence in ten seconds: the next one must find them able, and the new drone grown up.
      await new Promise((resolve) => setTimeout(resolve, 10_000));
    });
  }

  test("only they were voted out", () => {
    const condemned =
      organism()
        .logs()
        .match(/"event":"condemned"[^\n]*?"condemned":"\w+"/g) ?? [];
    assert.equal(new Set(condemned.map((line) => line.slice(-12))).size, infections.length);
  });
});

function isRunning({ pid }: PsCell): boolean {
  return existsSync(`/proc/${pid}/stat`) && !readFileSync(`/proc/${pid}/stat`, "latin1").includes(") Z ");
}

describe("a drone behind the membrane", { skip }, () => {
  const organism = sharedOrganism({
    app: "hole.mjs",
    dna: {
      cells: { drone: { min: 2 } },
      membrane: { children: false, listen: false, connect: ["10.99.0.0/16"], fsRead: [], fsWrite: [], addons: false },
    },
  });
  before(() => grownUp(organism()));

  const refusals: ReadonlyArray<readonly [title: string, path: string, text: string]> = [
    ["starts no shell", "/ping?host=x;id", "ERR_ACCESS_DENIED"],
    ["replaces itself by no other program", "/become?program=/bin/sleep", "ERR_ACCESS_DENIED"],
    ["reads no file outside", "/file?path=/etc/passwd", "ERR_ACCESS_DENIED"],
    ["writes no file", "/hold?path=/dev/shm/cellws-membrane-test&flags=w", "ERR_ACCESS_DENIED"],
    ["connects to nobody but whom the DNA names", "/fetch?host=127.0.0.1&port=9", "EACCES"],
    ["listens on nothing of its own", "/listen", "EACCES"],
  ];
  for (const [title, path, text] of refusals) {
    test(title, async () => {
      const answer = await organism().request({ path });
      assert.deepEqual([answer.status, answer.text], [500, text]);
    });
  }

  test("nobody is accused of what did not happen, and the app's own folder is open to it", async () => {
    const own = await organism().request({
      path: `/file?path=${encodeURIComponent(import.meta.dirname)}/apps/hole.mjs`,
    });
    assert.match(own.text, /^\/\/ An app with holes/);
    assert.doesNotMatch(organism().logs(), /"event":"(infected|condemned)"/);
  });

  test("is replaced when it dies, by a stem cell that goes behind the membrane as well", async () => {
    const [victim] = ofClass(await organism().ps(), "drone");
    assert.ok(victim !== undefined);
    const lives = watchLife(victim);
    organism().kill(victim, "SIGKILL");
    await until("it to be gone", () => !lives());
    const cells = await organism().grown({ neuron: 1, "b-cell": 1, drone: 2, stem: 2 });
    for (const { pid } of ofClass(cells, "drone")) {
      assert.match(readFileSync(`/proc/${pid}/status`, "latin1"), /^Name:/m);
    }
    for (let i = 0; i < 10; i += 1) {
      assert.equal((await organism().request({ path: "/ping?host=x" })).text, "ERR_ACCESS_DENIED");
    }
  });
});

describe("with the default membrane", { skip }, () => {
  test("a shell at the end of a network connection is an infection; children, files and connections are not", async (t) => {
    const listener = net.createServer().listen(0, "127.0.0.1");
    await once(listener, "listening");
    t.after(() => listener.close());
    const { port } = listener.address() as net.AddressInfo;
    const organism = await startOrganism(t, { app: "hole.mjs", dna: { cells: { drone: { min: 2 } } } });
    await grownUp(organism);

    assert.equal((await organism.request({ path: "/ping?host=there" })).text, "pinging there\n");
    for (const path of [
      "/leave-running?command=sleep+30",
      `/fetch?host=127.0.0.1&port=${port}`,
      "/hold?path=/etc/passwd&flags=r",
      "/mine?threads=1",
    ]) {
      assert.equal((await organism.request({ path })).status, 200, path);
    }
    await new Promise((resolve) => setTimeout(resolve, 3_000));
    assert.doesNotMatch(organism.logs(), /"event":"(infected|condemned)"/);

    await attack(organism, `/reverse-shell?port=${port}`);
    await condemnedFor(organism, /"check":"remote-shell"/);
    await organism.grown({ neuron: 1, "b-cell": 1, drone: 2, stem: 2 });
  });
});
