/**
 * Scenarios of the mind: what a simulated organism goes through, a line each, and what has become of it.
 *
 *   seed 7                       of all randomness; 1 where it is not said
 *   dna stem=2 drone=2..8        populations; hangMs, stableMs, daughters, attenuation likewise
 *   messages 1..5                milliseconds that a message takes
 *   grow 6                       an egg, its first connection, and so many seconds
 *   let A = drone 1              names a living cell: the first of its class, the eldest first (`far 1`: of the far side)
 *   halt A | freeze A            no CPU is to be had; SIGSTOP
 *   busy A | resume A | kill A | cut A B
 *   kill all but A               and `kill all drone`
 *   retire A | stop A
 *   app failed | app ready | files-changed
 *   disturb 200 200 100          thousandths of messages lost and doubled, milliseconds late; `calm` ends it
 *   partition A B | heal         these apart from all others
 *   reuse A                      another process gets the pid of A, which has ended
 *   infect A accuse stay         with misdeeds; all that are infected do one of theirs twice a second
 *   find                         from now on the infected can be told from outside
 *   load drone 950               utilization of each cell of a class, in thousandths, until said otherwise
 *   attack A 40                  from now on A marks so many requests a second (0 ends it)
 *   quiet 60                     each B cell says that it was last asked so many seconds ago (until said otherwise: at first, never)
 *   knock                        somebody connects: the egg is told; where there is none, nothing happens
 *   leak A 600                   the process of A is seen to hold so many MiB, where a class may hold 512
 *   squeeze 950                  neurons see so many thousandths of the memory in use, until said otherwise
 *   evolve A second              A is told of another DNA, which is there
 *   run 20                       seconds
 *   show                         adds a line of populations here
 *
 * The outcome: populations (those that hang or are infected apart), whether they are one tree, and who was voted out, why,
 * under the scenario's names.
 */
import { noVitals } from "../../src/core/tally.ts";
import type { CellClass, CellId } from "../../src/core/cell.ts";
import { cellClasses } from "../../src/core/cell.ts";
import type { CoreDna } from "../../src/core/dna.ts";
import type { Misdeed } from "../../src/sim/infection.ts";
import { Plague } from "../../src/sim/infection.ts";
import { whyNotOneTree } from "../../src/sim/tree.ts";
import type { SimCell } from "../../src/sim/world.ts";
import { World } from "../../src/sim/world.ts";
import { forEachClass, neverWorn } from "../../src/core/wear.ts";

export function playScenario(input: string): string {
  const scene = new Scene(input.split("\n").filter((line) => line.trim() !== "" && !line.startsWith("#")));
  return scene.play();
}

const mebibyte = 1_048_576;

