/**
 * From a DNA file to the value that it exports, or to why there is none.
 *
 * JSON is parsed here. Everything else is a program and runs in a worker thread under a time limit
 * (import-worker.ts). What the file prints goes to stderr, so that `cellws check --json` stays JSON.
 * Whether the value is a sound DNA is not asked here.
 */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import * as path from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { Worker } from "node:worker_threads";
import { unreachable } from "../lib/assert.ts";
import type { Diagnostic } from "./diagnostic.ts";
import { isRunnable, moduleExtensions, nearestFile } from "./files.ts";
import type { ImportFailure, ImportOutcome, ImportWorkerData } from "./import-worker.ts";
import { formatKeyPath } from "./key-path.ts";
import { toPlain, type OddValue } from "./plain.ts";

/** A DNA may ask a secret store; what takes longer is no configuration. */
export const DNA_LOAD_MS_MAX = 10_000;

export type Evaluation =
  /** `value` without what is odd: each odd place has its diagnostic, with its path. */
  { ok: true; value: unknown; diagnostics: Diagnostic[] } | { ok: false; diagnostics: Diagnostic[] };

/** `file` is absolute and exists. */
export async function evaluateDnaFile(file: string, { msMax = DNA_LOAD_MS_MAX } = {}): Promise<Evaluation> {
  if (path.extname(file) === ".json") return parseJsonFile(file);
  if (!isRunnable(file)) return failed(unknownExtension(file));
  const outcome = await runWorker(file, msMax);
  switch (outcome.kind) {
    case "value":
      return { ok: true, value: outcome.value, diagnostics: outcome.odd.map((odd) => oddValue(odd, file)) };
    case "no-export":
      return failed(noExport(file, outcome.names));
    case "unsettled":
      return failed(neverSettles(file));
    case "too-long":
      return failed(tooLong(file, msMax));
    case "ended":
      return failed(ended(file, outcome.exitCode));
    case "failure":
      return failed(explainFailure(outcome, file));
    default:
      return unreachable(outcome);
  }
}

function failed(diagnostic: Diagnostic): Evaluation {
  return { ok: false, diagnostics: [diagnostic] };
}

// ---- Running -------------------------------------------------------------------------------------------

type WorkerOutcome = ImportOutcome | { kind: "too-long" } | { kind: "ended"; exitCode: number };

function runWorker(file: string, msMax: number): Promise<WorkerOutcome> {
  // As sources this is .ts, as published .js; so are its neighbours.
  const extension = path.extname(fileURLToPath(import.meta.url));
  const workerData: ImportWorkerData = {
    url: pathToFileURL(file).href,
    cellwsUrl: new URL(`../index${extension}`, import.meta.url).href,
  };
  const worker = new Worker(new URL(`./import-worker${extension}`, import.meta.url), {
    workerData,
    stdout: true,
    // An untyped package.json beside dna.ts costs a millisecond of guessing: no reason for a warning.
    execArgv: ["--disable-warning=MODULE_TYPELESS_PACKAGE_JSON"],
  });
  worker.stdout.pipe(process.stderr, { end: false });

  return new Promise<WorkerOutcome>((resolve) => {
    const timer = setTimeout(() => resolve({ kind: "too-long" }), msMax);
    worker.once("message", resolve);
    // An error that nobody in the file waited for, or memory that ran out.
    worker.once("error", (error: Error) => resolve({ kind: "failure", ...ownProperties(error) }));
    worker.once("exit", (exitCode) => resolve({ kind: "ended", exitCode }));
    worker.once("exit", () => clearTimeout(timer));
  }).finally(() => worker.terminate());
}

/** Error's properties are not enumerable: a spread would lose them. */
function ownProperties(error: Error): Omit<ImportFailure, "kind"> {
  const code = "code" in error && typeof error.code === "string" ? { code: error.code } : {};
  const stack = error.stack === undefined ? {} : { stack: error.stack };
  return { name: error.name, message: error.message, ...code, ...stack };
}

// ---- JSON ----------------------------------------------------------------------------------------------

function parseJsonFile(file: string): Evaluation {
  let text: string;
  try {
    // Editors on Windows put a byte order mark first; JSON.parse takes it for a syntax error.
    text = readFileSync(file, "utf8")
      .replace(/^\uFEFF/, "")
      .trimEnd();
  } catch (error) {
    return failed(unreadable(file, error));
  }
  try {
    const { value, odd } = toPlain(JSON.parse(text), file);
    return { ok: true, value, diagnostics: odd.map((place) => oddValue(place, file)) };
  } catch (error) {
    return failed(notJson(file, { text, message: messageOf(error) }));
  }
}

function notJson(file: string, { text, message }: { text: string; message: string }): Diagnostic {
  return {
    code: "CELLWS_E_DNA_SYNTAX",
    message: "the DNA file is not JSON",
    file,
    ...placeInJson(text, message),
    found: message,
    expected: "JSON: keys and strings in double quotes, no comments, no comma after the last item",
    hint: "Rename it to dna.ts and write `export default` before it, if you want comments.",
  };
}

