/**
 * The cell's mind: an event in, the next state and the wished effects out. No clock, no randomness, no promise, no I/O;
 * the running cell (host/) and the simulator (sim/) call this very function.
 *
 * `step` tells which rules an event concerns; the rules are a file each. Rules that follow from any news (an app that
 * failed, a stop that was asked for) run after every event, so that no path can forget them.
 */
import { unreachable } from "../lib/assert.ts";
import type { CellClass } from "./cell.ts";
import { specializedClasses } from "./cell.ts";
import type { CoreDna } from "./dna.ts";
import type { Event } from "./event.ts";
import { prngFrom } from "../lib/prng.ts";
import { controlPeriodMs, lineageWindowMs, tickMs } from "./limits.ts";
import type { Move, Rule } from "./move.ts";
import { inTurn, still } from "./move.ts";
import type { CellBody, DeathCause, OrganismRecord } from "./record.ts";
import { supersedes } from "./record.ts";
import {
  announce,
  census,
  forgetBans,
  forgetTheLongDead,
  pronounce,
  publish,
  recordsToTell,
  takeIn,
} from "./roster.ts";
import { heedStrangers, isLookingForStrangers, seekStrangers } from "./solitude.ts";
import type { State } from "./state.ts";
import { absorb, isPlausible, noHormones } from "./hormone.ts";
import { compareDigests, hearTally, noVitals, shareTallies } from "./tally.ts";
import {
  connectFailed,
  doubt,
  doubtRelatives,
  patrol,
  linkClosed,
  leaveSilentElder,
  leaveTheInfected,
  linkOpened,
  seekElder,
  vindicate,
} from "./kinship.ts";
import { bear, conceived, divideForPool, gestationEnded } from "./division.ts";
import { callForTheMissing, passOn } from "./population.ts";
import { differentiate } from "./differentiation.ts";
import { germinate } from "./germination.ts";
import { forgive, heedApp, heedCrashes, reportApp } from "./app-trouble.ts";
import { poolDeficit, replenish } from "./pool.ts";
import { closeBallots, takeVotes, windowOf } from "./ballot.ts";
import { loadedClasses, noDemand, noFlow, sampleDemand } from "./demand.ts";
import { execute, finishLeaver, heedCertificate, reconsider } from "./execution.ts";
import { accuseSurplus, isAboveCap } from "./surplus.ts";
import { askAtOnce, hearSuspicion, heedAnswer, noticeOwnGap, pressSuspicion, probeNext } from "./suspicion.ts";
import { accuseWorn, noteWear } from "./wear.ts";
import { evolve } from "./revision.ts";
import { brood, fallAsleep, isFallingAsleep, layEgg } from "./dormancy.ts";
import { askToStop, heedStop, leave, retire } from "./stopping.ts";

/** What a cell is born with. */
export interface Birth {
  readonly certificate: OrganismRecord<CellBody>;
  /** All that the mother knows, the certificate included. */
  readonly records: readonly OrganismRecord[];
  readonly dna: CoreDna;
  /** Two random 32-bit words. */
  readonly seed: readonly [number, number];
  /** True for an egg that takes the place of a dying organism: it does not wait for a connection. */
  readonly urgent: boolean;
}

