/**
 * From a folder and a command line to the organism's DNA, whole, frozen and named; or to all that is wrong.
 *
 * It finds the DNA file, reads it (evaluate.ts), lets it be judged (resolve.ts), makes its paths absolute and
 * looks whether the files are there. It runs in the command that starts or checks an organism, never in a
 * cell: cells inherit the result as JSON (inherit.ts).
 */
import { globSync } from "node:fs";
import * as path from "node:path";
import { assert } from "../lib/assert.ts";
import { deepFreeze } from "../lib/deep-freeze.ts";
import { findAppFile } from "./app-file.ts";
import { isWarning, type Diagnostic } from "./diagnostic.ts";
import type { Dna } from "./dna.ts";
import { evaluateDnaFile } from "./evaluate.ts";
import { fitName, machineFacts, packageFacts } from "./facts.ts";
import { fieldTree, mapStrings, type FieldNode } from "./fields.ts";
import { look, nearestFile } from "./files.ts";
import { revisionOf } from "./identity.ts";
import { formatKeyPath, type KeyPath } from "./key-path.ts";
import { resolveDna, type DnaOverrides } from "./resolve.ts";
import { dnaSchema, type DnaFacts, type PathKind } from "./schema.ts";
import { checkCertificates } from "./tls-check.ts";

export interface LoadDnaRequest {
  /** Absolute: where the command was run. Paths on the command line start here. */
  cwd: string;
  /** `--dna FILE`. Without it, a dna file in `cwd`; without that, all defaults. */
  dnaFile?: string | undefined;
  /** `[app]`. Goes before the DNA's. */
  app?: string | undefined;
  /** Flags that go before the DNA's keys. */
  overrides?: Omit<DnaOverrides, "app"> | undefined;
  /** Other than the machine's own in tests only. */
  machine?: Pick<DnaFacts, "cpuCount" | "memoryBytes"> | undefined;
  /** Other than DNA_LOAD_MS_MAX in tests only. */
  loadMsMax?: number | undefined;
}

export type LoadDnaResult =
  | {
      ok: true;
      /** Deeply frozen; JSON.stringify carries all of it. */
      dna: Dna;
      /** See identity.ts. */
      revision: string;
      /** Absolute; null when there is none and all is default. */
      dnaFile: string | null;
      warnings: Diagnostic[];
    }
  /** At least one error, and any warnings. The exit code is 2. */
  | { ok: false; dnaFile: string | null; diagnostics: Diagnostic[] };

export async function loadDna(request: LoadDnaRequest): Promise<LoadDnaResult> {
  assert(path.isAbsolute(request.cwd), `loadDna wants an absolute cwd, got ${request.cwd}`);
  const located = locate(request);
  if (!located.ok) return { ok: false, dnaFile: null, diagnostics: [located.diagnostic] };
  const { dnaFile, warnings } = located;

  const source =
    dnaFile === null
      ? empty
      : await evaluateDnaFile(dnaFile, request.loadMsMax === undefined ? {} : { msMax: request.loadMsMax });
  if (!source.ok) return { ok: false, dnaFile, diagnostics: [...source.diagnostics, ...warnings] };

  const folder = dnaFile === null ? request.cwd : path.dirname(dnaFile);
  const settled = settle(source.value, { request, folder });
  // What is no plain data was left out: that it is missing is no second mistake.
  const odd = source.diagnostics.map((diagnostic) => diagnostic.path ?? "");
  const judged = settled.diagnostics.filter(({ path = "" }) => !odd.some((place) => liesWithin(path, place)));
  const told = [...source.diagnostics, ...judged.map((diagnostic) => inFile(diagnostic, dnaFile))];
  const errors = told.filter((diagnostic) => !isWarning(diagnostic));
  warnings.push(...told.filter(isWarning));
  if (errors.length > 0) return { ok: false, dnaFile, diagnostics: [...errors, ...warnings] };

  const dna = deepFreeze(settled.dna);
  try {
    return { ok: true, dna, revision: await revisionOf(dna), dnaFile, warnings };
  } catch (error) {
    return { ok: false, dnaFile, diagnostics: [unreadableApp(dna.app, error), ...warnings] };
  }
}

