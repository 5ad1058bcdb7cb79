/**
 * A cell that was stopped while the others voted it out, and goes on later (SIGCONT): what it finds in its links says that it is
 * outlawed, and it ends itself. In a living organism its executors are quicker; here there are none. This test is the founding egg
 * and a second cell that has only a key, so it holds a majority of three, and ends nobody.
 */
import assert from "node:assert/strict";
import { spawn, type ChildProcess } from "node:child_process";
import { after, before, describe, test } from "node:test";
import type { CellId } from "../../src/core/cell.ts";
import { maturityMs } from "../../src/core/limits.ts";
import type { CellBody, CertificateBody, OrganismRecord } from "../../src/core/record.ts";
import { keyOf } from "../../src/core/record.ts";
import { makeKeyPair, sign, signRecord } from "../../src/host/identity.ts";
import { processLives, readProc } from "../../src/host/proc.ts";
import { votePayload } from "../../src/wire/kin.ts";
import { until } from "../e2e/wait.ts";
import { type Exit, FoundingEgg } from "../support/founding-egg.ts";

const [juror, victim]: readonly [CellId, CellId] = ["jurorjuror", "victimvict"];

describe(
  "a cell that goes on after it was stopped",
  { skip: readProc(process.pid) === null && "there is no /proc" },
  () => {
    const jurorsKeys = makeKeyPair();
    let egg: FoundingEgg;
    let jurorsProcess: ChildProcess;
    let exit: Exit | null = null;

    /** A cell that lives, by its own word: only those vote. */
    function jurorLives({ body, ...record }: OrganismRecord<CellBody>): OrganismRecord {
      const own = { ...body, state: "live", certificate: record.signature } as const;
      const word = { key: record.key, version: 2, origin: body.id, body: own };
      return signRecord(egg.organism, word, jurorsKeys.privateKey);
    }

    before(async () => {
      egg = await FoundingEgg.settle("outlaw", "export default { cells: { stem: { pool: 1 } } };");
      jurorsProcess = spawn("sleep", ["600"], { stdio: "ignore" });
      const pid = jurorsProcess.pid ?? 0;
      const startTicks = readProc(pid)?.startTicks ?? 0;
      const { publicKey } = jurorsKeys;
      egg.records.push(
        jurorLives(egg.certify(juror, { pid, startTicks, publicKey, bornAt: new Date().toISOString() })),
      );
      await egg.bear(victim, (how) => (exit = how));
      // Until all three may vote.
      await new Promise((resolve) => setTimeout(resolve, maturityMs + 1_000));
    });

    after(async () => {
      jurorsProcess.kill("SIGKILL");
      await egg.end();
    });

    /** Stops it, leaves a certificate with these votes in its link, cuts that, and lets it go on. */
    async function voteOutWhileStopped(voters: readonly CellId[]): Promise<void> {
      const socket = await egg.linkTo(victim);
      const { pid } = egg.bodyOf(victim);
      process.kill(pid, "SIGSTOP");
      await until("it to be stopped", () => readProc(pid)?.state === "T");
      const charge = egg.charge(victim, "hung");
      const votes = voters.map((voter) => ({
        voter,
        signature:
          voter === juror ? sign(votePayload(egg.organism, charge), jurorsKeys.privateKey) : egg.signVote(charge),
      }));
      const certificate: CertificateBody = { kind: "certificate", id: victim, charge, votes };
      const record = egg.signed(keyOf(certificate), certificate, voters.length);
      socket.end(`${JSON.stringify({ type: "records", records: [record] })}\n`);
      await new Promise((resolve) => setTimeout(resolve, 500));
      assert.equal(readProc(pid)?.state, "T", "nobody ends it");
      process.kill(pid, "SIGCONT");
    }

    test("lives on where one cell alone had signed: that is no majority", async () => {
      await voteOutWhileStopped([egg.id]);
      await new Promise((resolve) => setTimeout(resolve, 2_000));
      assert.equal(exit, null);
      assert.ok(processLives(egg.bodyOf(victim)));
    });

    test("finds itself outlawed where two of three have, and ends itself", async () => {
      await voteOutWhileStopped([egg.id, juror]);
      const { code, signal } = await until("it to end", () => exit);
      assert.deepEqual([code, signal], [0, null], "by itself: nobody has signalled it");
      assert.match(egg.log(), new RegExp(`"condemned":"${victim}","reason":"hung","votes":2`));
      assert.match(egg.log(), /"event":"leaving","reason":"voted out: hung"/);
    });
  },
);