/** A cell's first move: it takes up its class, and looks for its mother. */
export function beBorn(birth: Birth, nowMs: number): Move {
  const own = birth.certificate.body;
  const dormant = own.class === "egg" && !birth.urgent;
  const blank: State = {
    self: own.id,
    class: own.class,
    phase: dormant ? "dormant" : "living",
    dna: birth.dna,
    prng: prngFrom(...birth.seed),
    nextControlMs: nowMs + controlPeriodMs,
    records: new Map(),
    issued: new Map(),
    alive: new Map(),
    tombstones: [],
    kin: new Set(),
    adoption: null,
    doubted: new Set(),
    patrolled: 0,
    heardMs: new Map(),
    probed: 0,
    lookedMs: nowMs,
    isDazed: false,
    healthScore: 0,
    suspects: new Map(),
    rumours: new Map(),
    absent: new Set(),
    ghosts: new Set(),
    ballots: new Map(),
    votes: [],
    condemned: new Map(),
    demand: Object.fromEntries(
      loadedClasses.map((c) => [c, noDemand(birth.dna.growth.stableWindowMs)]),
    ) as unknown as State["demand"],
    attackedMs: Number.NEGATIVE_INFINITY,
    bans: [],
    flow: noFlow(birth.dna.growth.panicWindowMs),
    surplusSinceMs: {},
    isSqueezed: false,
    wornSinceMs: new Map(),
    eggAnsweredMs: Number.NEGATIVE_INFINITY,
    revisedMs: nowMs,
    vitals: noVitals,
    tallies: new Map(),
    digest: 0,
    discords: new Map(),
    hormones: noHormones,
    pulseCount: 0,
    answersAtMs: null,
    unanswered: Object.fromEntries(specializedClasses.map((c) => [c, 0])) as Record<
      (typeof specializedClasses)[number],
      number
    >,
    gestations: new Map(),
    refractoryUntilMs: nowMs,
    solitude: null,
    app: { known: null, retryAtMs: nowMs, crashesMs: [], reportedCrashMs: -1 },
    stop: null,
    isUseless: false,
    drained: false,
  };
  const [told] = takeIn(blank, birth.records, null, nowMs);
  // How long the others have lived is seen by when their processes began. A lie about that would name no process that runs.
  const bornMs = (cell: CellBody): number =>
    own.startTicks === 0
      ? nowMs - (cell.id === own.id ? 0 : lineageWindowMs)
      : nowMs - Math.max(0, own.startTicks - cell.startTicks) * tickMs;
  const known: State = { ...told, heardMs: new Map([...told.alive.values()].map((cell) => [cell.id, bornMs(cell)])) };
  const work: Rule = (s) => [s, [{ type: "become", class: own.class }]];
  const live: Rule = (s) => announce(s, { state: "live" });
  const wake: Rule = (s, t) => (own.class === "egg" && birth.urgent ? germinate(s, t) : still(s));
  return inTurn(still(known), nowMs, work, live, seekElder, wake, heedApp, heedStop);
}

/** @throws InvariantError where the state contradicts itself: a bug, of which this cell should die. */
export function step(state: State, event: Event): Move {
  const { nowMs } = event;
  // A leaving cell's last words still have to be passed on; nothing else concerns it any more.
  if (state.phase === "ended") return event.type === "signed" ? signed(state, event.record, nowMs) : still(state);
  return inTurn(react(state, event), nowMs, heedApp, heedStop);
}

/** When the cell wants a `wake`, or null: an egg that is alone sleeps without a timer. */
export function nextWakeMs(state: State): number | null {
  const isAlone = state.alive.size === 1 && state.condemned.size === 0;
  if (state.phase === "ended" || (state.phase === "dormant" && isAlone)) return null;
  return Math.min(state.nextControlMs, state.answersAtMs ?? state.nextControlMs);
}

function react(state: State, event: Event): Move {
  const { nowMs } = event;
  switch (event.type) {
    case "wake":
      return nowMs < state.nextControlMs ? differentiate(state, nowMs) : control(state, nowMs);
    case "first-connection":
      return wakesFor(state) ? germinate(state, nowMs) : still(state);
    case "conceived":
      return conceived(state, event.id, event);
    case "birth-failed":
      return birthFailed(state, event.id, event.reason);
    case "daughter-exited":
      return death(state, event.id);
    case "link-opened":
      return inTurn(takeIn(state, [event.record], event.peer, nowMs), nowMs, (s) =>
        linkOpened(gestationEnded(s, event.peer), event.peer),
      );
    case "link-closed":
      return linkClosed(state, event.peer, nowMs);
    case "connect-failed":
      return connectFailed(state, event.peer, nowMs);
    case "message":
      return message(state, event);
    case "signed":
      return signed(state, event.record, nowMs);
    case "inspected":
      return event.running
        ? inTurn(
            vindicate(state, event.id),
            nowMs,
            (s) => finishLeaver(s, event.id, nowMs),
            (s) => noteWear(s, event.id, event.wear, nowMs),
          )
        : death(state, event.id);
    case "probed":
      return heedAnswer(state, event.id, event.answer, nowMs);
    case "strangers":
      return inTurn(heedStrangers(state, event.found, nowMs), nowMs, growAlone);
    case "voted":
      return takeVotes(state, [event.vote], null, nowMs);
    case "doubt":
      return doubt(state, event.id);
    case "unwell":
      return askAtOnce(state, event.id);
    case "app":
      return appChanged(state, event);
    case "vitals":
      return still({ ...state, vitals: event.vitals });
    case "sentenced":
      return pronounce(state, event.bans);
    case "memory-changed":
      return publish(state, { kind: "memory", seq: event.seq });
    case "bans-old":
      return still(forgetBans(state, event.keys));
    case "files-changed":
      return inTurn(forgive(state, nowMs), nowMs, callForTheMissing);
    case "drained":
      // One who was to leave and stayed after all has been asked for nothing.
      return still(state.phase === "stopping" ? { ...state, drained: true } : state);
    case "body-failed":
      return leave(state, "app-failed", `cannot work as a ${event.class}: ${event.reason}`);
    case "retire":
      return retire(state, event.drainMs, nowMs);
    case "evolve":
      return evolve(state, event.revision);
    case "stop":
      return askToStop(state, event.drainMs);
    default:
      return unreachable(event);
  }
}

