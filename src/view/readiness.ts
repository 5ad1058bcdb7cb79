/**
 * Would a request be served? What /readyz answers, and `cellws status` says.
 *
 * Not the same as "is everything well": with a drone down and another up a request is served; while the only drone is
 * born anew it waits, as it is meant to, and then is served. It is not when a B cell would send it away at once, or when nothing
 * has come of the waiting for as long as a request may wait. Who asks should then send requests elsewhere.
 *
 * Nor does it say "overloaded": all instances of a service are overloaded at one time, and if each then declared itself unready
 * there would be none. Single requests are sent away with 503 and Retry-After; that is enough.
 */
import type { OrganismSurvey, SurveyedCell } from "../wire/survey.ts";

export interface Readiness {
  readonly ready: boolean;
  /** For people, and without anything that is not everybody's business: /readyz needs no token. */
  readonly why: string;
}

export function judgeReadiness({ cells }: Pick<OrganismSurvey, "cells">): Readiness {
  const answering = cells.filter((cell) => cell.evidence === "self");
  if (answering.length === 0) return no("none of its cells answers");
  if (cells.every((cell) => cell.state === "draining")) return no("it is coming to its end");

  const staying = cells.filter((cell) => cell.class === "b-cell" && cell.state !== "draining");
  const ingresses = staying.filter((cell) => cell.evidence === "self");
  if (ingresses.some(servesNow)) return yes("requests are answered");
  // Also while the last of an organism that falls asleep are leaving.
  const hasEgg = answering.some((cell) => cell.class === "egg" && cell.state !== "draining");
  if (staying.length === 0 && hasEgg) return yes("a dormant egg: the first request wakes it");
  if (ingresses.length === 0 && staying.length > 0) return no("no B cell answers");
  const refusals = ingresses.map((cell) => cell.service?.refusal ?? null);
  if (refusals.length > 0 && refusals.every((code) => code !== null)) return no(`requests are refused: ${refusals[0]}`);
  return judgeWait(answering, ingresses.length > 0 ? "a drone whose app is up" : "a B cell");
}

/** One such word is enough, and whoever is in a hurry need not wait for the others'. */
export function servesNow(cell: Pick<SurveyedCell, "class" | "state" | "service">): boolean {
  return cell.class === "b-cell" && cell.state !== "draining" && (cell.service?.drones ?? 0) > 0;
}

function judgeWait(cells: readonly SurveyedCell[], what: string): Readiness {
  const waits = cells.flatMap((cell) => (cell.unserved === undefined ? [] : [cell.unserved]));
  const longest = waits.toSorted((a, b) => b.ms - a.ms)[0];
  if (longest === undefined || longest.ms < longest.msMax) return yes(`requests wait for ${what}`);
  return no(`requests have waited in vain for ${what}`);
}

const yes = (why: string): Readiness => ({ ready: true, why });
const no = (why: string): Readiness => ({ ready: false, why });
