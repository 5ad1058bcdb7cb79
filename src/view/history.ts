/**
 * A cell's life as a person reads it: one line an event, what was told to the mind and what the mind wished.
 *
 *   12:03:04.123  wake                          -> calls for a drone (1 wanted, 400000)
 *   12:03:04.180  conceived k3f9a as pid 4711   -> sign cell/k3f9a
 *   12:03:04.181  signed cell/k3f9a 0           -> bear k3f9a   [egg -> neuron]
 */
import type { CellClass } from "../core/cell.ts";
import type { Effect } from "../core/effect.ts";
import type { Event } from "../core/event.ts";
import type { KinMessage } from "../core/message.ts";
import type { OrganismRecord, RecordBody } from "../core/record.ts";
import type { Wear } from "../core/wear.ts";
import type { Style } from "./style.ts";
import { paint } from "./style.ts";
import { printable } from "./text.ts";

export interface HistoryEntry {
  /** Null: the beginning of the record. */
  readonly event: Event | null;
  readonly before: { readonly class: CellClass; readonly phase: string } | null;
  readonly after: { readonly class: CellClass; readonly phase: string };
  readonly effects: readonly Effect[];
}

/** Without its end; `time` is what stands before it. */
export function renderHistoryEntry(
  { event, before, after, effects }: HistoryEntry,
  time: string,
  style: Style,
): string {
  const what = event === null ? "(the record begins)" : describeEvent(event);
  const wished = summed(effects.map(describeEffect));
  const became = before !== null && before.class !== after.class ? ` [${before.class} -> ${after.class}]` : "";
  const phase = before !== null && before.phase !== after.phase ? ` [${before.phase} -> ${after.phase}]` : "";
  const arrow = wished === "" ? "" : ` ${paint(style, "dim", "->")} ${wished}`;
  return `${paint(style, "dim", time)}  ${printable(what, style)}${printable(arrow, style)}${paint(style, "bold", became + phase)}`;
}

/** Whether an entry tells of nothing but that all is as it should be. Nineteen in twenty do. */
export function isQuiet({ event, before, after, effects }: HistoryEntry): boolean {
  if (event === null || before === null || before.class !== after.class || before.phase !== after.phase) return false;
  return isQuietEvent(event) && effects.every(isQuietEffect);
}

function isQuietEvent(event: Event): boolean {
  switch (event.type) {
    case "wake":
    case "vitals":
      return true;
    case "probed":
      return event.answer === "answered";
    case "inspected":
      return event.running;
    case "message":
      return event.message.type === "tally";
    default:
      return false;
  }
}

function isQuietEffect(effect: Effect): boolean {
  if (effect.type === "send") return effect.message.type === "tally";
  return effect.type === "probe" || effect.type === "inspect" || effect.type === "inform";
}

/** Ids as long as one needs them to tell cells apart by eye. */
const short = (id: string): string => id.slice(0, 5);

const describeWear = (wear: Wear | null): string =>
  wear === null
    ? ""
    : `, ${Math.round(wear.rssBytes / mebibyte)} MiB, ${wear.descriptorMilli / 10}% of its descriptors`;
const mebibyte = 1_048_576;