class Scene {
  readonly #lines: readonly string[];
  readonly #names = new Map<string, CellId>();
  readonly #out: string[] = [];
  readonly #loads = new Map<CellClass, number>();
  #memoryMilli = 0;
  #quietMs: number | null = null;
  readonly #farSide = new Set<CellId>();
  #seed = 1;
  #messageMs: readonly [number, number] = [1, 5];
  #dna: CoreDna = {
    stemPool: 2,
    population: {
      neuron: { min: 1, max: 4 },
      "b-cell": { min: 1, max: 4 },
      "t-cell": { min: 0, max: 2 },
      drone: { min: 2, max: 8 },
    },
    daughtersMax: 4,
    attenuationMilli: 250,
    hormoneHalfLifeMs: 2_000,
    drainMsMax: 2_000,
    hangMs: 10_000,
    growth: {
      utilizationToGrowMilli: 700,
      utilizationToShrinkMilli: 300,
      queueMsTarget: 50,
      stableWindowMs: 20_000,
      panicWindowMs: 4_000,
      memoryMilliMax: 900,
    },
    restarts: { backoffMsMin: 500, backoffMsMax: 30_000, budget: 20, windowMs: 60_000 },
    wear: { ...neverWorn, rssBytesMax: forEachClass(512 * mebibyte) },
    dormancyIdleMs: 0,
  };
  readonly #attacks = new Map<CellId, number>();
  #world: World | null = null;
  #plague: Plague | null = null;
  #isFinding = false;

  constructor(lines: readonly string[]) {
    this.#lines = lines;
  }

  play(): string {
    for (const line of this.#lines) this.#do(line.trim());
    this.#show();
    this.#out.push(this.#tree());
    // Who said farewell and ran on was ended on its own word.
    const ended = [...this.world.convictions, ...this.world.executions.filter(({ reason }) => reason === "left")];
    const sentences = new Set(ended.map(({ id, reason }) => `${this.#nameOf(id)} (${reason})`).sort());
    this.#out.push(`voted out: ${sentences.size === 0 ? "nobody" : [...sentences].join(", ")}`);
    return this.#out.join("\n");
  }

  get world(): World {
    if (this.#world === null) throw new Error("`grow` comes first");
    return this.#world;
  }

  #do(line: string): void {
    const [verb = "", ...words] = line.split(/\s+/);
    const [first = "", second = "", third = ""] = words;
    switch (verb) {
      case "seed":
        this.#seed = Number(first);
        return;
      case "dna":
        for (const word of words) this.#setDna(word);
        return;
      case "messages": {
        const [min = "1", max = "5"] = first.split("..");
        this.#messageMs = [Number(min), Number(max)];
        return;
      }
      case "grow":
        return this.#grow(Number(first));
      case "let":
        this.#names.set(first, this.#find(third, Number(words[3] ?? 1)));
        return;
      case "halt":
      case "freeze":
      case "busy": {
        const how = ({ halt: "stuck", freeze: "stopped", busy: "busy" } as const)[verb];
        for (const name of words) this.world.halt(this.#cell(name), how);
        return;
      }
      case "resume":
        for (const name of words) this.world.resume(this.#cell(name));
        return;
      case "kill":
        for (const id of first === "all" ? this.#all(second, third) : words.map((name) => this.#cell(name)))
          this.world.kill(id);
        return;
      case "cut":
        return this.world.cut(this.#cell(first), this.#cell(second));
      case "retire":
        return this.world.tell(this.#cell(first), { type: "retire", drainMs: 1_000 });
      case "stop":
        return this.world.tell(this.#cell(first), { type: "stop", drainMs: 1_000 });
      case "app":
        this.world.app = first === "ready" ? "ready" : "failed";
        return;
      case "files-changed":
        for (const { self } of this.world.living()) this.world.tell(self, { type: "files-changed" });
        return;
      case "disturb":
        this.world.disturbance = {
          lossMilli: Number(first),
          duplicateMilli: Number(second),
          lateMsMax: Number(third),
        };
        return;
      case "calm":
        this.world.disturbance = null;
        return;
      case "partition":
        for (const name of words) this.#farSide.add(this.#cell(name));
        return this.world.partition([...this.#farSide]);
      case "heal":
        return this.world.heal();
      case "reuse":
        return this.world.reusePid(this.world.cells.get(this.#cell(first))?.pid ?? 0);
      case "infect":
        return this.#plague?.infect(this.#cell(first), new Set(words.slice(1) as Misdeed[]));
      case "find":
        this.#isFinding = true;
        return;
      case "load":
        this.#loads.set(first as CellClass, Number(second));
        return;
      case "attack":
        this.#attacks.set(this.#cell(first), Number(second));
        return;
      case "quiet":
        this.#quietMs = Number(first) * 1_000;
        return;
      case "knock":
        for (const { self } of this.world.ofClass("egg")) this.world.tell(self, { type: "first-connection" });
        return;
      case "leak":
        this.#process(first).wear = { rssBytes: Number(second) * mebibyte, descriptorMilli: 0 };
        return;
      case "squeeze":
        this.#memoryMilli = Number(first);
        return;
      case "evolve":
        this.world.revisions.add(second);
        return this.world.tell(this.#cell(first), { type: "evolve", revision: second });
      case "run":
        return this.#run(Number(first) * 1_000);
      case "show":
        return this.#show();
      default:
        throw new Error(`a scenario knows no "${verb}"`);
    }
  }

  #setDna(word: string): void {
    const [key = "", value = ""] = word.split("=");
    const [min = 0, max = min] = value.split("..").map(Number);
    if (key === "stem") this.#dna = { ...this.#dna, stemPool: min };
    else if (key === "hangMs") this.#dna = { ...this.#dna, hangMs: min };
    else if (key === "daughters") this.#dna = { ...this.#dna, daughtersMax: min };
    else if (key === "idleMs") this.#dna = { ...this.#dna, dormancyIdleMs: min };
    else if (key === "ageMs") this.#dna = { ...this.#dna, wear: { ...this.#dna.wear, ageMsMax: min } };
    else if (key === "attenuation") this.#dna = { ...this.#dna, attenuationMilli: min };
    else if (key === "stableMs") this.#dna = { ...this.#dna, growth: { ...this.#dna.growth, stableWindowMs: min } };
    else if (key in this.#dna.population)
      this.#dna = { ...this.#dna, population: { ...this.#dna.population, [key]: { min, max } } };
    else throw new Error(`no "${key}" in a scenario's DNA`);
  }

  #grow(seconds: number): void {
    const delaysMs = {
      birth: [40, 200],
      message: this.#messageMs,
      appLoad: [20, 400],
      drain: [0, 300],
      notice: [1, 15],
    } as const;
    this.#world = new World({ seed: this.#seed, dna: this.#dna, delaysMs, pidMax: 300 });
    this.#plague = new Plague(this.#world, this.#seed);
    const egg = this.#world.spawnEgg();
    this.#world.tell(egg, { type: "first-connection" });
    this.#run(seconds * 1_000);
  }

  #run(forMs: number): void {
    const untilMs = this.world.nowMs + forMs;
    while (this.world.nowMs < untilMs) {
      for (const { self, class: cellClass } of this.world.living()) {
        const loadMilli = this.#loads.get(cellClass) ?? 0;
        const memoryMilli = cellClass === "neuron" ? this.#memoryMilli : 0;
        const quietMs = cellClass === "b-cell" ? (this.#quietMs ?? noVitals.quietMs) : noVitals.quietMs;
        this.world.tell(self, { type: "vitals", vitals: { ...noVitals, loadMilli, memoryMilli, quietMs } });
      }
      for (const id of this.#plague?.living() ?? []) {
        const cell = this.world.cells.get(id);
        if (cell !== undefined && this.#isFinding) cell.isFoundOut = true;
      }
      this.#plague?.act();
      for (const [id, perSecond] of this.#attacks) {
        if (perSecond > 0) this.world.mark(id, Math.max(1, Math.round(perSecond / 4)));
        else this.world.tell(id, { type: "vitals", vitals: noVitals });
      }
      this.world.assertMarksAccounted();
      this.world.run(Math.min(250, untilMs - this.world.nowMs));
    }
  }

  #all(what: string, except: string): CellId[] {
    const ids = this.world.living().map(({ self }) => self);
    if (what === "but") return ids.filter((id) => id !== this.#cell(except));
    return this.world.ofClass(what as CellClass).map(({ self }) => self);
  }

  /** The eldest first; their processes began one after the other. */
  #find(where: string, place: number): CellId {
    const wanted = this.world
      .living()
      .filter(({ self, class: cellClass }) => (where === "far" ? this.#isFar(self) : cellClass === where));
    const found = wanted[place - 1];
    if (found === undefined) throw new Error(`there is no ${where} ${place}`);
    return found.self;
  }

  /** On the far side by descent too. */
  #isFar(id: CellId): boolean {
    for (let at: CellId | null = id; at !== null; at = this.world.cells.get(at)?.mother ?? null)
      if (this.#farSide.has(at)) return true;
    return false;
  }

  #cell(name: string): CellId {
    const id = this.#names.get(name);
    if (id === undefined) throw new Error(`no cell is called ${name}`);
    return id;
  }

  #process(name: string): SimCell {
    return this.world.cells.get(this.#cell(name)) as SimCell;
  }

  #nameOf(id: CellId): string {
    for (const [name, named] of this.#names) if (named === id) return name;
    return "others";
  }

  #show(): void {
    const { working } = this.world;
    const counts = cellClasses.filter((c) => working[c] > 0).map((c) => `${c} ${working[c]}`);
    const others = [...this.world.cells.values()].filter((cell) => cell.runs && cell.countedAs === null);
    const hung = others.filter((cell) => cell.halted !== null).length;
    const infected = others.filter((cell) => cell.infection !== null).length;
    const outdated = [...this.world.cells.values()].filter((cell) => cell.runs && this.world.isOutdated(cell)).length;
    const unwell = [
      hung > 0 ? `${hung} hung` : "",
      infected > 0 ? `${infected} infected` : "",
      outdated > 0 ? `${outdated} of an old DNA` : "",
    ].filter((s) => s !== "");
    this.#out.push([...counts, ...unwell].join(", ") || "nobody");
    const { made, arrived, lost } = this.world.marks;
    if (made > 0)
      this.#out.push(`marks: ${arrived} of ${made} arrived, ${this.world.marksWaiting()} wait, ${lost} lost`);
  }

  #tree(): string {
    return this.world.living().length === 0 ? "no tree" : (whyNotOneTree(this.world) ?? "one tree");
  }
}
