/** Tells, beside an answer, which cells it could not include or had to describe by hearsay, and why. */
import type { SurveyResult } from "../host/survey.ts";
import type { CliContext } from "./command.ts";

export function noteSilence({ survey, outcomes }: SurveyResult, context: CliContext): void {
  for (const { id, outcome } of outcomes) {
    const isKnown = survey.cells.some((cell) => cell.id === id);
    const unknown = isKnown ? "" : ", and nobody knows it";
    if (outcome.kind === "silent") context.note(`cellws: ${id} did not answer in time${unknown}`);
    if (outcome.kind === "garbled")
      context.note(`cellws: ${id} gave no reply that can be read (${outcome.reason})${unknown}`);
    if (outcome.kind === "reply" && !outcome.reply.ok) {
      context.note(`cellws: ${id} would not tell: ${outcome.reply.code}: ${outcome.reply.message}`);
    }
  }
}