export function describeEvent(event: Event): string {
  switch (event.type) {
    case "wake":
    case "first-connection":
    case "files-changed":
    case "drained":
      return event.type;
    case "conceived":
      return `conceived ${short(event.id)} as pid ${event.pid}`;
    case "birth-failed":
      return `birth-failed ${short(event.id)}: ${event.reason}`;
    case "daughter-exited":
    case "doubt":
      return `${event.type} ${short(event.id)}`;
    case "link-opened":
    case "link-closed":
    case "connect-failed":
      return `${event.type} ${short(event.peer)}`;
    case "message":
      return `${describeMessage(event.message)} from ${short(event.from)}`;
    case "signed":
      return `signed ${describeRecord(event.record)}`;
    case "inspected":
      return `inspected ${short(event.id)}: ${event.running ? "runs" : "is gone"}${describeWear(event.wear)}`;
    case "probed":
      return `probed ${short(event.id)}: ${event.answer}`;
    case "strangers":
      return event.found.length === 0
        ? "no strangers"
        : `strangers: ${event.found.map(({ id }) => short(id)).join(", ")}`;
    case "voted":
      return `voted on ${short(event.vote.charge.target)}: ${event.vote.charge.reason}`;
    case "app":
      return `app ${event.health.state}${event.health.code === "" ? "" : `: ${event.health.code}`}`;
    case "vitals": {
      const { loadMilli, inFlight, queued, queueMs } = event.vitals;
      return `vitals: ${loadMilli / 10}% busy, ${inFlight} in flight${queued > 0 ? `, ${queued} wait, ${queueMs} ms` : ""}`;
    }
    case "body-failed":
      return `body-failed as ${event.class}: ${event.reason}`;
    case "evolve":
      return `evolve to ${event.revision}`;
    case "retire":
    case "stop":
      return `${event.type} within ${event.drainMs} ms`;
    default:
      // A newer program's events are at least named.
      return (event as { type: string }).type;
  }
}

export function describeEffect(effect: Effect): string {
  switch (effect.type) {
    case "divide":
      return `divide: ${effect.class} ${short(effect.id)}`;
    case "bear":
      return `bear ${short(effect.certificate.body.id)}`;
    case "sign":
      return `sign ${describeBody(effect.body)}`;
    case "connect":
      return `connect ${short(effect.to)}`;
    case "disconnect":
      return `disconnect ${short(effect.from)}`;
    case "send":
      return `${describeMessage(effect.message)} to ${short(effect.to)}`;
    case "become":
      return `become ${effect.class}`;
    case "inspect":
    case "probe":
    case "kill":
      return `${effect.type} ${short(effect.id)}`;
    case "sign-vote":
      return `vote on ${short(effect.charge.target)}: ${effect.charge.reason}`;
    case "watch":
      return effect.files.length === 0 ? "watch nothing" : `watch ${effect.files.length} files`;
    case "drain":
      return `drain within ${effect.drainMs} ms`;
    case "exit":
      return `exit: ${effect.reason}`;
    case "log":
      return `log "${effect.message}"`;
    default:
      return (effect as { type: string }).type;
  }
}

function describeMessage(message: KinMessage): string {
  switch (message.type) {
    case "inventory":
      return `inventory of ${message.entries.length}`;
    case "records":
      return message.records.length > recordsNamedMax
        ? `${message.records.length} records`
        : `records ${message.records.map(describeRecord).join(", ")}`;
    case "pulse":
      return `pulse for ${message.pulse.class} (${message.pulse.wanted} wanted, strength ${message.pulse.strength})`;
    case "votes":
      return `${message.votes.length} votes`;
    case "suspect":
      return `suspicion of ${short(message.id)}`;
    case "tally":
      return "tally";
    case "hand-down":
      return "hand-down";
    default:
      return (message as { type: string }).type;
  }
}

const recordsNamedMax = 3;

function describeRecord({ body, version }: OrganismRecord): string {
  return `${describeBody(body)} v${version}`;
}

function describeBody(body: RecordBody): string {
  switch (body.kind) {
    case "cell":
      return `${body.class} ${short(body.id)} ${body.state}`;
    case "death":
      return `death of ${short(body.id)} (${body.cause})`;
    case "certificate":
      return `sentence on ${short(body.id)} (${body.charge.reason})`;
    case "app":
      return `app ${body.state}`;
    case "dna":
      return `DNA ${body.revision}`;
    case "stop":
      return "stop";
    default:
      return (body as { kind: string }).kind;
  }
}

/** `tally to k3f9a, tally to m2p7c` as it is, but no more than a line holds. */
function summed(wished: readonly string[]): string {
  if (wished.length <= effectsNamedMax) return wished.join("; ");
  return `${wished.slice(0, effectsNamedMax - 1).join("; ")}; and ${wished.length - effectsNamedMax + 1} more`;
}

const effectsNamedMax = 6;
