/**
 * The membrane around drones: what is forbidden is refused from inside, and who does it all the same is found by its
 * neighbours, each by its own look, voted out, ended and replaced; drones that do nothing of the kind are left alone.
 */
import assert from "node:assert/strict";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import http from "node:http";
import net from "node:net";
import { before, describe, test, type TestContext } from "node:test";
import type { PsCell } from "./organism.ts";
import { ofClass, sharedOrganism, startOrganism, watchLife, type Organism } from "./organism.ts";
import { until } from "./wait.ts";

const skip = existsSync("/proc/self/stat") ? false : "there is no /proc";
/** Newborns vote after five seconds, and one that has just become a drone is looked at closely after as many. */
const settledMs = 6_500;

/** The filter would refuse these attacks before they reach a drone: here they have come through. */
const immune = { mode: "off" };

/** Ready for a vote. */
async function grownUp(organism: Organism): Promise<void> {
  await organism.request({ path: "/pid" });
  await organism.grown({ drone: 2, stem: 2 });
  await new Promise((resolve) => setTimeout(resolve, settledMs));
}

/** Waits for the sentence on one of `drones`, for what was found. */
async function condemnedFor(organism: Organism, drones: readonly PsCell[], found: RegExp): Promise<PsCell> {
  return until(
    `one of ${drones.map(({ id }) => id).join(", ")} to be voted out for ${found}`,
    () => {
      const log = organism.logs();
      return drones.find(({ id }) => {
        const wasFound = log.split("\n").some((line) => line.includes(`"infected":"${id}"`) && found.test(line));
        return wasFound && new RegExp(`"condemned":"${id}","reason":"infected","votes":\\d`).test(log);
      });
    },
    { explain: () => organism.dump() },
  );
}

interface Kept {
  certificates: Array<{ id: string; reason: string; holds?: boolean; voters: unknown[]; quorum: number }>;
}

describe("a drone that starts a program although the DNA forbids it", { skip }, () => {
  const organism = sharedOrganism({
    app: "hole.mjs",
    dna: { immune, cells: { drone: { min: 2 } }, membrane: { confine: false, children: false } },
  });
  before(() => grownUp(organism()));

  const holes: ReadonlyArray<{ title: string; path: string; found: RegExp }> = [
    {
      title: "a shell that goes on running",
      path: "/leave-running?command=sleep+60;true",
      found: /"check":"children".*has started/,
    },
    {
      title: "a command that is over before anybody looks",
      path: "/ping?host=there;true",
      found: /"check":"children"/,
    },
  ];
  for (const { title, path, found } of holes) {
    test(`${title}: it is voted out, ended with what it started, and replaced`, async () => {
      const drones = ofClass(await organism().ps(), "drone");
      await organism()
        .request({ path })
        .catch(() => undefined);
      const victim = await condemnedFor(organism(), drones, found);
      await until("its process to be ended", () => !isRunning(victim));
      await until(
        "what it started to be ended",
        () =>
          !organism()
            .processes()
            .some(({ command }) => /sleep 60/.test(command)),
      );
      await organism().grown({ neuron: 1, "b-cell": 1, drone: 2, stem: 2 });
      assert.equal((await organism().request({ path: "/pid" })).status, 200);
      // A voter signs one sentence in ten seconds, and the new drone must be of age.
      await new Promise((resolve) => setTimeout(resolve, 10_500));
    });
  }

  test("its certificate is kept, and can be checked without the organism", async () => {
    const listed = JSON.parse((await organism().cli("certificates", "--json")).stdout) as Kept;
    assert.deepEqual(
      listed.certificates.map(({ reason }) => reason),
      holes.map(() => "infected"),
    );
    const { code, stdout } = await organism().cli("certificates", "--json", "verify");
    const verified = JSON.parse(stdout) as Kept;
    assert.equal(code, 0, stdout);
    for (const { holds, voters, quorum } of verified.certificates) {
      assert.equal(holds, true);
      assert.ok(voters.length >= quorum && quorum >= 2);
    }
    assert.match((await organism().cli("certificates", "show")).stdout, /was voted out: infected/);
  });

  test("the T cells were told what was seen, of whom, and what it had to answer", async () => {
    const { stdout } = await organism().cli("certificates", "--json");
    const condemned = (JSON.parse(stdout) as Kept).certificates.map(({ id }) => id);
    const told = await until("both infections to be told", async () => {
      const threats = JSON.parse((await organism().cli("threats", "--json")).stdout) as { infections: Infection[] };
      const whole = threats.infections.filter((one) => one.condemned !== null && one.requests.length > 0);
      return whole.length === holes.length ? whole : null;
    });
    assert.deepEqual(told.map(({ drone }) => drone).toSorted(), condemned.toSorted());
    for (const { findings, witnesses, requests } of told) {
      assert.equal(findings[0]?.check, "children");
      assert.ok(witnesses.length >= 2, `${witnesses.length} witnesses`);
      assert.ok(
        requests.some(({ client, path }) => client === "127.0.0.1" && /^\/(leave-running|ping)$/.test(path)),
        JSON.stringify(requests),
      );
    }
    assert.match((await organism().cli("threats")).stdout, /INFECTED[^]*drone \w+ +voted out, \d votes/);
    assert.match(organism().logs(), /"event":"infection".*"stage":"condemned"/);
  });

  test("one that was tampered with does not hold", async () => {
    const [kept] = readdirSync(organism().scratch("state/cellws/e2e/certificates"));
    const text = readFileSync(organism().scratch(`state/cellws/e2e/certificates/${kept}`), "utf8");
    const forged = organism().scratch("forged.json");
    writeFileSync(forged, text.replaceAll('"reason":"infected"', '"reason":"hung"'));
    const { code, stdout } = await organism().cli("certificates", "verify", forged);
    assert.equal(code, 1);
    assert.match(stdout, /DOES NOT HOLD[^]*is not signed by it/);
  });

  test("the innocent were left alone", () => {
    const condemned =
      organism()
        .logs()
        .match(/"condemned":"\w+"/g) ?? [];
    assert.equal(new Set(condemned).size, holes.length);
  });
});

