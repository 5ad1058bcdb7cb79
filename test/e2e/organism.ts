/**
 * A real organism for a test: started through bin/cellws as a user would, watched through the same commands, and
 * gone without a trace when the test is over.
 *
 * Each has a home of its own (run directory, state, working directory), so that tests run side by side and "nothing
 * is left" can be asked of the whole home. Its processes are known by a marker in their environment
 * (processes.ts), not by what the organism says of itself, because a test must also find the ones that it
 * has lost. Starting does not connect to the listening port: that would wake the egg.
 */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, afterEach, before } from "node:test";
import type { CellClass } from "../../src/core/cell.ts";
import type { OrganismFile } from "../../src/wire/control.ts";
import { type Address, type ClientRequest, type ClientResponse, request } from "./client.ts";
import {
  describeProcesses,
  findMarked,
  type FoundProcess,
  inheritedEnv,
  signalFound,
  startTicksOf,
} from "./processes.ts";
import { until, waitMsMax, within } from "./wait.ts";

export const repository = join(import.meta.dirname, "..", "..");
/** Of this checkout; another, such as the one that a packed and installed package brings, with E2E_CELLWS=/path/to/cellws. */
export const bin = process.env["E2E_CELLWS"] ?? join(repository, "bin", "cellws");

/** The apps of these tests by file name. */
export const appFile = (name: string): string => join(import.meta.dirname, "apps", name);

const marker = "TEST_ORGANISM_ID";
/** How long processes may take to be gone once `cellws stop` has returned: none should be left by then. */
const goneMsMax = 5_000;
/** Of a log that goes into a failure's message: the end, where the trouble is. */
const logCharsShownMax = 12_000;

export interface OrganismOptions {
  /** A file of test/e2e/apps, or an absolute path. */
  app: string;
  /** Files to write before the start, by name; `app` may be one of them. They lie in the scratch directory. */
  files?: Record<string, string>;
  name?: string;
  /** Further arguments of `cellws start`. */
  args?: string[];
  /** The DNA: an object, or the source text of the module. */
  dna?: object | string;
  env?: Record<string, string>;
  /** Environment variables that name a path in the scratch directory, which goes with the organism. */
  scratchEnv?: Record<string, string>;
  /** What to run `cellws start` by: in another network (network.ts). */
  within?: readonly string[];
  /** For several listening sockets, or TLS: then `listen` is in the DNA and no --port is given. */
  listenInDna?: boolean;
}

/** As `cellws ps --json` prints it (DESIGN.md, section 3). */
export interface PsCell {
  id: string;
  class: CellClass;
  pid: number;
  mother: string | null;
  generation: number;
  bornAt: string;
  state: "live" | "suspected" | "draining";
  load: number | null;
  rssBytes: number | null;
  inFlight: number | null;
}

export interface PsReply {
  organism: string;
  revision: string;
  cells: PsCell[];
}

