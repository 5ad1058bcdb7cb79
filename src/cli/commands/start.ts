/**
 * `cellws start`: launches an organism and, unless it is detached, stays beside it as the launcher: it prints the log,
 * passes Ctrl-C and SIGTERM on, and ends when the organism does. It is no cell; killed, it is not missed.
 */
import fs from "node:fs";
import module from "node:module";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import type { Launched } from "../../host/launch.ts";
import { launch } from "../../host/launch.ts";
import type { Guest } from "../../host/membrane/guest.ts";
import { followLog } from "../../host/log-follow.ts";
import type { RunDir } from "../../host/run-dir.ts";
import { anyCellLives, removeRunDir, runDirExists } from "../../host/run-dir.ts";
import { isSupervised, notifyServiceManager } from "../../host/service-manager.ts";
import { activationVariables, passedFds } from "../../host/socket-activation.ts";
import { stopOrganism } from "../../host/stop-organism.ts";
import { CellwsError } from "../../lib/cellws-error.ts";
import { renderLogLine } from "../../view/log-line.ts";
import { renderStart, urlOf } from "../../view/start.ts";
import { localTimeOfDay } from "../clock.ts";
import type { CliCommand, CliContext, ExitStatus } from "../command.ts";
import { addExamples } from "../command.ts";
import type { Diagnostic } from "../../dna/diagnostic.ts";
import type { Dna } from "../../dna/dna.ts";
import type { LoadDnaResult } from "../../dna/load.ts";

interface StartOptions {
  port?: string;
  host?: string;
  dna?: string;
  name?: string;
  adminPort?: string;
  record?: string;
  detach?: boolean;
  json?: boolean;
}

export const command: CliCommand<StartOptions> = {
  define(command) {
    command
      .argument("[app]", "a file that listens, or exports fetch or (req, res); or its folder")
      .option("--port <port>", "where to listen; 0 is any free port (default: 8080, or the DNA's)")
      .option("--host <host>", "the address to listen on (default: 127.0.0.1, or the DNA's)")
      .option("--dna <file>", "the DNA (default: dna.ts or dna.js here, if there is one)")
      .option("--name <name>", "what to call the organism (default: the package's or the folder's name)")
      .option("--admin-port <port>", "metrics, health and status on this loopback port; 0 is any free port")
      .option("--record <folder>", "record every event there, for cellws replay")
      .option("--detach", "return as soon as it listens, and leave it running")
      .option("--json", "print the log as JSON lines");
    addExamples(command, [
      ["cellws start server.js", "at http://127.0.0.1:8080"],
      ["cellws start server.js --host 0.0.0.0", "for all the world"],
      ["cellws start", "what package.json or dna.ts says"],
      ["cellws start server.js --detach", "in the background"],
      ["cellws start server.js --admin-port 9464", "with metrics and health checks"],
    ]);
    command.addHelpText(
      "after",
      `
The organism begins as one dormant cell, which loads the app when the first
request comes. Ctrl-C ends it after the requests in flight; a second Ctrl-C at
once. What --admin-port serves, and to whom: docs/ADMIN.md.

Exit status: 0 when it was ended, 1 when it could not start or died,
2 when the DNA or the command line is wrong.`,
    );
  },
  async run(context, [app], options) {
    const { dna, revision, dnaFile } = await readDna(context, app, options);
    const guest = await guestOf(dna, context);
    const launched = await launch({
      dna,
      revision,
      dnaFile,
      env: cellEnvironment(context.env),
      passedFds: passedFds(context.env),
      guest,
    });
    const tell = options.json === true ? context.note : context.out;
    for (const line of renderStart({ ...launched, isDetached: options.detach === true }, context.style)) tell(line);
    await tellServiceManager(context, ["READY=1", `STATUS=dormant at ${launched.file.listen.map(urlOf).join(" ")}`]);
    warmCompileCache();
    return options.detach === true ? 0 : await stayBeside(launched, context, options.json === true);
  },
};

/** Where there is one. It gives up on a service that it never hears from, so its user should see why. */
async function tellServiceManager(context: CliContext, assignments: readonly string[]): Promise<void> {
  if (!isSupervised(context.env)) return;
  const outcome = await notifyServiceManager(assignments, context.env);
  if (!outcome.told) context.note(`cellws: the service manager cannot be told (${assignments[0]}): ${outcome.reason}`);
}

/** Looked up here, where whoever starts the organism is told of a mistake. */
async function guestOf(dna: Dna, context: CliContext): Promise<Guest | null> {
  const { user, group } = dna.membrane;
  if (user === null && group === null) return null;
  const { findGuest, maySeeGuests, tryGuest } = await import("../../host/membrane/guest.ts");
  const guest = findGuest({ user, group });
  if (guest === null) return null;
  tryGuest(guest, { cwd: dna.cwd, app: dna.app, envFile: dna.envFile, program: fileURLToPath(import.meta.url) });
  if (!maySeeGuests())
    context.note(
      "cellws: CELLWS_W_GUESTS_UNSEEN: root here may not look into other users' processes (CAP_SYS_PTRACE), so of what drones do only other drones see more than their users and children",
    );
  return guest;
}

type LoadedDna = Extract<LoadDnaResult, { ok: true }>;

