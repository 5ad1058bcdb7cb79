// Infections in the memory: what several T cells were told becomes one incident, and one report, to the owner alone.
import assert from "node:assert/strict";
import { once } from "node:events";
import fs from "node:fs";
import http from "node:http";
import type net from "node:net";
import os from "node:os";
import path from "node:path";
import { describe, test, type TestContext } from "node:test";
import { InfectionBook } from "../../src/host/immune/infections.ts";
import { openMemory, type Memory } from "../../src/host/immune/memory.ts";
import type { ReportChannel } from "../../src/host/immune/report/channel.ts";
import { Outbox } from "../../src/host/immune/report/outbox.ts";
import { infectionEvent, webhookChannel } from "../../src/host/immune/report/webhook.ts";
import type { InfectionIncident, InfectionWord } from "../../src/immune/report/infection.ts";
import { infectionWord } from "../support/infection-word.ts";

const beganMs = 1_790_000_000_000;
const toTime = (atMs: number): string => new Date(beganMs + atMs).toISOString();
const sentence = infectionWord({ stage: "condemned", check: null, found: null, votes: 3 });

interface Kept {
  readonly memory: Memory;
  readonly book: InfectionBook;
  readonly tell: (...words: InfectionWord[]) => void;
  readonly due: () => InfectionIncident[];
}

function keep(t: TestContext, clock: { wallMs: number }): Kept {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), "cellws-infections-"));
  const { memory } = openMemory({
    file: path.join(dir, "immune.db"),
    holder: "t",
    clock: { wallMs: () => clock.wallMs, monotonicMs: () => clock.wallMs },
  });
  t.after(() => {
    memory.close();
    fs.rmSync(dir, { recursive: true, force: true });
  });
  assert.ok(memory.takeLease());
  const book = new InfectionBook(memory);
  return {
    memory,
    book,
    tell: (...words) => void memory.write(() => book.note(words, toTime)),
    due: () => {
      assert.ok(memory.takeLease());
      const due = memory.keep(() => book.takeDue());
      return typeof due === "string" ? assert.fail(due) : due;
    },
  };
}

describe("an infection in the memory", () => {
  test("is one incident, whoever was told of it, and the newest is read first", (t) => {
    const clock = { wallMs: beganMs };
    const { book, tell } = keep(t, clock);
    tell(infectionWord({ cell: "a" }));
    clock.wallMs += 1_000;
    tell(infectionWord({ cell: "b" }), sentence, infectionWord({ drone: "d2", pid: 8 }));
    const [second, first, ...others] = book.entries(0, 10);
    assert.deepEqual(others, []);
    assert.deepEqual([second?.drone, first?.drone], ["d2", "d1"]);
    assert.deepEqual([first?.witnesses, first?.condemned?.votes], [["a", "b"], 3]);
    assert.equal(book.entries(beganMs + 1, 10).length, 1);
  });

  test("is reported once: a moment after the sentence, when the words have come in", (t) => {
    const clock = { wallMs: beganMs };
    const { tell, due } = keep(t, clock);
    tell(infectionWord(), sentence);
    assert.deepEqual(due(), []);
    clock.wallMs += 2_001;
    assert.deepEqual(
      due().map(({ condemned }) => condemned?.votes),
      [3],
    );
    tell(infectionWord({ cell: "late" }));
    clock.wallMs += 60_000;
    assert.deepEqual(due(), []);
  });

  test("that no majority has signed is reported as well, after a while", (t) => {
    const clock = { wallMs: beganMs };
    const { tell, due } = keep(t, clock);
    tell(infectionWord());
    clock.wallMs += 20_000;
    assert.deepEqual(due(), []);
    clock.wallMs += 10_001;
    assert.deepEqual(
      due().map(({ condemned }) => condemned),
      [null],
    );
  });

  test("goes to the owner's webhook, and to no channel that strangers read", async (t) => {
    const bodies: string[] = [];
    const server = http.createServer(async (request, response) => {
      bodies.push(Buffer.concat(await request.toArray()).toString());
      response.end();
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    t.after(() => server.close());
    const { port } = server.address() as net.AddressInfo;
    const reporter = { org: "Shop", contact: "abuse@shop.example", domain: "shop.example" };
    const secrets = [`whsec_${Buffer.alloc(32, 1).toString("base64")}`];
    const strangers: ReportChannel = { name: "abuse-desk", send: () => assert.fail("told to strangers") };
    const channels = [strangers, webhookChannel({ url: `http://127.0.0.1:${port}/`, secrets, reporter })];

    const clock = { wallMs: beganMs };
    const { memory, tell, due } = keep(t, clock);
    const outbox = new Outbox({ memory, channels, dryRun: false });
    tell(infectionWord(), sentence);
    clock.wallMs += 2_001;
    for (const infection of due()) memory.keep(() => outbox.insertInfection(infection));
    assert.equal(await outbox.deliver(), 1);
    assert.equal(await outbox.deliver(), 0);
    assert.deepEqual(
      outbox.entries().map(({ channel, state }) => [channel, state]),
      [["webhook", "sent"]],
    );
    const [told] = bodies.map((body) => JSON.parse(body) as Record<string, unknown>);
    assert.deepEqual([bodies.length, told?.["type"], told?.["reporter"]], [1, infectionEvent, reporter]);
    assert.equal((told?.["data"] as InfectionIncident | undefined)?.drone, "d1");
  });
});