export interface CliResult {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** Where to leave what must happen at the end: a test's context, or a suite's hooks. */
export interface Scope {
  after: (hook: () => Promise<void>) => void;
}

/** Starts an organism for one test. It is ended, and looked after for leftovers, when the test is over. */
export async function startOrganism(scope: Scope, options: OrganismOptions): Promise<Organism> {
  const organism = new Organism(options);
  scope.after(async () => {
    const failed = hasFailed(scope);
    if (failed) console.error(await organism.dump());
    await organism.end();
  });
  await organism.start();
  return organism;
}

/** Known of a test's context once its body is over; @types/node does not have it yet. */
function hasFailed(scope: object): boolean {
  return "passed" in scope && scope.passed === false;
}

/**
 * One organism for all tests of a suite; to be called in the body of `describe`. When a test fails, the
 * organism's state is printed.
 */
export function sharedOrganism(options: OrganismOptions | (() => OrganismOptions)): () => Organism {
  let organism: Organism | undefined;
  before(async () => {
    organism = new Organism(typeof options === "function" ? options() : options);
    await organism.start();
  });
  afterEach(async (t) => {
    if (hasFailed(t) && organism !== undefined) console.error(await organism.dump());
  });
  after(async () => {
    await organism?.end();
  });
  return () => {
    assert(organism !== undefined, "the organism is there once the suite's tests run");
    return organism;
  };
}

/** `cellws` as a user calls it: no terminal, no input. */
export async function cellws(
  args: string[],
  options: { env?: NodeJS.ProcessEnv; cwd?: string; msMax?: number } = {},
): Promise<CliResult> {
  const child = spawn(bin, args, {
    env: options.env ?? process.env,
    cwd: options.cwd ?? tmpdir(),
    stdio: ["ignore", "pipe", "pipe"],
  });
  const result = { stdout: "", stderr: "" };
  child.stdout.setEncoding("utf8").on("data", (text: string) => (result.stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (result.stderr += text));
  try {
    const [code] = (await within(`cellws ${args.join(" ")}`, once(child, "close"), options.msMax ?? waitMsMax)) as [
      number | null,
    ];
    return { code, ...result };
  } catch (error) {
    child.kill("SIGKILL");
    throw new Error(`${String(error)}\nstdout: ${result.stdout}\nstderr: ${result.stderr}`, { cause: error });
  }
}

export class Organism {
  readonly name: string;
  readonly home: string;
  readonly env: NodeJS.ProcessEnv;
  readonly #options: OrganismOptions;
  readonly #id = randomUUID();
  #launcher: ChildProcess | undefined;
  #launcherExited: Promise<unknown> = Promise.resolve();
  #file: OrganismFile | undefined;
  #output = "";
  #over = false;

  constructor(options: OrganismOptions, home?: string) {
    this.#options = options;
    this.name = options.name ?? "e2e";
    // Short: the sockets of the cells lie below, and a socket's path has room for about a hundred bytes.
    this.home = home ?? mkdtempSync(join(tmpdir(), "cw-"));
    for (const dir of ["run", "state", "work"]) mkdirSync(join(this.home, dir), { recursive: true, mode: 0o700 });
    this.env = {
      ...inheritedEnv(),
      XDG_RUNTIME_DIR: join(this.home, "run"),
      XDG_STATE_HOME: join(this.home, "state"),
      [marker]: this.#id,
      ...Object.fromEntries(Object.entries(options.scratchEnv ?? {}).map(([name, path]) => [name, this.scratch(path)])),
      ...options.env,
    };
  }

  /** Another organism, in the home of this one, which must be over. Only the last of a home is ended with `end`. */
  again(options: Partial<OrganismOptions>): Organism {
    const next = new Organism({ ...this.#options, ...options }, this.home);
    this.#over = true;
    return next;
  }

  // Starting

  async start(): Promise<void> {
    this.launch();
    await this.listening();
  }

  /** `cellws start`, without waiting for anything. */
  launch(): ChildProcess {
    const { args = [], files = {}, dna, app, listenInDna = false, within: prefix = [] } = this.#options;
    const file = app.startsWith("/") ? app : app in files ? this.scratch(app) : appFile(app);
    for (const [name, text] of Object.entries(files)) writeFileSync(this.scratch(name), text);
    const port = listenInDna ? [] : ["--port", "0"];
    const dnaArgs = dna === undefined ? [] : ["--dna", this.writeDna(dna)];
    const command = [...prefix, bin, "start", file, "--name", this.name, ...port, ...dnaArgs, ...args];
    const child = spawn(command[0]!, command.slice(1), {
      env: this.env,
      cwd: this.workDir,
      stdio: ["ignore", "pipe", "pipe"],
      // A process group of its own, as a terminal gives it; signals reach the launcher because it is sent one, not by ours.
      detached: true,
    });
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (text: string) => (this.#output += text));
    }
    this.#launcher = child;
    this.#launcherExited = once(child, "exit");
    return child;
  }

  async listening(): Promise<void> {
    this.#file = await until(
      `${this.name} to write organism.json`,
      () => (this.isAnnounced() ? (JSON.parse(readFileSync(this.#fileAt, "utf8")) as OrganismFile) : null),
      {
        explain: () => this.dump(),
        abandon: () => (this.#launcherOver() ? "the launcher has exited" : null),
      },
    );
  }

  #launcherOver(): boolean {
    return this.launcher.exitCode !== null || this.launcher.signalCode !== null;
  }

  writeDna(dna: object | string): string {
    const path = join(this.home, "dna.mjs");
    writeFileSync(path, typeof dna === "string" ? dna : `export default ${JSON.stringify(dna, null, 2)};\n`);
    return path;
  }

  // Getters

  get launcher(): ChildProcess {
    assert(this.#launcher !== undefined, "started");
    return this.#launcher;
  }

  /** Resolves with the launcher's exit code and signal. */
  async launcherExit(): Promise<{ code: number | null; signal: NodeJS.Signals | null }> {
    await this.#explained(within("the launcher's exit", this.#launcherExited));
    return { code: this.launcher.exitCode, signal: this.launcher.signalCode };
  }

  get file(): OrganismFile {
    assert(this.#file !== undefined, "listening");
    return this.#file;
  }

  /** Where it listens; the first, unless told otherwise. */
  at(listener = 0): Address {
    const listen = this.file.listen[listener];
    assert(listen !== undefined, `${this.name} has no listener ${listener}`);
    const anywhere = ["0.0.0.0", "::", ""].includes(listen.host);
    return { host: anywhere ? "127.0.0.1" : listen.host, port: listen.port };
  }

  /** Whether it lives by itself: its egg has written organism.json. */
  isAnnounced(): boolean {
    return existsSync(this.#fileAt);
  }

  get #fileAt(): string {
    return join(this.runDir, "organism.json");
  }

  get url(): string {
    const { host, port } = this.at();
    return `http://${host}:${port}`;
  }

  get runDir(): string {
    return join(this.home, "run", "cellws", this.name);
  }

  /** Where the organism was started, and where it should leave nothing. */
  get workDir(): string {
    return join(this.home, "work");
  }

  /** A path for what an app or a test writes; not counted as a leftover. */
  scratch(name: string): string {
    return join(this.home, name);
  }

  /** What the launcher has printed: the log, as a user sees it. */
  get output(): string {
    return this.#output;
  }

  /** The log file, and where there is none (any more) what was printed. */
  logs(): string {
    const file = join(this.runDir, "log", "cellws.log");
    return existsSync(file) ? readFileSync(file, "utf8") : this.#output;
  }

  processes(): FoundProcess[] {
    return findMarked(marker, this.#id);
  }

  /** All living processes of the organism and its launcher. */
  pids(): number[] {
    return this.processes().map(({ pid }) => pid);
  }

  /** The same without the launcher, which is no cell and may take a moment longer to end. */
  cellPids(): number[] {
    return this.pids().filter((pid) => pid !== this.launcher.pid);
  }

  // Asking

  request(wanted: ClientRequest = {}): Promise<ClientResponse> {
    return this.#explained(request(this.at(), wanted));
  }

  /** A command about this organism. */
  cli(command: string, ...args: string[]): Promise<CliResult> {
    return cellws([command, "--name", this.name, ...args], { env: this.env, cwd: this.workDir });
  }

  async ps(): Promise<PsCell[]> {
    const { code, stdout, stderr } = await this.cli("ps", "--json");
    assert.equal(code, 0, `cellws ps failed: ${stderr}${stdout}`);
    return (JSON.parse(stdout) as PsReply).cells;
  }

  async tree(): Promise<string> {
    const { code, stdout, stderr } = await this.cli("tree");
    assert.equal(code, 0, `cellws tree failed: ${stderr}${stdout}`);
    return stdout;
  }

  status(...args: string[]): Promise<CliResult> {
    return this.cli("status", ...args);
  }

  stop(): Promise<CliResult> {
    return this.cli("stop");
  }

  // Waiting

  /** Looks at `ps` until it satisfies `fits`. */
  async cellsUntil(what: string, fits: (cells: PsCell[]) => boolean): Promise<PsCell[]> {
    return until(
      what,
      async () => {
        const cells = await this.ps();
        if (fits(cells)) return cells;
        throw new Error(summarize(cells));
      },
      { explain: () => this.dump() },
    );
  }

  /** Germinated and at rest: nobody is missing for the DNA's minima, here given as what a test asked for. */
  grown(wanted: Partial<Record<CellClass, number>> = {}): Promise<PsCell[]> {
    const atLeast = { neuron: 1, "b-cell": 1, drone: 1, ...wanted };
    return this.cellsUntil(`at least ${JSON.stringify(atLeast)}`, (cells) =>
      Object.entries(atLeast).every(([cellClass, count]) => ofClass(cells, cellClass as CellClass).length >= count),
    );
  }

  until<T>(what: string, look: () => T | Promise<T>): Promise<NonNullable<T>> {
    return until(what, look, { explain: () => this.dump() });
  }

  /** Until the processes are those that `ps` lists and the launcher, and no other. */
  async accountedFor(): Promise<void> {
    await this.until("each process to be a cell that ps lists", async () => {
      const listed = (await this.ps()).map(({ pid }) => pid).toSorted(byNumber);
      assert.deepEqual(this.cellPids().toSorted(byNumber), listed);
      return true;
    });
  }

  /** Until no process of it is left. */
  async gone(): Promise<void> {
    await until("every process of the organism to be gone", () => this.processes().length === 0, {
      explain: () => this.dump(),
    });
  }

  // Ending

  /** SIGKILL or another signal to one cell, if it is still the process that it was. */
  kill(cell: Pick<PsCell, "pid">, signal: NodeJS.Signals = "SIGKILL"): void {
    const found = this.processes().find(({ pid }) => pid === cell.pid);
    assert(found !== undefined, `pid ${cell.pid} is no living process of this organism`);
    assert(signalFound(found, signal), `pid ${cell.pid} was gone before ${signal}`);
  }

  /**
   * Stops it if it runs, and asserts that nothing is left: no process, no file in the run and working directories.
   * Whatever is left is ended and removed all the same, before this throws.
   */
  async end(): Promise<void> {
    if (this.#over) return;
    this.#over = true;
    const troubles: string[] = [];
    try {
      if (this.#launcher !== undefined && this.processes().length > 0) {
        const stopped = await this.stop().catch((error: unknown) => ({
          code: null,
          stdout: "",
          stderr: String(error),
        }));
        if (stopped.code !== 0)
          troubles.push(`cellws stop ended with ${stopped.code}: ${stopped.stderr}${stopped.stdout}`);
      }
      troubles.push(...(await this.#leftovers()));
      if (troubles.length > 0) throw new Error(`${troubles.join("\n")}\n${await this.dump()}`);
    } finally {
      await this.#clear();
    }
  }

  /** What is left of an organism that has ended. Empty if all is well. */
  async #leftovers(): Promise<string[]> {
    const troubles: string[] = [];
    const gone = await until("gone", () => this.processes().length === 0, { msMax: goneMsMax }).catch(() => false);
    if (!gone) troubles.push(`processes left after the end:\n${describeProcesses(this.processes())}`);
    const files = [...filesUnder(join(this.home, "run")), ...filesUnder(this.workDir)];
    if (existsSync(this.runDir)) troubles.push(`the run directory ${this.runDir} is left`);
    if (files.length > 0) troubles.push(`files left after the end:\n${files.map((file) => `  ${file}`).join("\n")}`);
    return troubles;
  }

  /** Ends by force whatever still lives, newborns included, and removes the home. */
  async #clear(): Promise<void> {
    await until(
      "the organism to be cleared away",
      () => {
        const left = this.processes();
        for (const found of left) signalFound(found, "SIGKILL");
        return left.length === 0;
      },
      { msMax: goneMsMax },
    );
    if (this.#launcher !== undefined) await within("the launcher's exit", this.#launcherExited);
    rmSync(this.home, { recursive: true, force: true, maxRetries: 3 });
  }

  // Telling

  /** Everything one wants to see when a test has failed. */
  async dump(): Promise<string> {
    const ps = await this.cli("ps").catch((error: unknown) => ({ stdout: "", stderr: String(error) }));
    const log = this.logs();
    return [
      `--- organism ${this.name} in ${this.home}`,
      `--- processes:\n${describeProcesses(this.processes())}`,
      `--- cellws ps:\n${ps.stdout}${ps.stderr}`,
      `--- log:\n${log.slice(-logCharsShownMax)}`,
      `--- printed:\n${this.#output === log ? "(the same)" : this.#output.slice(-logCharsShownMax)}`,
      "---",
    ].join("\n");
  }

  async #explained<T>(promise: Promise<T>): Promise<T> {
    try {
      return await promise;
    } catch (error) {
      throw new Error(`${error instanceof Error ? error.message : String(error)}\n${await this.dump()}`, {
        cause: error,
      });
    }
  }
}

export function ofClass(cells: readonly PsCell[], cellClass: CellClass): PsCell[] {
  return cells.filter((cell) => cell.class === cellClass);
}

export function summarize(cells: readonly PsCell[]): string {
  return cells.map((cell) => `${cell.class} ${cell.pid}${cell.state === "live" ? "" : ` ${cell.state}`}`).join(", ");
}

/** Whether the cell's process lives; the pid's later owner, if there should be one, does not count. */
export function watchLife(cell: Pick<PsCell, "pid">): () => boolean {
  const startTicks = startTicksOf(cell.pid);
  return () => startTicks !== null && startTicksOf(cell.pid) === startTicks;
}

const byNumber = (a: number, b: number) => a - b;

function filesUnder(dir: string): string[] {
  return readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name));
}
