/**
 * Finds an organism and asks all its cells at once; src/wire/survey.ts puts the answers together.
 *
 * There is nobody who could be asked for the whole: each cell knows itself and its kin. A cell that hangs costs
 * one timeout, whatever their number, since all are asked at the same time.
 */
import type { OrganismSurvey, VitalsReply } from "../wire/survey.ts";
import { mergeSurvey } from "../wire/survey.ts";
import type { AskOptions, AskOutcome } from "./control-client.ts";
import { askCell, CONCURRENT_QUESTIONS_MAX, mapBounded } from "./control-client.ts";
import { processLives, readProc } from "./proc.ts";
import type { RunDir } from "./run-dir.ts";
import { listCellRecords, listCellSockets, readOrganismFile, runDir } from "./run-dir.ts";

export interface SurveyResult {
  survey: OrganismSurvey;
  /** What each socket's cell answered, for who wants to say why one is missing. */
  outcomes: Array<{ id: string; outcome: AskOutcome }>;
}

export interface SurveyOptions extends AskOptions {
  /** Ask for what the cells have counted, too. */
  metrics?: boolean;
  /** Each cell's answer, as it comes. */
  onReply?: (reply: VitalsReply) => void;
}

/** `organism`: its name (in this user's run base), or its run directory. */
export async function surveyOrganism(organism: string | RunDir, options: SurveyOptions = {}): Promise<SurveyResult> {
  const run = typeof organism === "string" ? runDir(organism) : organism;
  const { metrics = false, onReply = () => undefined } = options;
  const outcomes = await mapBounded(listCellSockets(run), CONCURRENT_QUESTIONS_MAX, async ({ id, path }) => {
    const outcome = await askCell(path, metrics ? { op: "vitals", metrics } : { op: "vitals" }, options);
    vitalsOf(outcome).forEach(onReply);
    return { id, outcome };
  });
  const file = readOrganismFile(run);
  const survey = mergeSurvey({
    name: run.name,
    organism: file?.organism ?? "",
    revision: file?.revision ?? "",
    replies: outcomes.flatMap(({ outcome }) => vitalsOf(outcome)),
    // Read after the answers, so that a cell born meanwhile is rather seen than missed.
    records: listCellRecords(run),
    heldSockets: outcomes.filter(({ outcome }) => outcome.kind !== "refused").map(({ id }) => id),
    lives: processLives,
    rssBytesOf: (pid) => readProc(pid)?.rssBytes ?? null,
  });
  return { survey, outcomes };
}

function vitalsOf(outcome: AskOutcome): VitalsReply[] {
  return outcome.kind === "reply" && outcome.reply.ok && outcome.reply.op === "vitals" ? [outcome.reply] : [];
}