async function readDna(context: CliContext, app: string | undefined, options: StartOptions): Promise<LoadedDna> {
  const [{ loadDna }, { formatDiagnostics }] = await Promise.all([
    import("../../dna/load.ts"),
    import("../../dna/diagnostic.ts"),
  ]);
  const { port, host, name, adminPort } = options;
  const overrides = { port, host, name, adminPort, record: makeRecordFolder(options.record, context.cwd) };
  const result = await loadDna({ cwd: context.cwd, dnaFile: options.dna, app, overrides });
  const mistakes = result.ok ? await mistakesInRules(result.dna) : [];
  const found = result.ok ? [...mistakes, ...result.warnings] : result.diagnostics;
  if (found.length > 0) context.note(formatDiagnostics(found, { color: context.noteStyle.color }));
  if (result.ok && mistakes.length === 0) return result;
  throw new CellwsError("CELLWS_E_DNA", 2, "the organism was not started: its DNA has mistakes (see above)", {
    hint: "Nothing was opened or changed. `cellws check` judges the DNA without starting anything.",
  });
}

/** Without the warnings, of which a rule set may have many: `cellws check` tells them. */
async function mistakesInRules(dna: Dna): Promise<Diagnostic[]> {
  const { mode, rules, exclude } = dna.immune;
  if (mode === "off" || rules.length + exclude.length === 0) return [];
  const { checkRules } = await import("../../host/immune/check-rules.ts");
  return checkRules(dna).filter(({ code }) => code.startsWith("CELLWS_E_"));
}

/** In the DNA a folder must be there; who names one on the command line wants it made. */
function makeRecordFolder(folder: string | undefined, cwd: string): string | undefined {
  if (folder === undefined || folder === "") return folder;
  const place = path.resolve(cwd, folder);
  try {
    fs.mkdirSync(place, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw new CellwsError("CELLWS_E_OUTPUT", 2, "the folder for the record could not be made", {
      path: "--record",
      found: (error as Error).message,
      hint: "Nothing was started.",
    });
  }
  return place;
}

/** The log on the screen until the organism has ended, whoever ends it. */
async function stayBeside({ run }: Launched, context: CliContext, json: boolean): Promise<ExitStatus> {
  const following = new AbortController();
  const print = (line: string): void =>
    context.out(json ? line : renderLogLine(line, { style: context.style, timeOfDay: localTimeOfDay }));
  const log = followLog(run.logFile, print, { from: "start", signal: following.signal });
  const wasAskedToStop = stopOnSignals(run, context);
  const ended = await untilItEnded(run);
  // The last lines were written before the end; one more look finds them.
  setTimeout(() => following.abort(), lastLinesMs);
  await log;
  if (ended === "removed" || wasAskedToStop()) return 0;
  await removeRunDir(run, { exceptPid: process.pid });
  throw new CellwsError("CELLWS_E_ORGANISM_DIED", 1, `every cell of '${run.name}' is dead, and nobody asked for it`, {
    hint: "The log above says what they died of. Start it again; a service manager would (see docs/SERVICES.md).",
  });
}

const lastLinesMs = 300;
const lookEveryMs = 250;
const lookCloselyMs = 25;
const lastBreathMs = 1_000;

async function untilItEnded(run: RunDir): Promise<"removed" | "dead"> {
  let emptySinceMs: number | null = null;
  for (;;) {
    if (!runDirExists(run)) return "removed";
    if (await anyCellLives(run)) emptySinceMs = null;
    else emptySinceMs ??= performance.now();
    // The last cell to leave in good order clears the directory away with its last breath.
    if (emptySinceMs !== null && performance.now() - emptySinceMs > lastBreathMs) return "dead";
    await new Promise((resolve) => setTimeout(resolve, emptySinceMs === null ? lookEveryMs : lookCloselyMs));
  }
}

/** First signal: the orderly end. Second: at once. Returns whether either came. */
function stopOnSignals(run: RunDir, context: CliContext): () => boolean {
  let count = 0;
  const stop = (signal: NodeJS.Signals): void => {
    count += 1;
    if (count === 1) void tellServiceManager(context, ["STOPPING=1"]);
    if (count === 1) context.note(`cellws: ${signal}: finishing the requests in flight; once more to end at once`);
    void stopOrganism(run, count === 1 ? {} : { drainMs: 0 });
  };
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, stop);
  return () => count > 0;
}

/** Where Node keeps compiled code between runs: a cell is born in a third of the time with it. */
function cellEnvironment(given: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const env = { ...given };
  for (const name of activationVariables) delete env[name];
  const cache =
    env["NODE_COMPILE_CACHE"] ??
    path.join(env["XDG_CACHE_HOME"] || path.join(os.homedir(), ".cache"), "cellws", "compile");
  try {
    fs.mkdirSync(cache, { recursive: true, mode: 0o700 });
    module.enableCompileCache(cache);
    return { ...env, NODE_COMPILE_CACHE: cache };
  } catch {
    return env;
  }
}

/** The first organism on a machine should not be the slow one: compile what its cells will need, here and now. */
function warmCompileCache(): void {
  const programs = ["b-cell", "drone", "neuron", "stem", "egg"].map(
    (name) => import(`../../cells/${name}/body.${sourceSuffix}`),
  );
  void Promise.all(programs).then(
    () => module.flushCompileCache(),
    () => undefined,
  );
}

const sourceSuffix = import.meta.url.endsWith(".ts") ? "ts" : "js";
