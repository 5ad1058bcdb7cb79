/**
 * Runs the app's main file as `node FILE` would, and hands back what it exports.
 *
 * Through `Module.runMain`, Node's own way from argv[1] to a running program: for CommonJS `require.main ===
 * module` holds, for ES modules `import.meta.main` and the comparison of `import.meta.url` with `argv[1]`, and
 * whether a file is the one or the other is found as Node finds it. An import of the same URL then joins the
 * running evaluation, to wait for it and to get at the exports.
 *
 * While the app loads, what would have ended a plain Node process (an uncaught exception, process.exit) becomes
 * an AppFailure instead: nobody has been answered yet, so the drone can still say what happened before it dies.
 */
import { spawnSync } from "node:child_process";
import { createRequire, runMain } from "node:module";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import type { OnAppEvent } from "./app-event.ts";
import { describeThrown, failureOfThrown, type AppFailure } from "./app-failure.ts";
import type { AppEntry } from "./resolve-app.ts";

/** What the file exports: `module.exports`, or the module's namespace. Throws what the app throws. */
export async function evaluateApp(entry: AppEntry, onEvent: OnAppEvent): Promise<unknown> {
  const { file } = entry;
  await applyNodeFlags(entry, onEvent);
  process.argv.splice(1, process.argv.length, file, ...entry.args);
  runMain(file);
  // Node sets it for CommonJS and takes it away for ES modules.
  const main = process.mainModule;
  if (main?.filename === file) return main.exports;
  return (await import(pathToFileURL(file).href)) as unknown;
}

/** A watch over the process while the app loads. `stop` must be called once that is over. */
export class LoadWatch {
  /** Resolves with the first thing that would have ended the process. */
  readonly failed: Promise<AppFailure>;
  /** The same, at once. */
  failure: AppFailure | null = null;
  private readonly file: string;
  private readonly handlersBefore: number;
  private readonly exitBefore: typeof process.exit;
  private resolveFailed: (failure: AppFailure) => void = () => {};
  private lastError: unknown = null;
  private ended = false;
  /** The listeners of 'uncaughtException' are being called, this one first: what they throw would end the process. */
  private catching = false;

  constructor(file: string) {
    this.file = file;
    this.failed = new Promise((resolve) => {
      this.resolveFailed = resolve;
    });
    this.handlersBefore = process.listenerCount("uncaughtException");
    const exit: typeof process.exit = Reflect.get(process, "exit");
    this.exitBefore = exit;
    process.on("uncaughtException", this.onUncaught);
    process.exit = this.onExit;
  }

  /** After a success the process is the app's again. After a failure it is to be ended, and only that failure's echoes are caught. */
  stop({ succeeded }: { succeeded: boolean }): void {
    this.ended = true;
    process.exit = this.exitBefore;
    if (succeeded) process.off("uncaughtException", this.onUncaught);
  }

  private fail(failure: AppFailure): void {
    this.failure ??= failure;
    this.resolveFailed(this.failure);
  }

  private readonly onUncaught = (error: unknown): void => {
    if (error instanceof ExitRequest || error === this.lastError) return;
    // Thrown here it ends the process at once, as it would have without this listener.
    if (this.ended) throw error;
    this.lastError = error;
    this.catching = true;
    process.nextTick(() => {
      this.catching = false;
    });
    // An app that catches for itself goes on, as it would in plain Node.
    if (process.listenerCount("uncaughtException") > this.handlersBefore + 1) return;
    this.fail(failureOfThrown(error, this.file));
  };

  private readonly onExit = (code?: number | string | null): never => {
    const status = code ?? process.exitCode ?? 0;
    const request = new ExitRequest(`process.exit(${String(status)})`);
    const after = this.lastError === null ? "" : `, after: ${describeThrown(this.lastError).message}`;
    this.fail({
      code: "CELLWS_E_APP_EXITED",
      message: `the app ended itself with exit code ${String(status)} before it listened${after}`,
      stack: describeThrown(this.lastError ?? request).stack,
      hint: "Look at what it printed last; a missing setting is the usual reason (see `env` in the DNA).",
    });
    if (this.catching) return undefined as never;
    // process.exit never returns, and the app does not expect to go on after it.
    throw request;
  };
}

class ExitRequest extends Error {
  override name = "ExitRequest";
}

/** A syntax error in an ES module does not say where it is; a second parse of the main file does, if it is there. */
export function locateSyntaxError(failure: AppFailure, file: string): AppFailure {
  if (!failure.stack?.startsWith("SyntaxError") || !failure.hint?.startsWith("Run `node")) return failure;
  const { stderr } = spawnSync(process.execPath, ["--check", file], { encoding: "utf8", timeout: CHECK_MS_MAX });
  return stderr?.includes("SyntaxError") ? { ...failure, stack: stderr.trim() } : failure;
}

/** Parsing takes milliseconds; a machine so loaded that it takes this long has other worries. */
const CHECK_MS_MAX = 5000;

/** What a start script asks of Node by flags, as far as it can be done in a process that already runs. */
async function applyNodeFlags({ nodeFlags, cwd }: AppEntry, onEvent: OnAppEvent): Promise<void> {
  const folder = cwd ?? process.cwd();
  for (const flag of nodeFlags) {
    const equals = flag.indexOf("=");
    const name = equals === -1 ? flag : flag.slice(0, equals);
    const value = equals === -1 ? "" : flag.slice(equals + 1);
    switch (name) {
      case "--env-file":
        process.loadEnvFile(resolve(folder, value));
        break;
      case "--env-file-if-exists":
        loadEnvFileIfThere(resolve(folder, value));
        break;
      case "--enable-source-maps":
        process.setSourceMapsEnabled(true);
        break;
      case "-r":
      case "--require":
      case "--import":
        await import(pathToFileURL(createRequire(join(folder, "package.json")).resolve(value)).href);
        break;
      default:
        onEvent({
          level: "warn",
          code: "APP_START_DIFFERS",
          message: `the start script's Node flag ${flag} is not applied in a drone; put it into NODE_OPTIONS`,
        });
    }
  }
}

function loadEnvFileIfThere(path: string): void {
  try {
    process.loadEnvFile(path);
  } catch (error) {
    if (Reflect.get(error as Error, "code") !== "ENOENT") throw error;
  }
}
