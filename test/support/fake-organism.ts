/** Organisms of fake cells in a run base of their own, and the real command line against them. */
import type { ChildProcess } from "node:child_process";
import { execFile, fork, spawn } from "node:child_process";
import { once } from "node:events";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import type { TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import type { RunDir } from "../../src/host/run-dir.ts";
import { createRunDir, writeOrganismFile } from "../../src/host/run-dir.ts";
import type { CellSummary, ControlRequest, OrganismFile } from "../../src/wire/control.ts";
import type { FakeCell, FakeCellMessage } from "./fake-cell.ts";

const binary = fileURLToPath(new URL("../../bin/cellws", import.meta.url));
const fakeCell = fileURLToPath(new URL("./fake-cell.ts", import.meta.url));

/** Nobody: this pid is above what Linux and macOS give out. */
export const DEAD = { pid: 2 ** 30, startTicks: 1 };

export interface RunBase {
  /** What XDG_RUNTIME_DIR is set to. */
  runtimeDir: string;
  base: string;
}

export function makeRunBase(t: TestContext): RunBase {
  const runtimeDir = fs.mkdtempSync(path.join(os.tmpdir(), "cellws-cli-"));
  t.after(() => fs.rmSync(runtimeDir, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 }));
  return { runtimeDir, base: path.join(runtimeDir, "cellws") };
}

export interface RunningCell {
  id: string;
  pid: number;
  startTicks: number;
  child: ChildProcess;
  /** What it was asked, in order. */
  told: ControlRequest[];
}

export interface FakeOrganism {
  run: RunDir;
  cells: Map<string, RunningCell>;
  cell: (id: string) => RunningCell;
}

/** `cells` by id. Each cell knows all others, unless `others` says what it knows. */
export async function makeOrganism(
  t: TestContext,
  { base }: RunBase,
  {
    name = "shop",
    cells,
    file = {},
  }: { name?: string; cells: Record<string, Partial<FakeCell>>; file?: Partial<OrganismFile> },
): Promise<FakeOrganism> {
  const { run } = await createRunDir(name, { base, launcher: DEAD });
  writeOrganismFile(run, { ...organismFile(name), ...file });
  const running = new Map<string, RunningCell>();
  const settings = new Map(Object.entries(cells).map(([id, cell]) => [id, completeCell(id, cell, { base, name })]));
  await Promise.all([...settings.values()].map(async (cell) => running.set(cell.id, await startCell(t, cell))));

  const summaries = [...settings.values()].map((cell) => summarize(cell, running.get(cell.id) as RunningCell));
  for (const [id, { child }] of running) {
    if (cells[id]?.others === undefined) child.send({ others: summaries.filter((summary) => summary.id !== id) });
  }
  const cell = (id: string): RunningCell => running.get(id) as RunningCell;
  return { run, cells: running, cell };
}

export function organismFile(name: string): OrganismFile {
  return {
    version: 1,
    name,
    organism: "k3f9a7p2qx",
    revision: "5f2c9e1ab034",
    startedAt: new Date(Date.now() - 3_723_000).toISOString(),
    cwd: "/srv/shop",
    app: "/srv/shop/server.js",
    dnaFile: null,
    listen: [{ host: "127.0.0.1", port: 8080, tls: false }],
    admin: null,
    drainMsMax: 2_000,
  };
}

/** One alone, in a run directory that is there. */
export function startFakeCell(
  t: TestContext,
  { id, base, name, ...cell }: Partial<FakeCell> & { id: string; base: string; name: string },
): Promise<RunningCell> {
  return startCell(t, completeCell(id, cell, { base, name }));
}

function completeCell(id: string, cell: Partial<FakeCell>, { base, name }: { base: string; name: string }): FakeCell {
  const bornAt = new Date(Date.now() - 125_000).toISOString();
  return {
    id,
    class: "stem",
    mother: null,
    generation: 0,
    bornAt,
    state: "live",
    load: 0.02,
    rssBytes: 62 * 1024 * 1024,
    inFlight: 0,
    app: { state: "none" },
    base,
    name,
    organism: "k3f9a7p2qx",
    revision: "5f2c9e1ab034",
    others: [],
    appHealth: { state: "none" },
    vitals: "answers",
    onStop: 0,
    records: true,
    ...cell,
  };
}

function summarize(cell: FakeCell, { pid, startTicks }: RunningCell): CellSummary {
  const { id, class: cellClass, mother, generation, bornAt, state } = cell;
  return { id, class: cellClass, pid, startTicks, mother, generation, bornAt, state };
}

async function startCell(t: TestContext, cell: FakeCell): Promise<RunningCell> {
  const child = fork(fakeCell, [JSON.stringify(cell)], { stdio: "inherit" });
  t.after(() => endChild(child));
  const told: ControlRequest[] = [];
  const identity = await new Promise<{ pid: number; startTicks: number }>((resolve, reject) => {
    child.on("message", (message: FakeCellMessage) => {
      if ("ready" in message) resolve(message.ready);
      else told.push(message.told);
    });
    child.once("exit", () => reject(new Error(`fake cell ${cell.id} did not start`)));
  });
  return { id: cell.id, ...identity, child, told };
}

export async function endChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, "exit");
  child.kill("SIGKILL");
  await exited;
}

export interface CellwsResult {
  status: number | null;
  stdout: string;
  stderr: string;
}

export interface StartedCellws {
  child: ChildProcess;
  /** What it has printed so far. */
  printed: () => string;
  result: Promise<CellwsResult>;
}

/** Starts bin/cellws, which is ended with the test at the latest. */
export function startCellws(t: TestContext, args: readonly string[], { runtimeDir }: RunBase): StartedCellws {
  const child = spawn(binary, args, {
    env: { ...process.env, XDG_RUNTIME_DIR: runtimeDir, NO_COLOR: "1" },
    stdio: ["ignore", "pipe", "pipe"],
  });
  t.after(() => endChild(child));
  let stdout = "";
  let stderr = "";
  child.stdout.on("data", (chunk) => (stdout += String(chunk)));
  child.stderr.on("data", (chunk) => (stderr += String(chunk)));
  const result = once(child, "close").then(() => ({ status: child.exitCode, stdout, stderr }));
  return { child, printed: () => stdout, result };
}

/** Runs bin/cellws to its end. */
export function runCellws(
  args: readonly string[],
  { runtimeDir }: RunBase,
  { cwd, env }: { cwd?: string; env?: NodeJS.ProcessEnv } = {},
): Promise<CellwsResult> {
  return new Promise((resolve) => {
    const child = execFile(
      binary,
      args,
      {
        env: { ...process.env, XDG_RUNTIME_DIR: runtimeDir, NO_COLOR: "1", COLUMNS: "80", ...env },
        cwd,
        timeout: 60_000,
      },
      (_error, stdout, stderr) => resolve({ status: child.exitCode, stdout, stderr }),
    );
  });
}

/** A family as it looks after germination: the egg has become the neuron. */
export const family: Record<string, Partial<FakeCell>> = {
  aaaaaaaaaa: { class: "neuron", load: 0.04 },
  bbbbbbbbbb: { class: "b-cell", mother: "aaaaaaaaaa", generation: 1, inFlight: 3, load: 0.31 },
  cccccccccc: { class: "drone", mother: "aaaaaaaaaa", generation: 1, inFlight: 3, load: 0.87, app: { state: "ready" } },
  dddddddddd: { class: "stem", mother: "aaaaaaaaaa", generation: 1 },
};
