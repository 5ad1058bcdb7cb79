/**
 * A cell that was stopped while the others voted it out, and goes on later (SIGCONT): what it finds in its links says that it is
 * outlawed, and it ends itself. In a living organism its executors are quicker; here there are none. This test is the founding egg
 * and a second cell that has only a key, so it holds a majority of three, and ends nobody.
 */
import assert from "node:assert/strict";
import { spawn, type ChildProcess } from "node:child_process";
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import net from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, describe, test } from "node:test";
import type { CellId } from "../../src/core/cell.ts";
import { maturityMs } from "../../src/core/limits.ts";
import type { CellBody, CertificateBody, Charge, OrganismRecord, RecordBody } from "../../src/core/record.ts";
import { cellKey, keyOf } from "../../src/core/record.ts";
import { loadDna } from "../../src/dna/load.ts";
import { Womb } from "../../src/host/birth.ts";
import { greet } from "../../src/host/handshake.ts";
import { makeKeyPair, organismId, sign, signRecord, type KeyPair } from "../../src/host/identity.ts";
import { ownIdentity, processLives, readProc, type ProcessIdentity } from "../../src/host/proc.ts";
import { cellSocketPath, createRunDir, type RunDir } from "../../src/host/run-dir.ts";
import { votePayload } from "../../src/wire/kin.ts";
import { findMarked, signalFound } from "../e2e/processes.ts";
import { until } from "../e2e/wait.ts";

const [egg, juror, victim]: readonly [CellId, CellId, CellId] = ["eggeggegge", "jurorjuror", "victimvict"];