/** Both as they are written: `listen[0].port` lies within `listen`, and everything within the DNA itself (""). */
function liesWithin(written: string, place: string): boolean {
  return place === "" || written === place || (written.startsWith(place) && /[.[]/.test(written[place.length] ?? ""));
}

function unreadableApp(app: string, error: unknown): Diagnostic {
  return {
    code: "CELLWS_E_APP_NOT_FOUND",
    path: "app",
    message: "the app cannot be read",
    found: `${app}: ${error instanceof Error ? error.message : String(error)}`,
    expected: "a file that this user may read",
    hint: "Look at its permissions, and at those of the folders above it.",
  };
}

const empty = { ok: true as const, value: {}, diagnostics: [] };

// ---- Which file ----------------------------------------------------------------------------------------

/** In order of preference: the source goes before what may have been compiled from it. */
export const dnaFileNames: readonly string[] = ["dna.ts", "dna.mts", "dna.js", "dna.mjs", "dna.cjs", "dna.json"];

type Located = { ok: true; dnaFile: string | null; warnings: Diagnostic[] } | { ok: false; diagnostic: Diagnostic };

function locate({ cwd, dnaFile, app }: LoadDnaRequest): Located {
  if (dnaFile !== undefined) return locateGiven(path.resolve(cwd, dnaFile));
  const [first, ...others] = dnaFilesIn(cwd);
  if (first !== undefined)
    return { ok: true, dnaFile: first, warnings: others.length === 0 ? [] : [severalFiles(first, others)] };
  // Never picked up from elsewhere: the same command must mean the same whatever lies beside the app.
  const [beside] = app === undefined ? [] : dnaFilesIn(path.dirname(path.resolve(cwd, app)));
  return { ok: true, dnaFile: null, warnings: beside === undefined ? [] : [unusedFile(beside)] };
}

function locateGiven(file: string): Located {
  const stats = look(file);
  if (stats?.isFile() === true) return { ok: true, dnaFile: file, warnings: [] };
  const [inside] = stats === null ? [] : dnaFilesIn(file);
  const near = inside ?? nearestFile(file);
  return {
    ok: false,
    diagnostic: {
      code: "CELLWS_E_DNA_NOT_FOUND",
      path: "--dna",
      message: "the DNA file was not found",
      found: stats === null ? `nothing at ${file}` : `${file} is not a file`,
      expected: `a file such as ${dnaFileNames[0]}`,
      ...(near === null ? {} : { hint: `Did you mean ${near}?` }),
    },
  };
}

function dnaFilesIn(folder: string): string[] {
  return dnaFileNames.map((name) => path.join(folder, name)).filter((file) => look(file)?.isFile() === true);
}

function severalFiles(used: string, others: readonly string[]): Diagnostic {
  return {
    code: "CELLWS_W_DNA_SEVERAL",
    message: `${path.basename(used)} is used, and not ${others.map((file) => path.basename(file)).join(", ")}`,
    found: `${others.length + 1} DNA files in ${path.dirname(used)}`,
    expected: "one, or --dna with the one that is meant",
    hint: "Remove what is left over from an earlier build, or choose with --dna.",
  };
}

function unusedFile(beside: string): Diagnostic {
  return {
    code: "CELLWS_W_DNA_UNUSED",
    message: "there is a DNA file beside the app, and it is not used",
    found: beside,
    expected: "a DNA file in the current folder, or --dna",
    hint: `To use it: --dna ${beside}`,
  };
}

// ---- What it says --------------------------------------------------------------------------------------

interface Settled {
  /** To be used only where there are no diagnostics. */
  dna: Dna;
  diagnostics: Diagnostic[];
}

function settle(value: unknown, { request, folder }: { request: LoadDnaRequest; folder: string }): Settled {
  const { name, main } = packageFacts(folder);
  const facts: DnaFacts = { ...(request.machine ?? machineFacts()), name: fitName(name, folder), folder };
  const app = whichApp(value, { request, main });
  const overrides = { ...request.overrides, ...(app.source === "command line" ? { app: app.path } : {}) };
  const input = app.source === "package.json" ? { ...(value as object), app: app.path } : value;

  const schema = dnaSchema(facts);
  const resolution = resolveDna({ input, schema, overrides });
  const dna = resolution.ok ? resolution.dna : resolution.mended;
  const isMended = resolution.ok ? () => false : resolution.isMended;
  const tree = fieldTree(schema);
  const absolute = mapStrings(tree, dna, (text, node) =>
    node.pathOf === undefined ? text : path.resolve(folder, text),
  );

  const missing = missingPaths(tree, absolute).filter((finding) => !isMended(finding.path));
  const found = isMended(["app"]) ? null : findAppFile(absolute.app);
  const isListenSound = resolution.ok && missing.every((finding) => finding.path[0] !== "listen");
  return {
    dna: found?.ok === true ? { ...absolute, app: found.file } : absolute,
    diagnostics: [
      ...(resolution.ok ? [] : resolution.diagnostics),
      ...missing.map((finding) => finding.diagnostic),
      ...(isListenSound ? checkCertificates(absolute, Date.now()) : []),
      ...(found === null || found.ok ? [] : [{ ...found.diagnostic, path: appLabels[app.source] }]),
    ],
  };
}

type WhichApp = { source: "command line" | "package.json"; path: string } | { source: "dna" };

const appLabels = {
  "command line": "app (on the command line)",
  "package.json": "main (in package.json)",
  dna: "app",
} as const;

function whichApp(value: unknown, { request, main }: { request: LoadDnaRequest; main: string | null }): WhichApp {
  // An empty one stays empty: resolved against a folder it would mean the folder.
  if (request.app !== undefined)
    return { source: "command line", path: request.app && path.resolve(request.cwd, request.app) };
  const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
  const isGiven = isObject && "app" in value && value.app !== undefined;
  return isObject && !isGiven && main !== null ? { source: "package.json", path: main } : { source: "dna" };
}

function missingPaths(tree: FieldNode, dna: Dna): Array<{ path: KeyPath; diagnostic: Diagnostic }> {
  const missing: Array<{ path: KeyPath; diagnostic: Diagnostic }> = [];
  mapStrings(tree, dna, (text, { pathOf }, place) => {
    // The app has its own search: it may be a folder, and a miss is told with a near one.
    if (pathOf === undefined || place[0] === "app") return text;
    const found = pathKinds[pathOf].objection(text);
    if (found !== null) missing.push({ path: place, diagnostic: deadPath(place, { text, pathOf, found }) });
    return text;
  });
  return missing;
}

interface PathExpectation {
  expected: string;
  /** What is wrong at the path, or null. */
  objection: (file: string) => string | null;
}

const pathKinds = {
  any: { expected: "a path", objection: () => null },
  file: {
    expected: "a file that exists",
    objection: (file) => {
      const stats = look(file);
      if (stats === null) return `nothing at ${file}`;
      // A pipe is what `<(...)` in a shell gives, and how some secret stores hand over keys.
      return stats.isFile() || stats.isFIFO() ? null : `${file} is not a file`;
    },
  },
  folder: {
    expected: "a folder that exists",
    objection: (folder) => {
      const stats = look(folder);
      if (stats === null) return `nothing at ${folder}`;
      return stats.isDirectory() ? null : `${folder} is not a folder`;
    },
  },
  files: {
    expected: "a file, a folder, or a pattern that fits a file",
    objection: (pattern) => {
      if (look(pattern) !== null) return null;
      if (!/[*?[]/.test(pattern)) return `nothing at ${pattern}`;
      return globSync(pattern).length > 0 ? null : `no file fits ${pattern}`;
    },
  },
  output: {
    expected: "a file in a folder that exists",
    objection: (file) => {
      if (look(file)?.isDirectory() === true) return `${file} is a folder`;
      return look(path.dirname(file))?.isDirectory() === true ? null : `no folder ${path.dirname(file)}`;
    },
  },
} satisfies Record<PathKind, PathExpectation>;

function deadPath(
  place: KeyPath,
  { text, pathOf, found }: { text: string; pathOf: PathKind; found: string },
): Diagnostic {
  const near = pathOf === "file" || pathOf === "files" ? nearestFile(text) : null;
  return {
    code: "CELLWS_E_DNA_PATH",
    path: formatKeyPath(place),
    message: `${formatKeyPath(place)} leads nowhere`,
    found,
    expected: pathKinds[pathOf].expected,
    hint: near === null ? "Paths in the DNA start from the folder that it lies in." : `Did you mean ${near}?`,
  };
}

/** What a flag or package.json says is not in the DNA file. */
function inFile(diagnostic: Diagnostic, dnaFile: string | null): Diagnostic {
  const isElsewhere = diagnostic.file !== undefined || dnaFile === null || /^--|\(/.test(diagnostic.path ?? "");
  return isElsewhere ? diagnostic : { ...diagnostic, file: dnaFile };
}
