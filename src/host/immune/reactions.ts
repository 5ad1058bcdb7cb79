/**
 * The user's own reactions to incidents (`immune.reactions` in the DNA): called in the T cell that passed the sentence, one
 * incident after the other, each function in turn.
 *
 * At most once for each incident: who dies in the middle of it does not call again, for a reaction may well be a message to
 * a person. One that does not end is not waited for longer than `reactionMsMax`; the incidents that come meanwhile wait,
 * within `waitingMax`, and beyond that are lost to reactions, with a word in the log. A reaction that blocks the event loop hangs
 * its T cell, which is then voted out as any cell that hangs: nothing of what was decided is lost by that.
 */
import type { ImmuneReaction, ReactionIncident } from "../../dna/functions.ts";
import type { ChronicleEntry } from "./chronicle.ts";
import type { NamedFunction } from "./dna-functions.ts";

const reactionMsMax = 10_000;
const waitingMax = 1_000;

export interface ReactionNews {
  failed(name: string, incident: string, reason: string): void;
  lost(incident: string): void;
}

export class Reactions {
  readonly #functions: ReadonlyArray<NamedFunction<ImmuneReaction>>;
  readonly #news: ReactionNews;
  readonly #msMax: number;
  readonly #waiting: ReactionIncident[] = [];
  #isWorking = false;

  constructor(functions: ReadonlyArray<NamedFunction<ImmuneReaction>>, news: ReactionNews, msMax = reactionMsMax) {
    this.#functions = functions;
    this.#news = news;
    this.#msMax = msMax;
  }

  tell(entry: ChronicleEntry): void {
    if (this.#functions.length === 0 || entry.action === "lifted") return;
    if (this.#waiting.length >= waitingMax) return this.#news.lost(entry.id);
    const { id, range, action, outcome, attackClass, offence, requests, sources, rules, evidence } = entry;
    const until = new Date(entry.untilMs).toISOString();
    this.#waiting.push({
      id,
      range,
      action,
      outcome,
      attackClass,
      offence,
      requests,
      sources,
      until,
      rules,
      evidence,
    });
    void this.#work();
  }

  async #work(): Promise<void> {
    if (this.#isWorking) return;
    this.#isWorking = true;
    for (let incident = this.#waiting.shift(); incident !== undefined; incident = this.#waiting.shift()) {
      // Each gets its own copy: what one does to it the next does not see.
      for (const { name, call } of this.#functions) await this.#call(name, call, structuredClone(incident));
    }
    this.#isWorking = false;
  }

  async #call(name: string, call: ImmuneReaction, incident: ReactionIncident): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => reject(new Error(`it did not end within ${this.#msMax} ms`)), this.#msMax);
    });
    try {
      // Out of the decision's own turn, and whatever it throws at once is a rejection too.
      await Promise.race([Promise.resolve().then(() => call(incident)), late]);
    } catch (error) {
      this.#news.failed(name, incident.id, error instanceof Error ? error.message : String(error));
    } finally {
      clearTimeout(timer);
    }
  }
}