describe(
  "a cell that goes on after it was stopped",
  { skip: readProc(process.pid) === null && "there is no /proc" },
  () => {
    const keys = { [egg]: makeKeyPair(), [juror]: makeKeyPair() };
    const organism = organismId(keys[egg]!.publicKey);
    const home = mkdtempSync(path.join(tmpdir(), "cw-"));
    const records: OrganismRecord[] = [];
    let run: RunDir;
    let outputFd = 0;
    let jurors: ChildProcess;
    let exit: { code: number | null; signal: NodeJS.Signals | null } | null = null;

    const signed = (key: string, body: RecordBody, version = 1): OrganismRecord =>
      signRecord(organism, { key, version, origin: egg, body }, keys[egg]!.privateKey);

    function certify(
      id: CellId,
      birthOrder: number,
      publicKey: string,
      process_: ProcessIdentity,
    ): OrganismRecord<CellBody> {
      const isEgg = id === egg;
      const body: CellBody = {
        kind: "cell",
        id,
        mother: isEgg ? null : egg,
        lineage: isEgg ? [] : [egg],
        generation: isEgg ? 0 : 1,
        birthOrder,
        revision: "r",
        publicKey,
        ...process_,
        bornAt: new Date().toISOString(),
        certificate: "",
        class: isEgg ? "neuron" : "stem",
        state: isEgg ? "live" : "gestating",
      };
      const record = signed(cellKey(id), body, isEgg ? 0 : 1) as OrganismRecord<CellBody>;
      records.push(record);
      return record;
    }

    /** A cell that lives, by its own word: only those vote. */
    function lives({ body, ...record }: OrganismRecord<CellBody>, { privateKey }: KeyPair): OrganismRecord {
      const own = { ...body, state: "live", certificate: record.signature } as const;
      return signRecord(organism, { key: record.key, version: 2, origin: body.id, body: own }, privateKey);
    }

    before(async () => {
      const app = path.join(import.meta.dirname, "../e2e/apps/who.mjs");
      writeFileSync(path.join(home, "dna.mjs"), "export default { cells: { stem: { pool: 1 } } };");
      const loaded = await loadDna({ cwd: home, app, dnaFile: "dna.mjs", overrides: { name: "outlaw" } });
      assert.ok(loaded.ok, JSON.stringify(loaded));
      const { dna } = loaded;
      ({ run } = await createRunDir("outlaw", { base: path.join(home, "cellws") }));
      outputFd = openSync(run.logFile, "a", 0o600);
      jurors = spawn("sleep", ["600"], { stdio: "ignore" });
      const pid = jurors.pid ?? 0;
      certify(egg, 0, keys[egg]!.publicKey, ownIdentity());
      const jurorsBirth = certify(juror, 1, keys[juror]!.publicKey, {
        pid,
        startTicks: readProc(pid)?.startTicks ?? 0,
      });
      records.push(lives(jurorsBirth, keys[juror]!));
      const env = { ...process.env, XDG_STATE_HOME: home };
      await new Promise<void>((resolve, reject) => {
        const womb: Womb = new Womb(
          { listenFds: [], outputFd, cwd: home, env, ownSession: false },
          {
            conceived: ({ publicKey, pid: itsPid, startTicks }) => {
              const certificate = certify(victim, 2, publicKey, { pid: itsPid, startTicks });
              womb.bear({
                organism,
                name: "outlaw",
                id: victim,
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
                records,
              });
            },
            born: resolve,
            failed: (reason) => reject(new Error(reason)),
            exited: (code, signal) => void (exit = { code, signal }),
          },
        );
      });
      // Until all three may vote.
      await new Promise((resolve) => setTimeout(resolve, maturityMs + 1_000));
    });

    after(async () => {
      jurors.kill("SIGKILL");
      await until("the cells to be gone", () => {
        const left = findMarked("XDG_STATE_HOME", home);
        for (const found of left) signalFound(found, "SIGKILL");
        return left.length === 0;
      });
      closeSync(outputFd);
      rmSync(home, { recursive: true, force: true, maxRetries: 3 });
    });

    const victims = (): CellBody => {
      const record = records.find(({ key }) => key === cellKey(victim));
      assert.ok(record !== undefined);
      return record.body as CellBody;
    };

    /** Stops it, leaves a certificate with these votes in its link, cuts that, and lets it go on. */
    async function voteOutWhileStopped(voters: readonly CellId[]): Promise<void> {
      const { privateKey } = keys[egg]!;
      const record = (): OrganismRecord<CellBody> => records[0] as OrganismRecord<CellBody>;
      const credentials = { organism, id: egg, privateKey, record, ancestry: () => [], whyNotMet: () => null };
      const met = await greet(net.connect(cellSocketPath(run, victim)), "kin", credentials);
      assert.ok(met.ok, met.ok ? "" : met.reason);
      met.socket.on("error", () => undefined).resume();

      const { pid, startTicks } = victims();
      process.kill(pid, "SIGSTOP");
      await until("it to be stopped", () => readProc(pid)?.state === "T");
      const window = Math.floor(Number(process.hrtime.bigint() / 1_000_000n) / 10_000);
      const charge: Charge = { target: victim, pid, startTicks, reason: "hung", window, round: 0 };
      const votes = voters.map((voter) => ({
        voter,
        signature: sign(votePayload(organism, charge), keys[voter]!.privateKey),
      }));
      const certificate: CertificateBody = { kind: "certificate", id: victim, charge, votes };
      const version = voters.length;
      met.socket.end(
        `${JSON.stringify({ type: "records", records: [signed(keyOf(certificate), certificate, version)] })}\n`,
      );
      await new Promise((resolve) => setTimeout(resolve, 500));
      assert.equal(readProc(pid)?.state, "T", "nobody ends it");
      process.kill(pid, "SIGCONT");
    }

    test("lives on where one cell alone had signed: that is no majority", async () => {
      await voteOutWhileStopped([egg]);
      await new Promise((resolve) => setTimeout(resolve, 2_000));
      assert.equal(exit, null);
      assert.ok(processLives(victims()));
    });

    test("finds itself outlawed where two of three have, and ends itself", async () => {
      await voteOutWhileStopped([egg, juror]);
      const { code, signal } = await until("it to end", () => exit);
      assert.deepEqual([code, signal], [0, null], "by itself: nobody has signalled it");
      const log = readFileSync(run.logFile, "utf8");
      assert.match(log, new RegExp(`"condemned":"${victim}","reason":"hung","votes":2`));
      assert.match(log, /"event":"leaving","reason":"voted out: hung"/);
    });
  },
);
