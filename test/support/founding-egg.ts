/**
 * The founding egg of an organism, played by a test: it has the key that all descend from, certifies whom it likes, and bears
 * real cells. It has no socket: nobody can link up with it, it knocks at the others.
 */
import assert from "node:assert/strict";
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import net from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { windowOf } from "../../src/core/ballot.ts";
import type { CellId } from "../../src/core/cell.ts";
import type { CellBody, Charge, OrganismRecord, RecordBody } from "../../src/core/record.ts";
import { cellKey, keyOf } from "../../src/core/record.ts";
import type { Dna } from "../../src/dna/dna.ts";
import { loadDna } from "../../src/dna/load.ts";
import type { Conceived } from "../../src/host/birth.ts";
import { Womb } from "../../src/host/birth.ts";
import { machineNowMs } from "../../src/host/clock.ts";
import type { Credentials } from "../../src/host/handshake.ts";
import { greet } from "../../src/host/handshake.ts";
import { makeKeyPair, organismId, sign, signRecord } from "../../src/host/identity.ts";
import { ownIdentity, processLives } from "../../src/host/proc.ts";
import type { RunDir } from "../../src/host/run-dir.ts";
import { cellSocketPath, createRunDir } from "../../src/host/run-dir.ts";
import { votePayload } from "../../src/wire/kin.ts";
import { findMarked, signalFound } from "../e2e/processes.ts";
import { until } from "../e2e/wait.ts";

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export class FoundingEgg {
  readonly id: CellId = "eggeggegge";
  readonly #keys = makeKeyPair();
  readonly organism = organismId(this.#keys.publicKey);
  /** What a daughter is told: the certificates of all, this egg's own first, and what a test adds. */
  readonly records: OrganismRecord[] = [];
  readonly credentials: Credentials;
  readonly run: RunDir;
  readonly #dna: Dna;
  readonly #home: string;
  readonly #outputFd: number;
  readonly #born = new Map<CellId, CellBody>();
  #births = 0;

  /** With the code of a DNA module, where the plain DNA will not do. */
  static async settle(name: string, dnaModule = "export default {};"): Promise<FoundingEgg> {
    const home = mkdtempSync(path.join(tmpdir(), "cw-"));
    writeFileSync(path.join(home, "dna.mjs"), dnaModule);
    const app = path.join(import.meta.dirname, "../e2e/apps/who.mjs");
    const loaded = await loadDna({ cwd: home, app, dnaFile: "dna.mjs", overrides: { name } });
    assert.ok(loaded.ok, JSON.stringify(loaded));
    const { run } = await createRunDir(name, { base: path.join(home, "cellws") });
    return new FoundingEgg(home, run, loaded.dna);
  }

  private constructor(home: string, run: RunDir, dna: Dna) {
    this.#home = home;
    this.run = run;
    this.#dna = dna;
    this.#outputFd = openSync(run.logFile, "a", 0o600);
    const { id, organism } = this;
    const conception = { ...ownIdentity(), publicKey: this.#keys.publicKey, bornAt: new Date().toISOString() };
    const own = this.#body(id, 0, conception, { mother: null, lineage: [], class: "neuron", state: "live" });
    const record = this.signed(cellKey(id), own, 0) as OrganismRecord<CellBody>;
    this.records.push(record);
    const { privateKey } = this.#keys;
    this.credentials = { organism, id, privateKey, record: () => record, ancestry: () => [], whyNotMet: () => null };
  }

  /** A record of its own word. */
  signed(key: string, body: RecordBody, version = 1): OrganismRecord {
    return signRecord(this.organism, { key, version, origin: this.id, body }, this.#keys.privateKey);
  }

  signVote(charge: Charge): string {
    return sign(votePayload(this.organism, charge), this.#keys.privateKey);
  }

  /** A daughter's certificate, in the order of births; all that are born later are told. */
  certify(id: CellId, conception: Conceived): OrganismRecord<CellBody> {
    this.#births += 1;
    const body = this.#body(id, this.#births, conception, {});
    const certificate = this.signed(keyOf(body), body) as OrganismRecord<CellBody>;
    this.records.push(certificate);
    return certificate;
  }

  /** Bears a stem cell and waits until it lives; `onExit` is told how its process ends. */
  bear(id: CellId, onExit: (exit: Exit) => void = () => undefined): Promise<void> {
    const options = {
      listenFds: [],
      outputFd: this.#outputFd,
      cwd: this.#home,
      env: { ...process.env, XDG_STATE_HOME: this.#home },
      ownSession: false,
    };
    return new Promise((resolve, reject) => {
      const womb: Womb = new Womb(options, {
        conceived: (conception) => {
          const certificate = this.certify(id, conception);
          this.#born.set(id, certificate.body);
          womb.bear({
            organism: this.organism,
            name: this.run.name,
            id,
            class: "stem",
            urgent: false,
            dna: this.#dna,
            revision,
            runBase: path.join(this.#home, "cellws"),
            listeners: [],
            admin: null,
            awokenAtMs: null,
            socketsAreKept: false,
            guest: null,
            certificate,
            records: this.records,
          });
        },
        born: resolve,
        failed: (reason) => reject(new Error(reason)),
        exited: (code, signal) => onExit({ code, signal }),
      });
    });
  }

  /** What is certified of a cell that was born. */
  bodyOf(id: CellId): CellBody {
    const body = this.#born.get(id);
    assert.ok(body !== undefined, `${id} was born`);
    return body;
  }

  doorOf(id: CellId): string {
    return cellSocketPath(this.run, id);
  }

  /** Knocks at a daughter's door: a kin link. */
  async linkTo(id: CellId): Promise<net.Socket> {
    const met = await greet(net.connect(this.doorOf(id)), "kin", this.credentials);
    assert.ok(met.ok, met.ok ? "" : met.reason);
    met.socket.on("error", () => undefined).resume();
    return met.socket;
  }

  /** A charge against a cell that was born, in the window of now. */
  charge(id: CellId, reason: Charge["reason"]): Charge {
    const { pid, startTicks } = this.bodyOf(id);
    return { target: id, pid, startTicks, reason, window: windowOf(machineNowMs()), round: 0 };
  }

  log(): string {
    return readFileSync(this.run.logFile, "utf8");
  }

  /** Ends its daughters, and what they may have borne meanwhile: left alone they begin a life of their own. */
  async end(): Promise<void> {
    await until("the cells to be gone", () => {
      const left = findMarked("XDG_STATE_HOME", this.#home);
      for (const found of left) signalFound(found, "SIGKILL");
      return left.length === 0 && ![...this.#born.values()].some(processLives);
    });
    closeSync(this.#outputFd);
    rmSync(this.#home, { recursive: true, force: true, maxRetries: 3 });
  }

  #body(id: CellId, birthOrder: number, conception: Conceived, change: Partial<CellBody>): CellBody {
    return {
      kind: "cell",
      id,
      mother: this.id,
      lineage: [this.id],
      generation: birthOrder === 0 ? 0 : 1,
      birthOrder,
      revision,
      ...conception,
      certificate: "",
      class: "stem",
      state: "gestating",
      ...change,
    };
  }
}

const revision = "r";
