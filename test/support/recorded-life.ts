// A cell's life without a process: its mind, told what a host would tell it, and a recorder beside it.
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import type { Effect } from "../../src/core/effect.ts";
import type { Happening } from "../../src/core/event.ts";
import type { CellBody, OrganismRecord } from "../../src/core/record.ts";
import { cellKey } from "../../src/core/record.ts";
import type { State } from "../../src/core/state.ts";
import type { Birth } from "../../src/core/step.ts";
import { beBorn, step } from "../../src/core/step.ts";
import { noVitals } from "../../src/core/tally.ts";
import { EventRecorder } from "../../src/host/event-recorder.ts";
import type { Scope } from "../e2e/organism.ts";
import { plainCoreDna } from "./core-dna.ts";

const body: CellBody = {
  kind: "cell",
  id: "eggeggeggg",
  mother: null,
  lineage: [],
  generation: 0,
  birthOrder: 0,
  publicKey: "key",
  pid: 4711,
  startTicks: 1,
  bornAt: "2026-11-22T12:00:00.000Z",
  revision: "first",
  certificate: "c",
  class: "egg",
  state: "gestating",
};
const certificate: OrganismRecord<CellBody> = {
  key: cellKey(body.id),
  version: 0,
  origin: body.id,
  body,
  signature: "s",
};

export const birth: Birth = {
  certificate,
  records: [certificate],
  dna: {
    ...plainCoreDna,
    population: {
      neuron: { min: 1, max: 2 },
      "b-cell": { min: 1, max: 2 },
      "t-cell": { min: 0, max: 1 },
      drone: { min: 1, max: 4 },
    },
    drainMsMax: 5_000,
  },
  seed: [1, 2],
  urgent: false,
};

export class RecordedLife {
  readonly folder: string;
  readonly failures: string[] = [];
  readonly recorder: EventRecorder;
  state: State;
  nowMs = 1_000;
  #births = 0;

  constructor(scope: Scope, { bytesMax = 256 * 1024 * 1024, folder }: { bytesMax?: number; folder?: string } = {}) {
    this.folder = folder ?? fs.mkdtempSync(path.join(os.tmpdir(), "cw-rec-"));
    scope.after(async () => fs.rmSync(this.folder, { recursive: true, force: true }));
    this.recorder = new EventRecorder({
      folder: this.folder,
      bytesMax,
      organism: "organism",
      name: "test",
      cell: body.id,
      onFailed: (reason) => this.failures.push(reason),
    });
    const move = beBorn(birth, this.nowMs);
    this.recorder.born(birth, this.nowMs, move);
    this.state = move[0];
    this.#answer(move[1]);
  }

  tell(happening: Happening): void {
    const event = { nowMs: this.nowMs, ...happening };
    const [state, effects] = step(this.state, event);
    this.recorder.stepped(event, state, effects);
    this.state = state;
    this.#answer(effects);
  }

  /** Wakes, and is looked at, four times a second. */
  live(seconds: number): void {
    for (let look = 0; look < seconds * 4; look += 1) {
      this.nowMs += 250;
      const vitals = { ...noVitals, loadMilli: (look * 37) % 1_000, inFlight: look % 3, marks: look % 2 };
      this.tell({ type: "vitals", vitals });
      this.tell({ type: "wake" });
    }
  }

  /** Its files by name, oldest first. */
  files(): string[] {
    return fs
      .readdirSync(this.folder)
      .sort()
      .map((name) => path.join(this.folder, name));
  }

  text(index = 0): string {
    return fs.readFileSync(this.files()[index]!, "utf8");
  }

  #answer(effects: readonly Effect[]): void {
    for (const effect of effects) {
      if (effect.type === "sign") {
        const { key, version, body: signed } = effect;
        this.tell({ type: "signed", record: { key, version, origin: this.state.self, body: signed, signature: "s" } });
      } else if (effect.type === "divide") {
        this.#births += 1;
        const pid = 5_000 + this.#births;
        this.tell({ type: "conceived", id: effect.id, pid, startTicks: 2, publicKey: "k", bornAt: body.bornAt });
      }
    }
  }
}
