// A cell that has a valid key and keeps to nothing: this test is the founding egg of an organism, bears real cells, and speaks
// to them as an infected cell might. They must go on living, believe none of it, count it, and shut it out.
import assert from "node:assert/strict";
import net from "node:net";
import { after, before, describe, test } from "node:test";
import type { CellId } from "../../src/core/cell.ts";
import type { RecordBody } from "../../src/core/record.ts";
import { cellKey, keyOf } from "../../src/core/record.ts";
import { askCell } from "../../src/host/control-client.ts";
import { greet } from "../../src/host/handshake.ts";
import { makeKeyPair, sign } from "../../src/host/identity.ts";
import { processLives } from "../../src/host/proc.ts";
import { votePayload } from "../../src/wire/kin.ts";
import { until } from "../e2e/wait.ts";
import { FoundingEgg } from "../support/founding-egg.ts";

const [victim, other]: readonly [CellId, CellId] = ["daughteraa", "daughterbb"];

describe("a cell with a valid key that breaks the protocol", () => {
  let egg: FoundingEgg;

  before(async () => {
    egg = await FoundingEgg.settle("breaker");
    for (const id of [victim, other]) await egg.bear(id);
  });
  after(() => egg.end());

  /** A kin link to the victim. Each asks for a new one where the last was cut. */
  const link = (): Promise<net.Socket> => egg.linkTo(victim);

  async function faults(kind: string): Promise<number> {
    const answer = await askCell(egg.doorOf(victim), { op: "vitals", metrics: true }, { timeoutMs: 5_000 });
    assert.ok(answer.kind === "reply" && answer.reply.ok && answer.reply.op === "vitals");
    const series = (answer.reply.metrics ?? []).find(
      ({ name, labels }) => name === "cellws_protocol_faults_total" && labels[0] === kind,
    );
    return typeof series?.value === "number" ? series.value : 0;
  }

  async function livesOn(): Promise<void> {
    for (const id of [victim, other]) {
      assert.ok(processLives(egg.bodyOf(id)), `${id} lives`);
      assert.equal((await askCell(egg.doorOf(id), { op: "ping" }, { timeoutMs: 5_000 })).kind, "reply");
    }
    assert.doesNotMatch(egg.log(), /"event":"(condemned|cell-crashed)"/);
  }

  test("forged votes, false obituaries and records in another's name are not believed, and counted", async () => {
    const socket = await link();
    const { pid, startTicks } = egg.bodyOf(other);
    const charge = egg.charge(other, "hung");
    const forged = sign(votePayload(egg.organism, charge), makeKeyPair().privateKey);
    const certificate: RecordBody = {
      kind: "certificate",
      id: other,
      charge,
      votes: [egg.id, victim, "nobodynobo"].map((voter) => ({ voter, signature: forged })),
    };
    const obituary: RecordBody = { kind: "death", id: other, pid, startTicks, cause: "crashed" };
    const inAnothersName = egg.signed(cellKey(other), { ...egg.bodyOf(other), state: "draining" }, 99);
    const words = [
      { type: "votes", votes: [{ charge, voter: victim, signature: forged }] },
      { type: "records", records: [egg.signed(keyOf(certificate), certificate)] },
      { type: "records", records: [egg.signed(keyOf(obituary), obituary)] },
      { type: "records", records: [inAnothersName] },
    ];
    const countBefore = await faults("word");
    for (const word of words) socket.write(`${JSON.stringify(word)}\n`);
    await until("all four to be counted", async () => (await faults("word")) >= countBefore + words.length);
    await livesOn();
    assert.equal(socket.destroyed, false, "an honest relay may say such things: it keeps its link");
    socket.destroy();
  });

  test("a true vote of its own is one vote and no more, however often it is said", async () => {
    const socket = await link();
    const charge = egg.charge(other, "infected");
    const vote = { charge, voter: egg.id, signature: egg.signVote(charge) };
    for (let i = 0; i < 50; i += 1) socket.write(`${JSON.stringify({ type: "votes", votes: [vote, vote, vote] })}\n`);
    await faults("word");
    await livesOn();
    socket.destroy();
  });

  test("a flood of hormones is lost, but for what one neighbour may say", async () => {
    const socket = await link();
    const countBefore = await faults("flood");
    for (let i = 0; i < 2_000; i += 1) {
      const pulse = {
        id: `${egg.id}.${i}`,
        origin: egg.id,
        class: "drone",
        strength: 1_000,
        wanted: 1,
        unanswered: 0,
        hops: 1,
      };
      socket.write(`${JSON.stringify({ type: "pulse", pulse })}\n`);
    }
    await until("the flood to be counted", async () => (await faults("flood")) > countBefore + 1_000);
    await livesOn();
    socket.destroy();
  });

  test("axons that bring no sense are refused by whoever is no drone, and nothing is kept of them", async () => {
    const met = await greet(net.connect(egg.doorOf(victim)), "axon", egg.credentials);
    if (met.ok) {
      met.socket.on("error", () => undefined).resume();
      met.socket.write(Buffer.alloc(64 * 1024, 0xff));
      await until("the axon to be closed", () => met.socket.closed);
    }
    await livesOn();
  });

  test("a door that hears no sense, too much or nothing at all closes", async () => {
    const countBefore = await faults("stranger");
    for (const words of ["nonsense\n", "x".repeat(64 * 1024), '{"cellws":1,"purpose":"kin"}\n']) {
      const socket = net.connect(egg.doorOf(victim)).on("error", () => undefined);
      socket.resume().write(words);
      await until(`the door to close on ${words.slice(0, 10)}`, () => socket.closed);
    }
    assert.ok((await faults("stranger")) > countBefore);
    await livesOn();
  });

  // Last: who does this is shut out for a minute.
  test("a line that is none costs the link, and for a while any other", async () => {
    const socket = await link();
    socket.write('{"type":"pulse"}\n');
    await until("the link to be cut", () => socket.closed);
    assert.ok((await faults("malformed")) >= 1);
    const again = await greet(net.connect(egg.doorOf(victim)), "kin", egg.credentials);
    // The connector is done once it has said its proof; that it is let in shows in a link that stays.
    if (again.ok) {
      again.socket.on("error", () => undefined).resume();
      await until("the door to close again", () => again.socket.closed);
    }
    await livesOn();
  });
});
