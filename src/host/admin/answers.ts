/**
 * What administrators are told: all cells are asked at that moment, as `cellws ps` does, and what they say is put together. No
 * cell collects beforehand, so any cell can answer as well as any other, and one that was born a second ago, too.
 *
 * Those who ask at the same time get the same answer: a hundred impatient callers cost the organism one survey.
 */
import type { CellId } from "../../core/cell.ts";
import type { ExpositionFormat } from "../../view/metrics.ts";
import { renderMetrics } from "../../view/metrics.ts";
import type { PsJson } from "../../view/ps.ts";
import { psJson } from "../../view/ps.ts";
import type { Readiness } from "../../view/readiness.ts";
import { judgeReadiness, servesNow } from "../../view/readiness.ts";
import type { OrganismStatus } from "../../view/status.ts";
import { judgeStatus } from "../../view/status.ts";
import type { Snapshot } from "../../wire/metrics.ts";
import type { Obituary } from "../counts-left.ts";
import { buryTheDead, sumCounts } from "../counts-left.ts";
import type { RunDir } from "../run-dir.ts";
import { readOrganismFile } from "../run-dir.ts";
import { surveyOrganism } from "../survey.ts";

/** Orchestrators wait a second for an answer, as a rule. */
const readinessMsMax = 600;
const surveyMsMax = 1_000;

export class AdminAnswers {
  readonly #run: RunDir;
  readonly #id: CellId;
  readonly #obituaryOf: (id: CellId) => Obituary | null;
  readonly #underWay = new Map<string, Promise<unknown>>();

  constructor(run: RunDir, id: CellId, obituaryOf: (id: CellId) => Obituary | null) {
    this.#run = run;
    this.#id = id;
    this.#obituaryOf = obituaryOf;
  }

  /** That it is given says it all. */
  health(): string {
    return `alive: cell ${this.#id} of ${this.#run.name} answers`;
  }

  /** As soon as one cell says that it serves, there is no need to wait for the others. */
  readiness(): Promise<Readiness> {
    return this.#once("readiness", async () => {
      const early = Promise.withResolvers<Readiness>();
      const surveyed = surveyOrganism(this.#run, {
        timeoutMs: readinessMsMax,
        onReply: ({ self }) => {
          if (servesNow(self)) early.resolve({ ready: true, why: "requests are answered" });
        },
      });
      return await Promise.race([early.promise, surveyed.then(({ survey }) => judgeReadiness(survey))]);
    });
  }

  /** What `cellws status --json` prints, with the cells as `cellws ps --json` has them. */
  status(): Promise<OrganismStatus & Pick<PsJson, "cells">> {
    return this.#once("status", async () => {
      const { survey } = await surveyOrganism(this.#run, { timeoutMs: surveyMsMax });
      return { ...judgeStatus(survey, readOrganismFile(this.#run)), cells: psJson(survey).cells };
    });
  }

  metrics(format: ExpositionFormat): Promise<string> {
    return this.#once(`metrics ${format}`, async () => {
      buryTheDead(this.#run, this.#obituaryOf);
      const told = new Map<CellId, Snapshot>();
      const { survey } = await surveyOrganism(this.#run, {
        timeoutMs: surveyMsMax,
        metrics: true,
        onReply: ({ self, metrics }) => {
          if (metrics !== undefined) told.set(self.id, metrics);
        },
      });
      const startedAtMs = Date.parse(readOrganismFile(this.#run)?.startedAt ?? "");
      return renderMetrics(
        {
          survey,
          readiness: judgeReadiness(survey),
          snapshot: sumCounts(this.#run, told),
          startedAtSeconds: Number.isNaN(startedAtMs) ? null : startedAtMs / 1000,
        },
        format,
      );
    });
  }

  async #once<T>(what: string, find: () => Promise<T>): Promise<T> {
    const underWay = this.#underWay.get(what) as Promise<T> | undefined;
    if (underWay !== undefined) return await underWay;
    const found = find();
    this.#underWay.set(what, found);
    try {
      return await found;
    } finally {
      this.#underWay.delete(what);
    }
  }
}