/** The look around, four times a second. */
function control(state: State, nowMs: number): Move {
  // Counted from now and not from when it was due: after a long gap the missed looks are not made up for.
  const next: State = { ...state, nextControlMs: nowMs + controlPeriodMs };
  const kinship: readonly Rule[] = [
    noticeOwnGap,
    probeNext,
    pressSuspicion,
    leaveTheInfected,
    leaveSilentElder,
    closeBallots,
    reconsider,
    execute,
    patrol,
    seekElder,
    forgetTheLongDead,
    abandonOverdueBirths,
    shareTallies,
  ];
  if (next.phase === "stopping") return inTurn(still(next), nowMs, ...kinship);
  if (next.phase === "dormant") return inTurn(still(next), nowMs, ...kinship, brood);
  return inTurn(still(next), nowMs, ...kinship, leaveIfUseless, sampleDemand, accuseDispensable, growOrSleep);
}

/** Whoever is about to sleep makes up for nobody who has left already. */
function growOrSleep(state: State, nowMs: number): Move {
  return isFallingAsleep(state, nowMs)
    ? fallAsleep(state, nowMs)
    : inTurn(still(state), nowMs, heedCrashes, seekStrangers, grow);
}

/** What the look around left undone until it was known that there are no strangers. */
function growAlone(state: State, nowMs: number): Move {
  return state.solitude?.isAnswered === true ? grow(state, nowMs) : still(state);
}

function grow(state: State, nowMs: number): Move {
  if (isLookingForStrangers(state)) return still(state);
  return inTurn(still(state), nowMs, callForTheMissing, differentiate, replenish, layEgg);
}

/** An egg that is not in charge of the organism any more, and is about to leave, may still be knocked at. */
function wakesFor({ class: cellClass, phase, stop }: State): boolean {
  return phase === "dormant" || (cellClass === "egg" && phase === "stopping" && stop?.alone === true);
}

/**
 * The superfluous, the worn out and the outdated share one budget of votes. Whoever is accused first gets them; so that voters who
 * see one kind and voters who see the other do not split for ever, the kinds take turns by windows, the same for all; but where
 * a class has more than the DNA allows that comes first.
 */
function accuseDispensable(state: State, nowMs: number): Move {
  const isSurplusFirst =
    windowOf(nowMs) % 2 === 0 || specializedClasses.some((cellClass) => isAboveCap(state, cellClass, nowMs));
  const rules = isSurplusFirst ? [accuseSurplus, accuseWorn] : [accuseWorn, accuseSurplus];
  return inTurn(still(state), nowMs, ...rules);
}

function message(state: State, { from, message, nowMs }: Event & { type: "message" }): Move {
  // From a link that we have let go of.
  if (!state.kin.has(from)) return still(state);
  switch (message.type) {
    case "inventory": {
      const held = new Map(message.entries.map(([key, version, origin]) => [key, { version, origin }]));
      const lacking = recordsToTell(state).filter((record) => supersedes(record, held.get(record.key)));
      return lacking.length === 0
        ? still(state)
        : [state, [{ type: "send", to: from, message: { type: "records", records: lacking } }]];
    }
    case "records":
      // That somebody took the place which was called for most loudly may make the next call ours. While a class is short of its
      // minimum that cannot wait for a look around; what the load asks for can, and would else be answered by too many.
      return inTurn(takeIn(state, message.records, from, nowMs), nowMs, ...message.records.map(sentence), (s, t) =>
        isShort(s) ? differentiate(s, t) : still(s),
      );
    case "pulse": {
      if (message.pulse.hops < 1 || !isPlausible(message.pulse, state.dna.attenuationMilli)) return still(state);
      const hormones = absorb(state.hormones, message.pulse, nowMs, state.dna.hormoneHalfLifeMs);
      if (hormones === state.hormones) return still(state);
      const felt: State = { ...state, hormones };
      return inTurn([felt, passOn(felt, message.pulse, from)], nowMs, differentiate);
    }
    case "tally":
      return compareDigests(hearTally(state, from, message, nowMs), from, message.digest);
    case "testimony":
      return still(state);
    case "votes":
      return takeVotes(state, message.votes, from, nowMs);
    case "suspect":
      return hearSuspicion(state, message.id, message.by, from);
    case "hand-down":
      // What we were asked for as a stem cell we no longer do as anything else; the pool's next look finds another.
      // And only where we find the pool short ourselves, or one cell's word could make us divide without end.
      return state.class === "stem" && state.phase === "living" && poolDeficit(state, nowMs) > 0
        ? divideForPool(state, nowMs, message.hops)
        : still(state);
  }
}

