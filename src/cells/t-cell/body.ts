/**
 * A T cell: it takes what the others have seen, keeps the accumulated statistics, passes sentences, remembers them, and
 * makes them known.
 *
 * In this order, for each batch of testimony: the ledger counts, the sentencer decides, the memory keeps (one transaction
 * for the sentences, what happened, and the reports), and then the mind publishes. What was announced was remembered before.
 *
 * Several T cells share one memory. Each writes its own sentences and its own shares of the statistics there, reads the others'
 * once a second, and decides by all of it. One of them is the keeper: it delivers reports, forgets, and keeps the kernel's set.
 * Where there is no memory to be had, sentences are passed all the same, and it is told.
 */
import crypto from "node:crypto";
import path from "node:path";
import type { BanBody } from "../../core/record.ts";
import type { Body, BodyContext } from "../../host/body.ts";
import { machineNowMs } from "../../host/clock.ts";
import { Chronicle, entryOf, minuteMs, type ChronicleEntry, type SeenCount } from "../../host/immune/chronicle.ts";
import { loadDnaFunctions } from "../../host/immune/dna-functions.ts";
import { banPolicyOf } from "../../host/immune/ban-policy.ts";
import { InfectionBook } from "../../host/immune/infections.ts";
import { KernelSet } from "../../host/immune/kernel-set.ts";
import { openMemory, type Memory } from "../../host/immune/memory.ts";
import { ownAddresses } from "../../host/immune/own-addresses.ts";
import { Reactions } from "../../host/immune/reactions.ts";
import type { ReportChannel } from "../../host/immune/report/channel.ts";
import { Outbox, type Reported } from "../../host/immune/report/outbox.ts";
import { ensureStateDir, stateDir } from "../../host/immune/state-dir.ts";
import { sharedKey } from "../../host/shared-key.ts";
import type { ImmuneReaction } from "../../dna/functions.ts";
import { Sentencer, type Decision, type Moment } from "../../immune/bans/sentencing.ts";
import { Ledger } from "../../immune/ledger/ledger.ts";
import { IncidentBook, type Incident } from "../../immune/report/incident.ts";
import { infectionId, type InfectionWord } from "../../immune/report/infection.ts";
import { CellwsError } from "../../lib/cellws-error.ts";
import { prngFrom } from "../../lib/prng.ts";
import type { CellTrouble } from "../../wire/control.ts";
import type { Testified } from "../../wire/testimony.ts";

/** How often statistics are kept and read, reports looked at, and what is over is swept. */
const roundMs = 1_000;
/** Of its own statistics, kept in a round; the rest in the next. */
const sharesPerRound = 1_000;
/** Rows read in a turn of the event loop. */
const rowsPerTurn = 1_000;
/** More sentences at once are not told one by one: all cells are told to look into the memory. */
const pronouncedAtOnceMax = 50;
/** Sentences that could not be written because another was writing: tried again in each round, so often, then announced. */
const writeTriesMax = 3;
const unwrittenMax = 10_000;
/** Kinds of attack and rules that fired, counted until the next round. */
const countsMax = 2_000;
const forgetEveryMs = 60_000;
/** Words of infections that wait for the disk: each infection comes to one or two for each cell. */
const wordsMax = 512;
/** Infections that are told of in the log once. */
const toldMax = 1_000;
const clientsLoggedMax = 8;

export async function makeTCell(context: BodyContext): Promise<Body> {
  const reactions = await loadDnaFunctions<ImmuneReaction>("immune.reactions", context.dna.immune.reactions);
  const { log } = context;
  const channels = await openChannels(context);
  const cell = new TCell(
    context,
    channels,
    new Reactions(reactions, {
      failed: (name, incident, reason) =>
        log.warn("reaction-failed", { reaction: name, incident, reason }, `the reaction ${name} failed: ${reason}`),
      lost: (incident) => log.warn("reaction-lost", { incident }, "too many incidents wait for the reactions"),
    }),
  );
  await cell.learn();
  cell.begin();
  return cell;
}

type NotKept = "busy" | "full" | "failed" | "none";

const unremembered: Readonly<Record<Exclude<NotKept, "none">, string>> = {
  busy: "the memory of bans was held by another process for too long",
  full: "the memory of bans is full (immune.bans.memoryBytesMax)",
  failed: "the memory of bans could not be written",
};

interface Unwritten {
  readonly decisions: readonly Decision[];
  readonly entries: readonly ChronicleEntry[];
  tries: number;
}

