/**
 * What a cell has seen of attackers and others, and has not told yet: marks and sightings between the request that they speak
 * of and their way to a T cell, and words of infected drones. Its own, and what its kin have handed it to pass on.
 *
 * Rooms of their own, because marks are worth more: a flood of harmless requests must not push the evidence out. Each is bounded, and
 * each loss is counted. Of marks and offences the newest are lost, for the oldest have waited longest. Of clean requests the
 * oldest are, for they only serve to judge what is going on now; they are summed up by client, since it is their number
 * that counts.
 *
 * Nothing here takes longer when there is more of it: `mark` and `sight` are called within requests.
 */
import { markLimits, type Mark, type Sighting, type Witness } from "../../immune/ledger/mark.ts";
import { infectionLimits, type InfectionWord } from "../../immune/report/infection.ts";
import { infectionsMax, testimonyBatchMax, type Testified } from "../../wire/testimony.ts";

export const testimonyLimits = {
  /** A second of a strong attack on one cell: a ban is due after some dozens. */
  marksMax: 2_048,
  offencesMax: 2_048,
  /** Clients between two deliveries, which are a fraction of a second apart. */
  clientsMax: 4_096,
  /** So many offences (a missing path, a failed login) are evidence as a mark is: a few of them everybody commits. */
  offencesPerMark: 10,
} as const;

type Clean = Sighting & { kind: "clean" };
type Offence = Exclude<Sighting, Clean>;

export class Testimony implements Witness {
  #marks: Mark[] = [];
  #offences: Offence[] = [];
  #infections: InfectionWord[] = [];
  /** By client and print; the longest ago first. */
  #clean = new Map<string, Clean>();
  #hops = 0;
  /** Since this cell was born. */
  readonly lost = { marks: 0, sightings: 0, infections: 0 };
  /** Own ones since the last look. */
  #made = { marks: 0, offences: 0, infections: 0 };
  /** Called when there is something to tell; `urgent`: of an attacker. */
  onNews: (urgent: boolean) => void = () => undefined;

  mark(mark: Mark): void {
    this.#made.marks += 1;
    this.#keepMark(withinLimits(mark));
  }

  sight(sighting: Sighting): void {
    if (sighting.kind !== "clean" && isOffence(sighting)) this.#made.offences += 1;
    this.#keepSighting(sighting);
  }

  /** Of a drone, by a look of this cell's own or by a sentence that holds for it. */
  infection(word: InfectionWord): void {
    this.#made.infections += 1;
    this.#keepInfection(cutToLimits(word));
  }

  /** What kin have handed over to be passed on. */
  passOn({ marks, sightings, infections = [], hops }: Testified): void {
    this.#hops = Math.max(this.#hops, hops);
    for (const word of infections) this.#keepInfection(word);
    for (const mark of marks) this.#keepMark(mark);
    for (const sighting of sightings) this.#keepSighting(sighting);
  }

  /** How many hops the farthest-travelled of what is here has made. */
  get hops(): number {
    return this.#hops;
  }

  get isEmpty(): boolean {
    const evidence = this.#marks.length + this.#offences.length + this.#infections.length;
    return evidence === 0 && this.#clean.size === 0;
  }