/** Whether a class has fewer members than the DNA wants always. */
function isShort(state: State): boolean {
  const count = census(state);
  return specializedClasses.some((cellClass) => count[cellClass] < state.dna.population[cellClass].min);
}

/** Our own word is signed: from here on it is news like any other, and some of it has a sequel. */
function signed(state: State, record: OrganismRecord, nowMs: number): Move {
  const taken = takeIn(state, [record], null, nowMs);
  const { body } = record;
  if (body.kind === "certificate") return inTurn(taken, nowMs, sentence(record));
  const isOwnDaughter = body.kind === "cell" && body.state === "gestating" && body.mother === state.self;
  return isOwnDaughter ? inTurn(taken, nowMs, (s) => bear(s, record as OrganismRecord<CellBody>)) : taken;
}

/** A certificate among the news has its consequences. */
function sentence({ body }: OrganismRecord): Rule {
  return (state, nowMs) => (body.kind === "certificate" ? heedCertificate(state, body, nowMs) : still(state));
}

/** The kernel says that a cell's process has ended. */
function death(state: State, id: string): Move {
  const cell = state.alive.get(id);
  if (cell === undefined) return still(buried(gestationEnded(state, id), id));
  const cause = causeOf(state, cell);
  const { pid, startTicks } = cell;
  const [next, news] = publish(gestationEnded(state, id), { kind: "death", id, pid, startTicks, cause });
  const log = {
    type: "log",
    level: cause === "stopped" ? "info" : "warn",
    event: "cell-died",
    fields: { died: id, diedAs: cell.class, diedPid: pid, cause },
    message: `${cell.class} ${id} died`,
  } as const;
  return inTurn([next, [...news, log]], 0, (s) => doubtRelatives(s, cell));
}

/** The kernel has the last word on the condemned too, whatever they said themselves. */
function buried(state: State, id: string): State {
  if (!state.condemned.has(id)) return state;
  const condemned = new Map(state.condemned);
  condemned.delete(id);
  return { ...state, condemned };
}

function causeOf(state: State, cell: CellBody): DeathCause {
  if (state.condemned.has(cell.id)) return "condemned";
  if (cell.state === "gestating") return "stillborn";
  // While all are leaving a farewell may have come too late to be passed on.
  return state.phase === "stopping" ? "stopped" : "crashed";
}

function birthFailed(state: State, id: string, reason: string): Move {
  if (!state.gestations.has(id)) return still(state);
  const cellClass: CellClass = state.gestations.get(id)?.class ?? "stem";
  const log = {
    type: "log",
    level: "error",
    event: "birth-failed",
    fields: { unborn: id, unbornClass: cellClass, reason },
    message: `a ${cellClass} could not be born: ${reason}`,
  } as const;
  const [next, effects] = death(state, id);
  return [next, [log, ...effects]];
}

function abandonOverdueBirths(state: State, nowMs: number): Move {
  let next = state;
  for (const [id, { deadlineMs }] of state.gestations) if (nowMs >= deadlineMs) next = gestationEnded(next, id);
  return still(next);
}

/** A drone whose app failed has no use: it tells why; one whose app is up says so once. */
function appChanged(state: State, event: Event & { type: "app" }): Move {
  const { health } = event;
  const isNews = health.state === "failed" || state.app.known?.state !== "ready";
  return isNews ? reportApp({ ...state, isUseless: health.state === "failed" }, health) : still(state);
}

/**
 * At each control period: a useless drone leaves, but not as the last. A link that is open is the kernel's word that
 * somebody lives; without one it is for this cell to regenerate the organism first.
 */
function leaveIfUseless(state: State): Move {
  if (!state.isUseless || state.kin.size === 0) return still(state);
  return leave(state, "app-failed", "its app would not come up");
}
