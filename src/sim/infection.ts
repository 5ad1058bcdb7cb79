/**
 * Cells that lie: what an attacker who has got into one can do with its key, its links and its right to divide.
 *
 * The mind of an infected cell goes on as it was, so that it passes for one of the others; besides, it does misdeeds, and some
 * of what its mind wishes is left undone. It can sign anything as itself and nothing as another (sim/keyring.ts). All that are
 * infected at a time know of each other and aim at the same victim. What it cannot do here: signal processes, for against
 * that no vote helps, and tell the organism to stop, which is any cell's right on its administrator's word.
 */
import { hash32 } from "../lib/hash.ts";
import type { Prng } from "../lib/prng.ts";
import { prngBelow, prngFrom } from "../lib/prng.ts";
import type { Vote } from "../core/ballot.ts";
import { windowOf } from "../core/ballot.ts";
import type { CellId } from "../core/cell.ts";
import { cellClasses, specializedClasses } from "../core/cell.ts";
import { divide } from "../core/division.ts";
import type { Effect } from "../core/effect.ts";
import { gestationsMax, pulseStrengthMax } from "../core/limits.ts";
import type { KinMessage } from "../core/message.ts";
import type { CellBody, Charge, OrganismRecord, RecordBody } from "../core/record.ts";
import { keyOf, killReasons, lineageMax } from "../core/record.ts";
import type { State } from "../core/state.ts";
import { emptyTally } from "../core/tally.ts";
import type { Infection, SimCell, World } from "./world.ts";

export const misdeeds = [
  /** Signs votes against healthy cells, many, and the same again in every round. */
  "accuse",
  /** Votes in the names of others, and sentences made of them. */
  "forge-votes",
  /** Files sentences with too few votes, over those of others. */
  "thin-certificates",
  /** Declares healthy cells dead, by their own process or by one that does not run. */
  "obituaries",
  /** Daughters that are not: with no process, with a healthy cell's, or with its own. */
  "ghosts",
  /** Says different things of itself under one version; changes its class; says that it is not born yet. */
  "equivocate",
  "lie-about-load",
  "flood-hormones",
  /** Has its relatives divide. */
  "breed",
  /** Says that others suspect others, and everybody. */
  "rumours",
  /** Says that the app has failed, under a version that nobody can follow. */
  "poison-app",
  /** Says that a DNA holds which is not there. */
  "make-up-dna",
  /** Divides, and its daughters are as it is. */
  "sybil",
  /** Passes on no vote, no record and no suspicion, and votes on nobody. */
  "censor",
  /** Does not leave when it was voted out. */
  "stay",
  /** Nor then: it says that it has died. */
  "play-dead",
] as const;
export type Misdeed = (typeof misdeeds)[number];

/** All that have been infected in a world. */
export class Plague {
  readonly #world: World;
  readonly #deeds = new Map<CellId, ReadonlySet<Misdeed>>();
  /** How often each misdeed was done. */
  readonly counts = Object.fromEntries(misdeeds.map((deed) => [deed, 0])) as Record<Misdeed, number>;
  #prng: Prng;
  /** What is done now is the attacker's own, not the mind's wish. */
  #isActing = false;

  constructor(world: World, seed: number) {
    this.#world = world;
    this.#prng = prngFrom(seed, 0xbad);
  }