  /** For the mind: evidence that was found here since it last asked, or that waits here. */
  takeEvidence(): number {
    const { marks, offences, infections } = this.#made;
    this.#made = { marks: 0, offences: 0, infections: 0 };
    const ofOffences = Math.max(offences, this.#offences.length) / testimonyLimits.offencesPerMark;
    const ofInfections = Math.max(infections, this.#infections.length);
    return Math.max(marks, this.#marks.length) + ofInfections + Math.floor(ofOffences);
  }

  /** All that there is, a hop farther. Begins anew. */
  take(): Testified {
    const testified: Testified = {
      type: "testimony",
      marks: this.#marks,
      sightings: [...this.#offences, ...this.#clean.values()],
      ...(this.#infections.length === 0 ? {} : { infections: this.#infections }),
      hops: this.#hops + 1,
    };
    this.#marks = [];
    this.#infections = [];
    this.#offences = [];
    this.#clean = new Map();
    this.#hops = 0;
    return testified;
  }

  /** What is here goes nowhere any more. */
  drop(): void {
    const { marks, sightings, infections = [] } = this.take();
    this.lost.infections += infections.length;
    this.lost.marks += marks.length;
    this.lost.sightings += sightings.length;
  }

  #keepMark(mark: Mark): void {
    if (this.#marks.length >= testimonyLimits.marksMax) {
      this.lost.marks += 1;
      return;
    }
    this.#marks.push(mark);
    this.onNews(true);
  }

  #keepInfection(word: InfectionWord): void {
    if (this.#infections.length >= infectionsMax) {
      this.lost.infections += 1;
      return;
    }
    this.#infections.push(word);
    this.onNews(true);
  }

  #keepSighting(sighting: Sighting): void {
    if (sighting.kind === "clean") return this.#keepClean(sighting);
    if (this.#offences.length >= testimonyLimits.offencesMax) {
      this.lost.sightings += 1;
      return;
    }
    this.#offences.push(sighting);
    this.onNews(isOffence(sighting));
  }

  #keepClean(sighting: Clean): void {
    const key = sighting.print === undefined ? sighting.client : `${sighting.client} ${sighting.print}`;
    const before = this.#clean.get(key);
    if (before !== undefined) {
      const count = Math.min(markLimits.cleanCountMax, before.count + sighting.count);
      // One path of many stands for all: who crawls is found by the next deliveries.
      this.#clean.set(key, { ...sighting, count });
      return;
    }
    if (this.#clean.size >= testimonyLimits.clientsMax) {
      this.lost.sightings += 1;
      this.#clean.delete(this.#clean.keys().next().value!);
    }
    this.#clean.set(key, sighting);
    this.onNews(false);
  }
}

/** As a message carries it. */
export function inBatches({ marks, sightings, infections = [], hops }: Testified): Testified[] {
  const batches: Testified[] = [];
  const length = Math.max(marks.length, sightings.length, Math.min(1, infections.length));
  for (let from = 0; from < length; from += testimonyBatchMax) {
    const to = from + testimonyBatchMax;
    // There are never more than one message takes.
    const first = from === 0 && infections.length > 0 ? { infections } : {};
    batches.push({
      type: "testimony",
      marks: marks.slice(from, to),
      sightings: sightings.slice(from, to),
      ...first,
      hops,
    });
  }
  return batches;
}

function isOffence(sighting: Offence): boolean {
  return sighting.kind !== "login" || sighting.failed;
}

function cutToLimits(word: InfectionWord): InfectionWord {
  const { checkLengthMax, foundLengthMax, requestsMax, requestIdLengthMax, methodLengthMax, pathLengthMax } =
    infectionLimits;
  return {
    ...word,
    check: word.check?.slice(0, checkLengthMax) ?? null,
    found: word.found?.slice(0, foundLengthMax) ?? null,
    requests: word.requests.slice(0, requestsMax).map((request) => ({
      ...request,
      requestId: request.requestId.slice(-requestIdLengthMax),
      client: request.client.slice(0, markLimits.clientLengthMax),
      method: request.method.slice(0, methodLengthMax),
      path: request.path.slice(0, pathLengthMax),
    })),
  };
}

/** What the wire takes; a mark that is longer is cut, not lost. */
function withinLimits(mark: Mark): Mark {
  const { idLengthMax, rulesMax, scoreMax, evidenceLengthMax } = markLimits;
  const { evidence } = mark;
  return {
    ...mark,
    id: mark.id.slice(-idLengthMax),
    rules: mark.rules.slice(0, rulesMax),
    score: Math.min(scoreMax, Math.max(0, mark.score)),
    ...(evidence === undefined ? {} : { evidence: evidence.slice(0, evidenceLengthMax) }),
  };
}