class TCell implements Body {
  readonly #context: BodyContext;
  readonly #ledger: Ledger;
  readonly #sentencer: Sentencer;
  readonly #book = new IncidentBook();
  readonly #reactions: Reactions;
  readonly #memory: Memory | null;
  readonly #chronicle: Chronicle | null;
  readonly #infections: InfectionBook | null;
  /** Words that could not be written yet. */
  #unwrittenWords: InfectionWord[] = [];
  /** Infections that we have told of: the last few. */
  readonly #toldInfections = new Set<string>();
  readonly #outbox: Outbox | null;
  readonly #kernel: KernelSet | null;
  #trouble: CellTrouble | null = null;
  #timer: NodeJS.Timeout | null = null;
  #unwritten: Unwritten[] = [];
  readonly #counts = new Map<string, { kind: SeenCount["kind"]; name: string; count: number }>();
  #keptVersion = 0;
  #sharesSeq = 0;
  #bansSeq = 0;
  #isReading = false;
  #forgotMs = -Infinity;
  #isClosed = false;

  constructor(context: BodyContext, channels: Channels, reactions: Reactions) {
    this.#context = context;
    this.#trouble = channels.trouble;
    this.#reactions = reactions;
    const { id, dna, name, run, log, counters } = context;
    const dir = stateDir(name);
    this.#memory = this.#openMemory();
    // Of the state directory, where there is one: statistics that outlive the organism are salted as before.
    const saltFile = this.#memory === null ? run.affinityKeyFile : path.join(dir.path, "salt");
    this.#ledger = new Ledger({ owner: id, salt: sharedKey(saltFile).toString("hex") });
    const policy = banPolicyOf(dna, ownAddresses());
    const seed = crypto.getRandomValues(new Uint32Array(2));
    this.#sentencer = new Sentencer(
      { ...policy, dryRun: policy.dryRun || dna.immune.mode === "detect" },
      prngFrom(seed[0]!, seed[1]),
    );
    this.#chronicle = this.#memory === null ? null : new Chronicle(this.#memory);
    this.#infections = this.#memory === null ? null : new InfectionBook(this.#memory);
    const { mode } = dna.immune.report;
    this.#outbox =
      this.#memory === null || channels.list.length === 0
        ? null
        : new Outbox({
            memory: this.#memory,
            channels: channels.list,
            dryRun: mode === "dry-run" || dna.immune.dryRun,
          });
    const ports = [...new Set(context.addresses.map(({ port }) => port))];
    this.#kernel = dna.immune.bans.nftables ? new KernelSet(name, ports) : null;
    counters.gauge("cellws_immune_ranges", {}, () => this.#ledger.size);
    log.debug("ledger-ready", { remembers: this.#memory !== null }, "keeps the ledger of attackers");
  }

  /** All that is remembered: bans and offences, and the statistics of those who died. */
  async learn(): Promise<void> {
    const memory = this.#memory;
    if (memory === null) return;
    const moment = momentNow();
    this.#learn(this.#context.bans(), moment);
    for (let more = true; more;) {
      const { seq, bans } = memory.bansSince(this.#bansSeq, rowsPerTurn);
      this.#learn(bans, moment);
      this.#bansSeq = seq;
      more = bans.length === rowsPerTurn;
      if (more) await nextTurn();
    }
    this.#readShares();
  }

  begin(): void {
    this.#timer = setInterval(() => this.#round(), roundMs);
    this.#context.onTestimony((testified) => this.#take(testified));
  }

  inFlight(): number {
    return 0;
  }

  /** Others have passed sentences: theirs count as ours. */
  enforce(bans: readonly BanBody[]): void {
    this.#learn(bans, momentNow());
  }

  recall(): void {
    this.#readBans();
  }

  troubles(): CellTrouble[] {
    const nft = this.#kernel?.trouble ?? null;
    const ofKernel = nft === null ? [] : [{ code: "CELLWS_W_NFTABLES", message: `the kernel takes no bans: ${nft}` }];
    return [...(this.#trouble === null ? [] : [this.#trouble]), ...ofKernel];
  }

  async drain(_drainMs: number, alone: boolean): Promise<void> {
    this.release();
    if (!alone) await this.#kernel?.clear();
  }

  /** Keeps what it knows, for its heirs. */
  release(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#writeAll();
    this.#memory?.close();
  }

  #openMemory(): Memory | null {
    const { id, name, dna, log } = this.#context;
    const dir = stateDir(name);
    try {
      ensureStateDir(dir);
      const { memory, notices } = openMemory({
        file: dir.memoryFile,
        holder: id,
        bytesMax: dna.immune.bans.memoryBytesMax,
      });
      for (const { code, message } of notices) {
        log.warn("memory", { code }, message);
        this.#trouble = { code, message };
      }
      return memory;
    } catch (error) {
      if (!(error instanceof CellwsError)) throw error;
      const { code, message } = error;
      this.#trouble = { code, message };
      log.error("memory-failed", { code, reason: message }, `bans are not remembered: ${message}`);
      return null;
    }
  }

  #take({ marks, sightings, infections = [] }: Testified): void {
    if (this.#isClosed) return;
    if (infections.length > 0) this.#takeInfections(infections);
    const clients = new Set<string>();
    for (const mark of marks) {
      // One that was told twice, or of no address.
      if (this.#ledger.observeMark(mark).length === 0) continue;
      this.#book.note(mark);
      this.#count("class", mark.attackClass, 1);
      for (const rule of mark.rules) this.#count("rule", String(rule), 1);
      clients.add(mark.client);
    }
    for (const sighting of sightings) {
      if (this.#ledger.observe(sighting).length === 0) continue;
      clients.add(sighting.client);
      const seen = seenAs[sighting.kind];
      if (seen !== null && (sighting.kind !== "login" || sighting.failed))
        this.#count("class", seen, sighting.kind === "clean" ? sighting.count : 1);
    }
    const moment = momentNow();
    const decisions = [...clients].flatMap((client) => this.#sentencer.consider(this.#ledger, client, moment));
    if (decisions.length > 0) this.#decide(decisions, moment);
  }

  /** Nothing is decided here: the cells have voted, or will. It is written down, for people. */
  #takeInfections(words: readonly InfectionWord[]): void {
    for (const word of words) this.#tellInfection(word);
    if (this.#infections === null) return;
    this.#unwrittenWords = [...this.#unwrittenWords, ...words].slice(0, wordsMax);
    this.#writeWords();
  }

  #tellInfection(word: InfectionWord): void {
    const { drone, stage, check, found, votes, requests } = word;
    const incident = infectionId(word);
    // Every cell says so; a line each for what was seen first, and for the sentence.
    const key = `${incident} ${stage}`;
    if (this.#toldInfections.has(key)) return;
    if (this.#toldInfections.size >= toldMax) this.#toldInfections.clear();
    this.#toldInfections.add(key);
    const clients = [...new Set(requests.map(({ client }) => client))].slice(0, clientsLoggedMax);
    const text = stage === "seen" ? `drone ${drone} is infected: ${found}` : `drone ${drone} was voted out as infected`;
    this.#context.log.warn("infection", { incident, drone, stage, check, found, votes, clients }, text);
  }

  #writeWords(): void {
    const [memory, book] = [this.#memory, this.#infections];
    if (memory === null || book === null || this.#unwrittenWords.length === 0) return;
    const { nowMs, wallMs } = momentNow();
    const toTime = (atMs: number): string => new Date(atMs + wallMs - nowMs).toISOString();
    try {
      const outcome = memory.write(() => book.note(this.#unwrittenWords, toTime));
      // Another writes just now: in the next round.
      if (outcome === "busy") return;
      if (outcome === "full") this.#tellFailure("remember", new Error(unremembered.full));
    } catch (error) {
      this.#tellFailure("remember", error);
    }
    this.#unwrittenWords = [];
  }

  /** For the keeper. */
  #reportInfections(): void {
    const [book, outbox] = [this.#infections, this.#outbox];
    if (this.#memory === null || book === null || outbox === null) return;
    this.#memory.keep(() => {
      for (const infection of book.takeDue()) outbox.insertInfection(infection);
    });
  }

  #decide(decisions: readonly Decision[], { nowMs, wallMs }: Moment): void {
    const { log } = this.#context;
    const toTime = (ms: number): string => new Date(ms).toISOString();
    const entries = decisions.map((decision) => {
      const { body } = decision;
      const known = this.#book.incidentOf(body, wallMs - nowMs, toTime) ?? ofBehaviour(decision, toTime(wallMs));
      // Of the marks that other T cells were told only their number is known here.
      const requests = Math.max(known.requests, Math.round(decision.judgement.standing.bad));
      return entryOf({ ...known, requests }, body, decision.kind === "sentence" ? "sentenced" : decision.why);
    });
    for (const { range, action, attackClass, outcome, offence, untilMs } of entries) {
      const fields = { range, action, attackClass, outcome, offence, until: toTime(untilMs) };
      if (outcome === "sentenced") log.warn("sentence", fields, `${action} for ${range}: ${attackClass}`);
      else log.warn("sentence-withheld", fields, `no ${action} for ${range} (${attackClass}): ${outcome}`);
    }
    this.#write({ decisions, entries, tries: 0 });
  }

  /** Remembers first, and announces then. */
  #write(work: Unwritten): void {
    const sentences = work.decisions.flatMap(({ kind, body }) => (kind === "sentence" ? [body] : []));
    const outcome = this.#remember(sentences, work.entries);
    if (outcome === "busy" && work.tries < writeTriesMax && this.#unwritten.length < unwrittenMax && !this.#isClosed) {
      this.#unwritten.push({ ...work, tries: work.tries + 1 });
      return;
    }
    const isKept = typeof outcome !== "string";
    if (!isKept) this.#tellUnremembered(outcome, sentences.length);
    // Two T cells that decide at once have decided the same: who wrote it first tells of it.
    for (const entry of isKept ? outcome : work.entries) this.#reactions.tell(entry);
    const { dispatch } = this.#context;
    if (sentences.length === 0) return;
    if (sentences.length <= pronouncedAtOnceMax || this.#memory === null || !isKept)
      dispatch({ type: "sentenced", bans: sentences });
    else dispatch({ type: "memory-changed", seq: this.#memory.seq });
  }

  /** Returns what nobody had written before. */
  #remember(sentences: readonly BanBody[], entries: readonly ChronicleEntry[]): readonly ChronicleEntry[] | NotKept {
    const [memory, chronicle] = [this.#memory, this.#chronicle];
    if (memory === null || chronicle === null) return "none";
    try {
      return memory.write(() => {
        memory.insert(sentences);
        const fresh = entries.filter((entry) => chronicle.insert(entry));
        // Reports are of attackers that were refused, not of those that are watched or limited.
        for (const entry of fresh)
          if (entry.action === "ban" && entry.outcome === "sentenced") this.#outbox?.insert(this.#signed(entry));
        return fresh;
      });
    } catch (error) {
      // A disk that fails, say: whoever is under attack is protected all the same.
      this.#tellFailure("remember", error);
      return "failed";
    }
  }

  /** With who reports, so that what is sent can be shown from the memory alone. */
  #signed(entry: ChronicleEntry): Reported {
    const { reporter } = this.#context.dna.immune.report;
    return reporter === null ? entry : { ...entry, reporter };
  }

  #tellUnremembered(why: NotKept, sentences: number): void {
    // Without any memory that was told when it was opened.
    if (why === "none" || sentences === 0) return;
    const message = unremembered[why];
    this.#trouble = { code: "CELLWS_W_MEMORY_NOT_WRITTEN", message };
    this.#context.log.error("sentence-unremembered", { why, sentences }, `${message}; bans are announced all the same`);
  }

  /** Once a second. */
  #round(): void {
    for (const work of this.#unwritten.splice(0)) this.#write(work);
    this.#writeWords();
    this.#keepStatistics();
    this.#readBans();
    for (const range of this.#readShares()) this.#reconsider(range);
    const { nowMs, wallMs } = momentNow();
    this.#sentencer.sweep(nowMs);
    if (this.#memory === null || !this.#memory.takeLease()) return this.#kernel?.yield();
    this.#reportInfections();
    void this.#outbox?.deliver().catch((error: unknown) => this.#tellFailure("deliver", error));
    this.#kernel?.show(this.#memory, wallMs);
    if (nowMs - this.#forgotMs < forgetEveryMs) return;
    this.#forgotMs = nowMs;
    this.#ledger.sweep(nowMs);
    this.#memory.forgetShares();
    this.#memory.keep(() => {
      this.#chronicle?.forget(wallMs);
      this.#infections?.forget();
    });
  }

  /** What another T cell has counted may make ours too much. */
  #reconsider(range: string): void {
    const moment = momentNow();
    const decisions = this.#sentencer.consider(this.#ledger, range.split("/")[0]!, moment);
    if (decisions.length > 0) this.#decide(decisions, moment);
  }

  #writeAll(): void {
    for (const work of this.#unwritten.splice(0)) this.#write(work);
    this.#writeWords();
    this.#keepStatistics();
  }

  #keepStatistics(): void {
    const memory = this.#memory;
    if (memory === null) return;
    const counts = this.#takeCounts();
    if (counts.length > 0) memory.write(() => this.#chronicle?.count(counts));
    // Of ranges that nobody knows any evil of nothing is kept: they would be most of it, and are soon seen again.
    const { nowMs } = momentNow();
    const isOfInterest = (range: string): boolean => (this.#ledger.standing(range, nowMs)?.bad ?? 0) >= sharedBadMin;
    const changed = this.#ledger.delta(this.#keptVersion).filter(({ range }) => isOfInterest(range));
    const shares = changed.toSorted((a, b) => a.version - b.version).slice(0, sharesPerRound);
    if (shares.length === 0) return;
    if (typeof memory.keepShares(shares) === "number") this.#keptVersion = shares.at(-1)!.version;
  }

  /** Returns the sources that others know more of. */
  #readShares(): string[] {
    if (this.#memory === null) return [];
    const { seq, shares } = this.#memory.sharesSince(this.#sharesSeq, rowsPerTurn);
    this.#sharesSeq = seq;
    return this.#ledger.merge(shares);
  }

  #readBans(): void {
    if (this.#memory === null || this.#isReading || this.#isClosed) return;
    const moment = momentNow();
    const { seq, bans } = this.#memory.bansSince(this.#bansSeq, rowsPerTurn);
    this.#bansSeq = seq;
    this.#learn(bans, moment);
    if (bans.length < rowsPerTurn) return;
    this.#isReading = true;
    setImmediate(() => {
      this.#isReading = false;
      this.#readBans();
    });
  }

  #learn(bans: readonly BanBody[], moment: Moment): void {
    for (const ban of bans) {
      this.#sentencer.learn(ban, moment);
      if (ban.action === "lifted") this.#ledger.absolve(ban.range, moment.nowMs - (moment.wallMs - ban.issuedAtMs));
    }
  }

  #count(kind: SeenCount["kind"], name: string, by: number): void {
    const key = `${kind} ${name}`;
    const known = this.#counts.get(key);
    if (known !== undefined) known.count += by;
    else if (this.#counts.size < countsMax) this.#counts.set(key, { kind, name, count: by });
  }

  #takeCounts(): SeenCount[] {
    const minute = Math.floor(Date.now() / minuteMs);
    const counts = [...this.#counts.values()].map((count) => ({ ...count, minute }));
    this.#counts.clear();
    return counts;
  }

  #tellFailure(what: string, error: unknown): void {
    const reason = error instanceof Error ? error.message : String(error);
    this.#context.log.error(`${what}-failed`, { reason }, `could not ${what}: ${reason}`);
  }
}

interface Channels {
  readonly list: readonly ReportChannel[];
  readonly trouble: CellTrouble | null;
}

/** The code of channels (a mail library among it) is loaded only where reports are made. */
async function openChannels({ dna, log }: BodyContext): Promise<Channels> {
  if (dna.immune.report.mode === "off") return { list: [], trouble: null };
  const { reportChannelsOf } = await import("../../host/immune/report-channels.ts");
  try {
    return { list: reportChannelsOf(dna), trouble: null };
  } catch (error) {
    if (!(error instanceof CellwsError)) throw error;
    const { code, message } = error;
    log.error("reports-failed", { code, reason: message }, `no reports are made: ${message}`);
    return { list: [], trouble: { code, message } };
  }
}

/** Bad requests of a range, over all T cells: with fewer its statistics are not told. */
const sharedBadMin = 0.5;

/** As which kind a sighting is counted in the chronicle. */
const seenAs = {
  clean: "clean",
  missing: "probing",
  login: "credentials",
  slow: "slow",
  "protocol-error": "protocol-error",
} as const;

/** Of behaviour alone there is no mark to tell of. */
function ofBehaviour({ body, judgement: { standing, attackClass } }: Decision, time: string): Incident {
  return {
    id: body.incident,
    range: body.range,
    source: body.range.split("/")[0]!,
    sources: Math.max(1, Math.round(standing.children)),
    attackClass,
    requests: Math.round(standing.bad),
    firstSeen: time,
    lastSeen: time,
    rules: [],
    evidence: [],
  };
}

function momentNow(): Moment {
  return { nowMs: machineNowMs(), wallMs: Date.now() };
}

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
