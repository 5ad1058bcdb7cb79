/**
 * Which checks have a chance on anything in the exchange. For most there is none, and then neither the rule nor its
 * values need be looked at.
 *
 * Values that come again know already which checks of a part could match them (Reading.livesIn). Others are joined value
 * by value, and where that takes long it can be stopped and goes on where it was.
 */
import { assert } from "../../../lib/assert.ts";
import type { Transaction } from "../transaction.ts";
import type { Link, PureCheck, Taken } from "./compile.ts";
import type { Evaluation } from "./evaluation.ts";
import type { IsEnough, Part } from "./parts.ts";
import { join, JOINED } from "./parts.ts";
import type { Reading } from "./reading.ts";
import type { Candidates, ScreenTable } from "./screen-table.ts";
import { valuesOfPart } from "./values.ts";

/** Of the checks by which the phase's steps begin, those that have a chance on anything; null: stopped on the way. */
export function findLive(transaction: Transaction, evaluation: Evaluation, floor: number): Candidates | null {
  const view = evaluation.view!;
  const live = view.compiled.domain.table.none.slice();
  for (const part of view.compiled.parts) {
    const lives = view.lives[part.index] ?? joinPart(transaction, evaluation, part, floor);
    if (lives === null) return null;
    for (let word = 0; word < live.length; word += 1) live[word]! |= lives[word]!;
  }
  view.live = live;
  return live;
}

/** Whether the check has a chance on any value of the rule. Of what was taken out, some may be counted in. */
export function hasCandidate(
  transaction: Transaction,
  evaluation: Evaluation,
  { source }: Link,
  { word, bit }: PureCheck,
  taken: Taken | null,
  floor: number,
): boolean | "paused" {
  assert(source.kind === "list", "only checks of listed values are spared");
  const view = evaluation.view!;
  for (const part of source.list.parts) {
    if (part.target.mode === "value" && taken?.wholly.has(part.target.variable) === true) continue;
    const lives = view.lives[part.index] ?? joinPart(transaction, evaluation, part, floor);
    if (lives === null) return "paused";
    if ((lives[word]! & bit) !== 0) return true;
  }
  return false;
}

/** The checks that have a chance on any value of the part; null: stopped on the way. */
function joinPart(transaction: Transaction, evaluation: Evaluation, part: Part, floor: number): Candidates | null {
  const { meter } = evaluation;
  const view = evaluation.view!;
  const { table } = view.compiled.domain;
  const values = valuesOfPart(transaction, view, part);
  if (values.length === 0 || (values.length === 1 && values[0]!.reading.isLasting)) {
    const lives = values.length === 0 ? table.none : livesOf(values[0]!.reading, part, table);
    view.lives[part.index] = lives;
    return lives;
  }
  const stopped = view.joining?.part === part.index ? view.joining : null;
  view.joining = null;
  const joined = stopped?.joined ?? table.none.slice();
  let group = stopped?.group ?? 0;
  // Transforming a value and searching it for texts is work as well.
  const isEnough: IsEnough = (chars, aside) => {
    meter.left -= chars >> 1;
    evaluation.aside += aside;
    return meter.left - evaluation.aside < floor;
  };
  for (let index = stopped?.value ?? 0; index < values.length; index += 1) {
    const { reading } = values[index]!;
    if (reading.isLasting) {
      const lives = livesOf(reading, part, table);
      for (let word = 0; word < joined.length; word += 1) joined[word]! |= lives[word]!;
      group = JOINED;
    } else group = join(joined, reading, part, table, group, isEnough);
    if (group !== JOINED || isEnough(reading.isLasting ? 0 : reading.text.length, VALUE_STEPS)) {
      const next = group === JOINED ? { value: index + 1, group: 0 } : { value: index, group };
      view.joining = { part: part.index, joined, ...next };
      return null;
    }
    group = 0;
  }
  view.lives[part.index] = joined;
  return joined;
}

/** Of a value, short as it may be: 0.5 us. There may be thousands. */
const VALUE_STEPS = 100;

/** Of values that come again, and are short. */
function livesOf(reading: Reading, part: Part, table: ScreenTable): Candidates {
  const known = reading.livesIn(part.index);
  if (known !== null) return known;
  const lives = table.none.slice();
  join(lives, reading, part, table, 0, NEVER);
  reading.keepLives(part.index, lives);
  return lives;
}

const NEVER = (): boolean => false;