function unreadable(file: string, error: unknown): Diagnostic {
  return {
    code: "CELLWS_E_DNA_NOT_FOUND",
    message: "the DNA file cannot be read",
    file,
    found: messageOf(error),
    expected: "a file that this user may read",
    hint: "Look at its permissions, and at those of the folders above it.",
  };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** V8 tells the place in one of two ways, or, at the end of the text, not at all. */
function placeInJson(text: string, message: string): { line: number; column: number; frame: string } {
  const told = /line (\d+) column (\d+)/.exec(message);
  const lines = text.split("\n");
  const line = told === null ? lines.length : Number(told[1]);
  const source = lines[line - 1] ?? "";
  const column = told === null ? source.length + 1 : Number(told[2]);
  return { line, column, frame: frameOf(source, column) };
}

function frameOf(source: string, column: number): string {
  return `${source}\n${" ".repeat(Math.max(0, column - 1))}^`;
}

// ---- Explaining ----------------------------------------------------------------------------------------

function unknownExtension(file: string): Diagnostic {
  return {
    code: "CELLWS_E_DNA_FILE_TYPE",
    message: "the DNA is in a kind of file that cannot be read",
    file,
    found: path.extname(file) === "" ? "no extension" : path.extname(file),
    expected: [...moduleExtensions, ".json"].join(", "),
    hint: "Write it as dna.ts: `export default { ... }`.",
  };
}

function noExport(file: string, names: readonly string[]): Diagnostic {
  return {
    code: "CELLWS_E_DNA_NO_EXPORT",
    message: "the DNA file has no default export",
    file,
    found: names.length === 0 ? "no exports" : `exports named ${names.join(", ")}`,
    expected: "export default defineDna({ ... })",
    hint: "Write `export default` before the object, or before the function that returns it.",
  };
}

function neverSettles(file: string): Diagnostic {
  return {
    code: "CELLWS_E_DNA_TIMEOUT",
    message: "the DNA never comes to an end",
    file,
    found: "an await on something that nothing will ever settle",
    expected: "a file, or a function exported by it, that ends",
    hint: "Look at each await: a promise whose resolve is never called waits for ever.",
  };
}

function tooLong(file: string, msMax: number): Diagnostic {
  return {
    code: "CELLWS_E_DNA_TIMEOUT",
    message: `the DNA was not ready after ${msMax} ms`,
    file,
    found: "still running or waiting",
    expected: `at most ${msMax} ms to load`,
    hint: "Look for an endless loop, or an await on a server that does not answer: give it a timeout of its own.",
  };
}

function ended(file: string, exitCode: number): Diagnostic {
  return {
    code: "CELLWS_E_DNA_THROWS",
    message: "the DNA ended the process instead of exporting something",
    file,
    found: `process.exit(${exitCode})`,
    expected: "an export",
    hint: "Throw an Error that says what is missing: it is shown with its place.",
  };
}

function oddValue({ path: place, what }: OddValue, file: string): Diagnostic {
  const where = formatKeyPath(place);
  return {
    code: "CELLWS_E_DNA_NOT_PLAIN",
    ...(where === "" ? {} : { path: where }),
    message: where === "" ? "the DNA is not plain data" : `${where} is not plain data`,
    file,
    found: what,
    expected: "objects, lists, strings, numbers, true, false or null",
    hint: "The DNA is handed from cell to cell as JSON, which cannot carry this.",
  };
}

/** Syntax, TypeScript that needs compiling, an import that leads nowhere, or an error that was thrown. */
function explainFailure(failure: ImportFailure, file: string): Diagnostic {
  const { code, name, message, stack = "" } = failure;
  if (code === "ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX") return needsCompiling(failure, file);
  if (code === "ERR_UNSUPPORTED_NODE_MODULES_TYPE_STRIPPING") return typescriptInPackages(failure, file);
  if (code === "EACCES" && frameInUserCode(stack) === null) return unreadable(file, new Error(message));
  if (code === "ERR_MODULE_NOT_FOUND" || code === "MODULE_NOT_FOUND") return importNotFound(failure, file);
  if (name === "SyntaxError" && / does not provide an export named /.test(message)) {
    return {
      code: "CELLWS_E_DNA_IMPORT",
      message: "the DNA imports something that is not there",
      ...placeOf(stack, file),
      found: message,
      expected: "a name that the module exports",
      hint: "Check the name, and whether it is the module's default export (no braces) or a type (`import type`).",
    };
  }
  // A SyntaxError with a frame of the user's was thrown by running code, such as JSON.parse.
  if (name === "SyntaxError" && frameInUserCode(stack) === null) return syntaxError(failure, file);
  return {
    code: "CELLWS_E_DNA_THROWS",
    message: "the DNA threw an error while it was loaded",
    ...placeOf(stack, file),
    found: name === undefined ? message : `${name}: ${message}`,
    expected: "an export",
    hint: "Mend what it says, at the place it names.",
  };
}

function syntaxError({ message, stack = "" }: ImportFailure, file: string): Diagnostic {
  // For ES modules V8 keeps the place to itself until Node prints it: so have it printed.
  const place = headOf(stack) ?? headOf(checkedByNode(file)) ?? { file };
  return {
    code: "CELLWS_E_DNA_SYNTAX",
    message: "the DNA file cannot be parsed",
    ...place,
    found: message,
    expected: /\.[cm]?ts$/.test(place.file) ? "TypeScript that only needs its types left out" : "JavaScript",
    hint:
      "line" in place
        ? "Often a comma or a bracket is missing just before the mark."
        : "It may also be in a module that this file imports.",
  };
}

function needsCompiling({ message, stack = "" }: ImportFailure, file: string): Diagnostic {
  return {
    code: "CELLWS_E_DNA_TYPESCRIPT",
    message: "the DNA uses TypeScript that cannot run without a compiler",
    ...(headOf(stack) ?? { file }),
    found: message,
    expected: "TypeScript that runs when its types are left out",
    hint: /enum/i.test(message)
      ? 'Write the enum as an object: const Level = { low: "low", high: "high" } as const.'
      : "Node leaves types out and compiles nothing: no enum, no namespace with values, no parameter properties, no `import x = require()`. Write it without, or compile the file and use --dna with the result.",
  };
}

function typescriptInPackages({ message }: ImportFailure, file: string): Diagnostic {
  return {
    code: "CELLWS_E_DNA_TYPESCRIPT",
    message: "the DNA needs a TypeScript file that lies under node_modules",
    file,
    found: message,
    expected: "packages that ship JavaScript",
    hint: "Node does not strip types under node_modules. Import the package's compiled files, or copy what you need beside the DNA.",
  };
}

function importNotFound({ message, stack = "" }: ImportFailure, file: string): Diagnostic {
  const wanted = /Cannot find (?:module|package) '([^']+)'/.exec(message)?.[1];
  const isFile = wanted !== undefined && path.isAbsolute(wanted);
  const near = isFile ? nearestFile(wanted) : null;
  return {
    code: "CELLWS_E_DNA_IMPORT",
    message: "the DNA imports something that is not there",
    ...placeOf(stack, /imported from ([^\n]+)$/.exec(message)?.[1] ?? file),
    found: message.split("\n")[0]!,
    expected: isFile ? "a file that exists, named with its extension" : "a package that is installed",
    hint:
      near !== null
        ? `Did you mean ${path.basename(near)}?`
        : isFile
          ? "Check the path; Node wants the extension too (./config.ts, not ./config)."
          : `Install it where the DNA is: npm install ${wanted ?? "<package>"}.`,
  };
}

