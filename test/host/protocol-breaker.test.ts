// A cell that has a valid key and keeps to nothing: this test is the founding egg of an organism, bears real cells, and speaks
// to them as an infected cell might. They must go on living, believe none of it, count it, and shut it out.
import assert from "node:assert/strict";
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import net from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, describe, test } from "node:test";
import type { CellId } from "../../src/core/cell.ts";
import type { CellBody, Charge, OrganismRecord, RecordBody } from "../../src/core/record.ts";
import { cellKey, keyOf } from "../../src/core/record.ts";
import { loadDna } from "../../src/dna/load.ts";
import type { Conceived } from "../../src/host/birth.ts";
import { Womb } from "../../src/host/birth.ts";
import { askCell } from "../../src/host/control-client.ts";
import type { Credentials } from "../../src/host/handshake.ts";
import { greet } from "../../src/host/handshake.ts";
import { makeKeyPair, organismId, sign, signRecord } from "../../src/host/identity.ts";
import { ownIdentity, processLives } from "../../src/host/proc.ts";
import type { RunDir } from "../../src/host/run-dir.ts";
import { cellSocketPath, createRunDir } from "../../src/host/run-dir.ts";
import { votePayload } from "../../src/wire/kin.ts";
import { findMarked, signalFound } from "../e2e/processes.ts";
import { until } from "../e2e/wait.ts";

const egg: CellId = "eggeggegge";
const daughters: readonly CellId[] = ["daughteraa", "daughterbb"];

