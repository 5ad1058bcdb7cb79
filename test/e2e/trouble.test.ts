/**
 * An app that does not start, or does not stay: its clients are told to come back, its owner is told why, and a
 * mended file is enough to heal it.
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { describe, test } from "node:test";
import {
  appFile,
  ofClass,
  type OrganismOptions,
  type Scope,
  sharedOrganism,
  startOrganism,
  watchLife,
} from "./organism.ts";

/** So that tests do not spend their time in the pauses between attempts. */
const quickRestarts = { restarts: { backoffMsMin: 50, backoffMsMax: 500, countMax: 1000 } };

interface Trouble {
  title: string;
  options: OrganismOptions;
  /** What `status` says: a code, and in words. */
  status: RegExp[];
  /** What the log holds. */
  log: RegExp[];
}

const troubles: Trouble[] = [
  {
    title: "an app that throws while it loads",
    options: { app: "throws-at-load.mjs" },
    status: [/CELLWS_E_APP_LOAD/, /the database at db\.invalid does not answer/],
    // The stack: which line of the user's file.
    log: [/the database at db\.invalid does not answer/, /throws-at-load\.mjs:4/, /connectToDatabase/],
  },
  {
    title: "an app that exits while it loads",
    options: { app: "exits-at-load.mjs" },
    status: [/CELLWS_E_APP_EXITED.*\b3\b/],
    log: [/SHOP_KEY is not set/, /CELLWS_E_APP_EXITED/],
  },
  {
    title: "an app that never listens",
    options: { app: "never-listens.mjs", dna: { startup: { listenTimeoutMs: 300 } } },
    status: [/CELLWS_E_APP_NEVER_LISTENED/],
    log: [/CELLWS_E_APP_NEVER_LISTENED/],
  },
];

for (const { title, options, status, log } of troubles) {
  describe(title, () => {
    const dna = { ...quickRestarts, ...(options.dna as object | undefined) };
    const organism = sharedOrganism({ ...options, dna });

    test("clients get 503 and when to come back", async () => {
      for (let turn = 0; turn < 3; turn += 1) {
        const answer = await organism().request({ path: "/" });
        assert.equal(answer.status, 503);
        assert.match(answer.headers["retry-after"] ?? "(no Retry-After)", /^[1-9]\d*$/);
        assert.doesNotMatch(answer.text, /db\.invalid|SHOP_KEY|\.mjs/, "what went wrong is not the client's business");
      }
    });

    test("status says why, and exits 1", async () => {
      await organism().until("status to say so", async () => {
        const { code, stdout } = await organism().status();
        for (const expected of status) assert.match(stdout, expected);
        assert.equal(code, 1, stdout);
        return true;
      });
    });

    test("the log says why", async () => {
      for (const expected of log) {
        await organism().until(`the log to match ${expected}`, () => expected.test(organism().logs()));
      }
    });

    test("the organism lives on, and ps tells of it", async () => {
      const cells = await organism().ps();
      assert.ok(ofClass(cells, "neuron").length >= 1 && ofClass(cells, "b-cell").length >= 1);
    });
  });
}

const broken = "throw new Error('half a line was saved');\n";
const mended = `import { createServer } from "node:http";
createServer((_req, res) => res.end("mended")).listen(process.env.PORT ?? 3000);
`;

test("a mended file heals the app without a restart of the organism", async (t) => {
  await healsWhenMended(t, quickRestarts);
});

test("a mended file heals the app even when its attempts were used up", async (t) => {
  await healsWhenMended(t, { restarts: { backoffMsMin: 10, backoffMsMax: 20, countMax: 2, windowMs: 3_600_000 } });
});

async function healsWhenMended(scope: Scope, dna: object): Promise<void> {
  const organism = await startOrganism(scope, { app: "app.mjs", files: { "app.mjs": broken }, dna });
  assert.equal((await organism.request()).status, 503);
  await organism.until("the log to tell of the error", () => organism.logs().includes("half a line was saved"));
  const first = (await organism.ps())[0];
  assert.ok(first !== undefined);

  writeFileSync(organism.scratch("app.mjs"), mended);
  await organism.until("the mended app to answer", async () => (await organism.request()).text === "mended");
  await organism.until("status to be content", async () => (await organism.status()).code === 0);
  assert.ok(
    (await organism.ps()).some(({ id }) => id === first.id),
    "the same organism",
  );
}

describe("an app that is well, and then is not", () => {
  test("crashes again and again cost nobody an answer that is safe to repeat", async (t) => {
    const dna = { ...quickRestarts, cells: { drone: { min: 2 } } };
    const organism = await startOrganism(t, { app: "crashes-after.mjs", dna });
    const pids = new Set<string>();
    for (let turn = 0; turn < 70; turn += 1) {
      const { status, text } = await organism.request();
      assert.equal(status, 200, `request ${turn}: ${text}`);
      pids.add(text);
    }
    assert.ok(pids.size >= 4, `seventy answers, at most twenty from each process: ${pids.size} processes`);
    assert.match(organism.logs(), /out of something/);
  });

  test("a crash is answered with 502 where it may have had effects, and others get their answers", async (t) => {
    const organism = await startOrganism(t, {
      app: "slow.mjs",
      dna: { ...quickRestarts, cells: { drone: { min: 2 } } },
    });
    await organism.request({ path: "/pid" });
    const cells = await organism.grown({ drone: 2 });
    const lives = ofClass(cells, "drone").map(watchLife);

    const slow = Array.from({ length: 10 }, () => organism.request({ path: "/slow?ms=500" }));
    const crash = await organism.request({ method: "POST", path: "/crash" });
    assert.equal(crash.status, 502);
    for (const { status, text } of await Promise.all(slow)) assert.deepEqual([status, text], [200, "slept 500"]);

    assert.equal(
      lives.filter((lives) => !lives()).length,
      1,
      "one drone died, and the request was not tried on the other",
    );
    await organism.until("the log to hold the stack", () =>
      /the crash that was asked for[^]*slow\.mjs:\d+/.test(organism.logs()),
    );
    await organism.cellsUntil("two drones again", (now) => ofClass(now, "drone").length === 2);
  });
});

test("the apps in trouble are in trouble under plain Node, too", () => {
  // So that the 503 above is the app's doing and not ours.
  assert.equal(spawnSync(process.execPath, [appFile("throws-at-load.mjs")]).status, 1);
  assert.equal(spawnSync(process.execPath, [appFile("exits-at-load.mjs")]).status, 3);
});
