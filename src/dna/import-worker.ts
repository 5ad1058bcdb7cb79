/**
 * Runs in a worker thread: imports a DNA file, calls what it exports if that is a function, and sends back
 * plain data or what went wrong.
 *
 * A thread, because a DNA file is a program: it may loop for ever, end the process, or leave a timer
 * running, and the command line must still get an answer. It judges nothing; evaluate.ts explains.
 */
import { registerHooks } from "node:module";
import { fileURLToPath } from "node:url";
import { parentPort, workerData } from "node:worker_threads";
import { madeBy } from "./exported.ts";
import { toPlain, type OddValue } from "./plain.ts";

export interface ImportWorkerData {
  /** file: URL of the DNA file. */
  url: string;
  /** file: URL that `import ... from "cellws"` means. */
  cellwsUrl: string;
}

export interface ImportFailure {
  kind: "failure";
  /** An Error's; a thrown string has only a message. */
  name?: string;
  code?: string;
  message: string;
  stack?: string;
}

export type ImportOutcome =
  | { kind: "value"; value: unknown; odd: OddValue[] }
  /** There is no default export. */
  | { kind: "no-export"; names: string[] }
  /** Nothing is left to do, and the file or its function has not come to an end: it never will. */
  | { kind: "unsettled" }
  | ImportFailure;

const { url, cellwsUrl } = workerData as ImportWorkerData;

// The DNA is judged by the very version that reads it; so an app needs no cellws of its own to be installed.
registerHooks({
  resolve: (specifier, context, next) =>
    specifier === "cellws" ? { url: cellwsUrl, shortCircuit: true } : next(specifier, context),
});

process.once("beforeExit", () => send({ kind: "unsettled" }));
evaluate().then(send, (error: unknown) => send(describe(error)));

async function evaluate(): Promise<ImportOutcome> {
  const module = (await import(url)) as Record<string, unknown>;
  if (!("default" in module)) return { kind: "no-export", names: Object.keys(module) };
  return { kind: "value", ...toPlain(await madeBy(module["default"]), fileURLToPath(url)) };
}

function send(outcome: ImportOutcome): void {
  parentPort?.postMessage(outcome);
}

function describe(error: unknown): ImportFailure {
  if (!(error instanceof Error)) return { kind: "failure", message: String(error) };
  const { name, message, stack } = error;
  const code = "code" in error && typeof error.code === "string" ? { code: error.code } : {};
  return { kind: "failure", name, message, ...code, ...(stack === undefined ? {} : { stack }) };
}