describe("a cell with a valid key that breaks the protocol", () => {
  const keys = makeKeyPair();
  const organism = organismId(keys.publicKey);
  const home = mkdtempSync(path.join(tmpdir(), "cw-"));
  const born = new Map<CellId, OrganismRecord<CellBody>>();
  const wombs: Womb[] = [];
  let run: RunDir;
  let outputFd = 0;

  const signed = (key: string, body: RecordBody, version = 1): OrganismRecord =>
    signRecord(organism, { key, version, origin: egg, body }, keys.privateKey);
  const eggRecord = signed(
    cellKey(egg),
    {
      kind: "cell",
      id: egg,
      mother: null,
      lineage: [],
      generation: 0,
      birthOrder: 0,
      revision: "r",
      publicKey: keys.publicKey,
      ...ownIdentity(),
      bornAt: new Date().toISOString(),
      certificate: "",
      class: "neuron",
      state: "live",
    },
    0,
  ) as OrganismRecord<CellBody>;
  const credentials: Credentials = {
    organism,
    id: egg,
    privateKey: keys.privateKey,
    record: () => eggRecord,
    ancestry: () => [],
    whyNotMet: () => null,
  };

  before(async () => {
    const app = path.join(import.meta.dirname, "../e2e/apps/who.mjs");
    const loaded = await loadDna({ cwd: home, app, overrides: { name: "breaker" } });
    assert.ok(loaded.ok);
    const { dna } = loaded;
    ({ run } = await createRunDir("breaker", { base: path.join(home, "cellws") }));
    outputFd = openSync(run.logFile, "a", 0o600);
    for (const [i, id] of daughters.entries()) await bear(id, i + 1);

    function bear(id: CellId, birthOrder: number): Promise<void> {
      return new Promise((resolve, reject) => {
        const womb: Womb = new Womb(
          { listenFds: [], outputFd, cwd: home, env: { ...process.env, XDG_STATE_HOME: home }, ownSession: false },
          {
            conceived: (conception) => {
              const certificate = certify(id, birthOrder, conception);
              born.set(id, certificate);
              womb.bear({
                organism,
                name: "breaker",
                id,
                class: "stem",
                urgent: false,
                dna,
                revision: "r",
                runBase: path.join(home, "cellws"),
                listeners: [],
                admin: null,
                awokenAtMs: null,
                socketsAreKept: false,
                guest: null,
                certificate,
                records: [eggRecord, ...born.values()],
              });
            },
            born: resolve,
            failed: (reason) => reject(new Error(reason)),
            exited: () => undefined,
          },
        );
        wombs.push(womb);
      });
    }
  });

  after(async () => {
    // They, and what they may have borne meanwhile: left alone by us they begin a life of their own.
    await until("the cells to be gone", () => {
      const left = findMarked("XDG_STATE_HOME", home);
      for (const found of left) signalFound(found, "SIGKILL");
      return left.length === 0 && [...born.values()].every(({ body }) => !processLives(body));
    });
    closeSync(outputFd);
    rmSync(home, { recursive: true, force: true, maxRetries: 3 });
  });

  function certify(id: CellId, birthOrder: number, { pid, startTicks, publicKey, bornAt }: Conceived) {
    const body: CellBody = {
      kind: "cell",
      id,
      mother: egg,
      lineage: [egg],
      generation: 1,
      birthOrder,
      revision: "r",
      publicKey,
      pid,
      startTicks,
      bornAt,
      certificate: "",
      class: "stem",
      state: "gestating",
    };
    return signed(cellKey(id), body) as OrganismRecord<CellBody>;
  }

  const [victim = "", other = ""] = daughters;
  const doorOf = (id: CellId): string => cellSocketPath(run, id);
  const bodyOf = (id: CellId): CellBody => {
    const record = born.get(id);
    assert.ok(record !== undefined);
    return record.body;
  };

  /** A kin link to the victim. Each asks for a new one where the last was cut. */
  async function link(): Promise<net.Socket> {
    const met = await greet(net.connect(doorOf(victim)), "kin", credentials);
    assert.ok(met.ok, met.ok ? "" : met.reason);
    met.socket.on("error", () => undefined).resume();
    return met.socket;
  }

  async function faults(kind: string): Promise<number> {
    const answer = await askCell(doorOf(victim), { op: "vitals", metrics: true }, { timeoutMs: 5_000 });
    assert.ok(answer.kind === "reply" && answer.reply.ok && answer.reply.op === "vitals");
    const series = (answer.reply.metrics ?? []).find(
      ({ name, labels }) => name === "cellws_protocol_faults_total" && labels[0] === kind,
    );
    return typeof series?.value === "number" ? series.value : 0;
  }

  async function livesOn(): Promise<void> {
    for (const id of daughters) {
      assert.ok(processLives(bodyOf(id)), `${id} lives`);
      assert.equal((await askCell(doorOf(id), { op: "ping" }, { timeoutMs: 5_000 })).kind, "reply");
    }
    assert.doesNotMatch(readFileSync(run.logFile, "utf8"), /"event":"(condemned|cell-crashed)"/);
  }

  test("forged votes, false obituaries and records in another's name are not believed, and counted", async () => {
    const socket = await link();
    const { pid, startTicks } = bodyOf(other);
    const charge: Charge = {
      target: other,
      pid,
      startTicks,
      reason: "hung",
      window: Math.floor(Number(process.hrtime.bigint() / 1_000_000n) / 10_000),
      round: 0,
    };
    const forged = sign(votePayload(organism, charge), makeKeyPair().privateKey);
    const certificate: RecordBody = {
      kind: "certificate",
      id: other,
      charge,
      votes: [egg, victim, "nobodynobo"].map((voter) => ({ voter, signature: forged })),
    };
    const obituary: RecordBody = { kind: "death", id: other, pid, startTicks, cause: "crashed" };
    const inAnothersName = signed(cellKey(other), { ...bodyOf(other), state: "draining" }, 99);
    const words = [
      { type: "votes", votes: [{ charge, voter: victim, signature: forged }] },
      { type: "records", records: [signed(keyOf(certificate), certificate)] },
      { type: "records", records: [signed(keyOf(obituary), obituary)] },
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
    const { pid, startTicks } = bodyOf(other);
    const window = Math.floor(Number(process.hrtime.bigint() / 1_000_000n) / 10_000);
    const charge: Charge = { target: other, pid, startTicks, reason: "infected", window, round: 0 };
    const vote = { charge, voter: egg, signature: sign(votePayload(organism, charge), keys.privateKey) };
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
        id: `${egg}.${i}`,
        origin: egg,
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
    const met = await greet(net.connect(doorOf(victim)), "axon", credentials);
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
      const socket = net.connect(doorOf(victim)).on("error", () => undefined);
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
    const again = await greet(net.connect(doorOf(victim)), "kin", credentials);
    // The connector is done once it has said its proof; that it is let in shows in a link that stays.
    if (again.ok) {
      again.socket.on("error", () => undefined).resume();
      await until("the door to close again", () => again.socket.closed);
    }
    await livesOn();
  });
});