interface Place {
  file: string;
  line?: number;
  column?: number;
  frame?: string;
}

/** Node puts the place of a syntax error before the stack: "file:line", the source, a mark under it. */
function headOf(stack: string): Place | null {
  const head = /^(file:\/\/[^\n]+|\/[^\n]+):(\d+)\n(?:[^\n]*\n){0,20}?([^\n]*)\n(\s*)(\^+)\s*\n/.exec(stack);
  if (head === null) return null;
  const [, where, line, source, indent, mark] = head;
  return { file: toPath(where!), line: Number(line), column: indent!.length + 1, frame: `${source}\n${indent}${mark}` };
}

/** Where the user's code was, or the whole file. */
function placeOf(stack: string, file: string): Place {
  return frameInUserCode(stack) ?? headOf(stack) ?? { file };
}

/** The innermost frame that is neither Node's, nor ours, nor in a package. */
function frameInUserCode(stack: string): Place | null {
  const ownFolder = path.dirname(fileURLToPath(import.meta.url));
  for (const row of stack.split("\n")) {
    // An absolute path or a file URL; Node's own frames begin with "node:".
    const frame = /^\s+at (?:.*[( ])?((?:file:\/\/)?\/[^():]+):(\d+):(\d+)\)?$/.exec(row);
    if (frame === null) continue;
    const file = toPath(frame[1]!);
    if (path.dirname(file) === ownFolder || file.includes("/node_modules/")) continue;
    return { file, line: Number(frame[2]), column: Number(frame[3]) };
  }
  return null;
}

function toPath(where: string): string {
  return where.startsWith("file://") ? fileURLToPath(where) : where;
}

/** A second look by a fresh Node costs some 30 ms, on the way to an error message only. */
const NODE_CHECK_MS_MAX = 5_000;

function checkedByNode(file: string): string {
  return spawnSync(process.execPath, ["--check", file], { encoding: "utf8", timeout: NODE_CHECK_MS_MAX }).stderr;
}