interface Infection {
  drone: string;
  findings: Array<{ check: string }>;
  witnesses: string[];
  condemned: { votes: number } | null;
  requests: Array<{ client: string; path: string }>;
}

function isRunning({ pid }: PsCell): boolean {
  return existsSync(`/proc/${pid}/stat`) && !readFileSync(`/proc/${pid}/stat`, "latin1").includes(") Z ");
}

describe("a drone behind the membrane", { skip }, () => {
  const organism = sharedOrganism({
    app: "hole.mjs",
    dna: {
      immune,
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
    assert.equal(ofClass(cells, "drone").length, 2);
    for (let i = 0; i < 10; i += 1) {
      assert.equal((await organism().request({ path: "/ping?host=x" })).text, "ERR_ACCESS_DENIED");
    }
  });
});

test(
  "where only drones are left, the one that starts the organism anew is not taken for infected",
  { skip },
  async (t) => {
    const organism = await startOrganism(t, {
      app: "hole.mjs",
      dna: { immune, cells: { drone: { min: 3 } }, membrane: { confine: false, children: false } },
    });
    await organism.request({ path: "/pid" });
    await organism.grown({ drone: 3, stem: 2 });
    await new Promise((resolve) => setTimeout(resolve, settledMs));
    const before = await organism.ps();
    for (const cell of before) if (cell.class !== "drone") organism.kill(cell);
    await organism.grown({ neuron: 1, "b-cell": 1, drone: 3, stem: 2 });
    assert.equal((await organism.request({ path: "/pid" })).status, 200);
    assert.doesNotMatch(organism.logs(), /"event":"(infected|condemned)"/);
  },
);

interface Report {
  type: string;
  data: Infection;
}

/** A webhook of the organism's owner. */
async function ownersDesk(t: TestContext): Promise<{ readonly url: string; readonly got: readonly Report[] }> {
  const got: Report[] = [];
  const server = http.createServer(async (request, response) => {
    got.push(JSON.parse(Buffer.concat(await request.toArray()).toString()) as Report);
    response.end();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as net.AddressInfo).port}/`, got };
}

describe("with the default membrane", { skip }, () => {
  test("a shell at the end of a network connection is an infection; children, files and connections are not", async (t) => {
    const listener = net.createServer((socket) => socket.on("error", () => undefined).resume()).listen(0, "127.0.0.1");
    await once(listener, "listening");
    t.after(() => listener.close());
    const { port } = listener.address() as net.AddressInfo;
    const desk = await ownersDesk(t);
    const report = {
      mode: "on",
      reporter: { org: "Test", contact: "abuse@example.org", domain: "example.org" },
      webhook: { url: desk.url, secretFile: "SECRET" },
    };
    const dna = { immune: { ...immune, report }, cells: { drone: { min: 2 } } };
    const organism = await startOrganism(t, {
      app: "hole.mjs",
      files: { secret: `whsec_${Buffer.alloc(32, 7).toString("base64")}\n` },
      scratchEnv: { SECRET_FILE: "secret" },
      dna: `const dna = ${JSON.stringify(dna)};
        dna.immune.report.webhook.secretFile = process.env.SECRET_FILE;
        export default dna;`,
    });
    await grownUp(organism);

    assert.equal((await organism.request({ path: "/ping?host=there" })).text, "pinging there\n");
    for (const path of [
      "/leave-running?command=sleep+2",
      `/fetch?host=127.0.0.1&port=${port}`,
      "/hold?path=/etc/passwd&flags=r",
      "/mine?threads=1",
    ]) {
      assert.equal((await organism.request({ path })).status, 200, path);
    }
    await new Promise((resolve) => setTimeout(resolve, 3_000));
    assert.doesNotMatch(organism.logs(), /"event":"(infected|condemned)"/);

    const drones = ofClass(await organism.ps(), "drone");
    await organism.request({ path: `/reverse-shell?port=${port}` }).catch(() => undefined);
    const victim = await condemnedFor(organism, drones, /"check":"remote-shell"/);
    await organism.grown({ neuron: 1, "b-cell": 1, drone: 2, stem: 2 });

    const [told] = await until("the owner to be told", () => (desk.got.length === 0 ? null : desk.got), {
      explain: () => organism.dump(),
    });
    assert.equal(told?.type, "cellws.infection");
    const { drone, findings, condemned, requests } = told.data;
    assert.equal(drone, victim.id);
    assert.equal(findings[0]?.check, "remote-shell");
    assert.ok((condemned?.votes ?? 0) >= 2);
    assert.ok(requests.some((request) => request.path === "/reverse-shell" && request.client === "127.0.0.1"));
  });
});