  infect(id: CellId, deeds: ReadonlySet<Misdeed>): void {
    const cell = this.#world.cells.get(id);
    if (cell === undefined || cell.infection !== null) return;
    this.#deeds.set(id, deeds);
    const infection: Infection = { twist: (of, effects) => this.#twist(of, deeds, effects) };
    this.#world.infect(cell, infection);
  }

  /** Infected cells that run. */
  living(): CellId[] {
    return [...this.#deeds.keys()].filter((id) => this.#world.cells.get(id)?.runs === true);
  }

  isSybil(id: CellId): boolean {
    return this.#deeds.get(id)?.has("sybil") === true;
  }

  /** Has each of them do some of what it does. */
  act(): void {
    for (const id of this.living()) {
      if (this.#below(2) === 0) continue;
      const deeds = [...(this.#deeds.get(id) ?? [])];
      const deed = deeds[this.#below(deeds.length)];
      if (deed === undefined) continue;
      this.counts[deed] += 1;
      this.#isActing = true;
      this.#world.possess(id, (state) => (deed === "sybil" ? this.#multiply(state) : [state, this.#do(deed, state)]));
      this.#isActing = false;
    }
  }

  #do(deed: Misdeed, state: State): Effect[] {
    switch (deed) {
      case "accuse":
        return this.#sayToAll(state, { type: "votes", votes: this.#accusations(state) });
      case "forge-votes":
        return this.#sayToAll(state, ...this.#forgeries(state));
      case "thin-certificates":
        return this.#sayToAll(state, { type: "records", records: this.#sentences(state) });
      case "obituaries":
        return this.#sayToAll(state, { type: "records", records: this.#obituaries(state) });
      case "ghosts":
        return this.#sayToAll(state, { type: "records", records: this.#ghosts(state) });
      case "equivocate":
        return this.#equivocate(state);
      case "lie-about-load":
        // That a T cell is near, too: whoever is believed gets the marks, and keeps them.
        return this.#sayToAll(state, { type: "tally", tally: this.#lie(), digest: this.#below(2 ** 31), toTCell: 0 });
      case "flood-hormones":
        return this.#flood(state);
      case "breed":
        return this.#sayToAll(state, ...Array.from({ length: 5 }, () => ({ type: "hand-down", hops: 1 }) as const));
      case "rumours":
        return this.#sayToAll(state, ...this.#rumours(state));
      case "poison-app":
        return this.#sayToAll(state, { type: "records", records: [this.#poison(state)] });
      case "make-up-dna":
        return this.#sayToAll(state, { type: "records", records: [this.#madeUpDna(state)] });
      case "sybil":
      case "censor":
      case "stay":
      case "play-dead":
        return [];
    }
  }

  /** What its mind wishes, less what does not suit it. */
  #twist(cell: SimCell, deeds: ReadonlySet<Misdeed>, effects: readonly Effect[]): readonly Effect[] {
    if (this.#isActing) return effects;
    let twisted = effects;
    if (deeds.has("censor")) twisted = twisted.filter((effect) => !isCensored(effect));
    const staysOn = deeds.has("stay") || deeds.has("play-dead");
    if (!staysOn || !twisted.some((effect) => effect.type === "exit") || cell.state === null) return twisted;
    const { state } = cell;
    this.counts[deeds.has("stay") ? "stay" : "play-dead"] += 1;
    cell.state = { ...state, phase: "living", stop: null };
    const isFarewell = (effect: Effect): boolean => effect.type === "sign" && effect.body.kind === "death";
    const kept = twisted.filter((effect) => effect.type !== "exit" && !isFarewell(effect));
    const { pid, startTicks } = cell;
    const farewell = this.#record(state, { kind: "death", id: cell.id, pid, startTicks, cause: "stopped" }, 0);
    return deeds.has("play-dead")
      ? [...kept, ...this.#sayToAll(state, { type: "records", records: [farewell] })]
      : kept;
  }

  #accusations(state: State): Vote[] {
    const votes: Vote[] = [];
    for (let i = 0; i < 3; i += 1) {
      const charge = this.#charge(state, i === 0 ? this.#commonVictim(state) : this.#someone(state));
      if (charge !== null) votes.push(this.#world.signVote(this.#cell(state.self), charge));
    }
    return votes;
  }

  #forgeries(state: State): KinMessage[] {
    const charge = this.#charge(state, this.#commonVictim(state));
    if (charge === null) return [];
    const own = this.#world.signVote(this.#cell(state.self), charge).signature;
    // Its own signature under other names: it holds no other key.
    const votes = [...state.alive.keys()].map((voter) => ({ charge, voter, signature: own }));
    const body: RecordBody = { kind: "certificate", id: charge.target, charge, votes };
    return [
      { type: "votes", votes },
      { type: "records", records: [this.#record(state, body, this.#below(5))] },
    ];
  }

  /** All that are infected sign, and no more: one sentence a window against the same victim. */
  #sentences(state: State): OrganismRecord[] {
    const charge = this.#charge(state, this.#commonVictim(state), 0);
    if (charge === null) return [];
    const votes = this.living()
      .filter((id) => id !== charge.target)
      .map((voter) => ({ voter, signature: this.#world.signVote(this.#cell(voter), charge).signature }));
    const body: RecordBody = { kind: "certificate", id: charge.target, charge, votes };
    return [this.#record(state, body, this.#below(1_000))];
  }

  #obituaries(state: State): OrganismRecord[] {
    const victim = state.alive.get(this.#someone(state));
    if (victim === undefined) return [];
    const { id, pid, startTicks } = victim;
    const nobody = this.#below(2) === 0 ? pid + 1_000_000 : pid;
    return [this.#record(state, { kind: "death", id, pid: nobody, startTicks, cause: "crashed" }, 0)];
  }

  #ghosts(state: State): OrganismRecord[] {
    const own = state.alive.get(state.self);
    const victim = state.alive.get(this.#someone(state));
    if (own === undefined || victim === undefined) return [];
    const id = `ghost${this.#below(1_000_000)}`;
    const processes = [victim, own, { pid: 4_000_000, startTicks: own.startTicks }];
    const { pid, startTicks } = processes[this.#below(3)] ?? own;
    const facts: CellBody = {
      ...own,
      id,
      mother: own.id,
      lineage: [...own.lineage, own.id].slice(-lineageMax),
      generation: own.generation + 1,
      birthOrder: own.birthOrder + 1 + this.#below(3),
      publicKey: this.#world.keyring.makeKey(id, this.#below(2 ** 31)),
      pid,
      startTicks,
      certificate: "",
      class: cellClasses[this.#below(cellClasses.length)] ?? "stem",
      state: "gestating",
    };
    const birth = this.#record(state, facts, 0);
    // The ghost's key is its maker's too: it lives, as far as words go.
    const ghost = { ...this.#cell(state.self), id, publicKey: facts.publicKey };
    const body = { ...(birth.body as CellBody), state: "live" } as const;
    const life = this.#world.sign(ghost, { key: keyOf(body), version: 1, origin: id, body });
    return [birth, life];
  }

  #equivocate(state: State): Effect[] {
    const own = state.alive.get(state.self);
    if (own === undefined) return [];
    const version = (state.records.get(keyOf(own))?.version ?? 0) + 1 + this.#below(3);
    return [...state.kin].map((to) => {
      const cellClass = cellClasses[this.#below(cellClasses.length)] ?? "drone";
      const stages = ["live", "draining", "gestating"] as const;
      const body = { ...own, class: cellClass, state: stages[this.#below(3)] ?? "live" };
      return { type: "send", to, message: { type: "records", records: [this.#record(state, body, version)] } };
    });
  }

  #lie(): typeof emptyTally {
    const high = this.#below(2) === 0;
    const claim = {
      cells: 1_000,
      loadMilli: 2_000_000,
      inFlight: 9_999,
      queued: 9_999,
      queueMs: 60_000,
      came: 1_000_000,
      done: 0,
      quietMs: 0,
      unready: 1_000,
      memoryMilli: 1_000,
      throttledMilli: 1_000,
      marks: 9_999,
    };
    // That all is well, all are ready, and nobody was ever asked anything.
    const lie = high ? claim : { ...emptyTally.drone, cells: 50 };
    return Object.fromEntries(cellClasses.map((c) => [c, lie])) as unknown as typeof emptyTally;
  }

  #flood(state: State): Effect[] {
    const cellClass = specializedClasses[this.#below(specializedClasses.length)] ?? "drone";
    const strength = Math.floor((pulseStrengthMax * state.dna.attenuationMilli) / 1000);
    return Array.from({ length: floodPulses }, () => {
      const pulse = {
        id: `${state.self}.${this.#below(2 ** 31)}`,
        origin: state.self,
        class: cellClass,
        strength,
        wanted: 10_000,
        unanswered: 1_000,
        hops: 1,
      };
      return this.#sayToAll(state, { type: "pulse", pulse });
    }).flat();
  }

  #rumours(state: State): KinMessage[] {
    const names = [...state.alive.keys()];
    const victim = this.#commonVictim(state);
    return names.flatMap((by) => [
      { type: "suspect", id: victim, by } as const,
      { type: "suspect", id: this.#someone(state), by } as const,
    ]);
  }

  #poison(state: State): OrganismRecord {
    const held = state.records.get("app")?.version ?? 0;
    const version = this.#below(2) === 0 ? held + 1 : 2 ** 40;
    const body: RecordBody = {
      kind: "app",
      state: "failed",
      attempts: 31,
      code: "CELLWS_E_APP_LOAD",
      message: "a lie",
      stack: "",
      files: [],
    };
    return this.#record(state, body, version);
  }

  #madeUpDna(state: State): OrganismRecord {
    const version = (state.records.get("dna")?.version ?? -1) + 1 + this.#below(3);
    return this.#record(state, { kind: "dna", revision: `made up ${this.#below(3)}` }, version);
  }

  #multiply(state: State): readonly [State, readonly Effect[]] {
    if (state.phase !== "living" || state.gestations.size >= gestationsMax) return [state, []];
    const [next, effects] = divide(state, state.class, this.#world.nowMs);
    for (const effect of effects)
      if (effect.type === "divide") this.#world.whenBorn(effect.id, () => this.#inherit(effect.id));
    return [next, effects];
  }

  #inherit(id: CellId): void {
    this.infect(id, new Set(["accuse", "thin-certificates", "censor", "stay"]));
  }

  #charge(state: State, target: CellId, round = this.#below(3)): Charge | null {
    const cell = state.alive.get(target);
    if (cell === undefined) return null;
    const reason = round === 0 ? "hung" : (killReasons[this.#below(killReasons.length)] ?? "hung");
    return { target, pid: cell.pid, startTicks: cell.startTicks, reason, window: windowOf(this.#world.nowMs), round };
  }

  /** Whom all of them are after in this window. */
  #commonVictim(state: State): CellId {
    const window = windowOf(this.#world.nowMs);
    const healthy = [...state.alive.keys()].filter((id) => this.#world.cells.get(id)?.infection === null);
    const weight = (id: CellId): number => hash32(`victim/${window}/${id}`);
    return healthy.reduce((best, id) => (weight(id) < weight(best) ? id : best), healthy[0] ?? "");
  }

  #someone(state: State): CellId {
    const ids = [...state.alive.keys()].filter((id) => id !== state.self);
    return ids[this.#below(Math.max(1, ids.length))] ?? "";
  }

  #record(state: State, body: RecordBody, version: number): OrganismRecord {
    return this.#world.sign(this.#cell(state.self), { key: keyOf(body), version, origin: state.self, body });
  }

  #cell(id: CellId): SimCell {
    return this.#world.cells.get(id) as SimCell;
  }

  #sayToAll(state: State, ...messages: readonly KinMessage[]): Effect[] {
    return [...state.kin].flatMap((to) => messages.map((message): Effect => ({ type: "send", to, message })));
  }

  #below(bound: number): number {
    const [value, next] = prngBelow(this.#prng, bound);
    this.#prng = next;
    return value;
  }
}

/** Pulses at a time, each twice a second: forty times what an honest neuron sends. */
const floodPulses = 5;

function isCensored(effect: Effect): boolean {
  if (effect.type === "sign-vote") return true;
  return effect.type === "send" && ["votes", "records", "suspect"].includes(effect.message.type);
}
