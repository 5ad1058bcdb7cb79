/**
 * From what the user wrote to the resolved DNA, or to everything that is wrong with it. Pure.
 *
 * Order: the command line is laid over the DNA, keys that nothing acts on yet are refused, the schema judges
 * each key, the rules judge keys against each other. A mistake does not end the judging: what was wrong is
 * set aside, so that the rest is still checked, and one run of `cellws check` tells all.
 *
 * Paths stay as they were written; load.ts makes them absolute and looks whether the files are there.
 */
import type { Diagnostic } from "./diagnostic.ts";
import { diagnose, type Finding, type Issue } from "./diagnose.ts";
import type { Dna } from "./dna.ts";
import { fieldTree } from "./fields.ts";
import { foundText } from "./found.ts";
import { formatKeyPath, isWithin, valueAt, type KeyPath } from "./key-path.ts";
import { findLater, laterKeys, type LaterKey } from "./later.ts";
import { findConflicts } from "./rules.ts";
import type { DnaSchema } from "./schema.ts";

/** What the command line lays over the DNA. Text as it was typed is welcome: it is judged here. */
export interface DnaOverrides {
  app?: string | undefined;
  /** `--port`: of the first listener. */
  port?: string | number | undefined;
  /** `--host`: of the first listener. */
  host?: string | undefined;
  /** `--name` */
  name?: string | undefined;
  /** `--admin-port` */
  adminPort?: string | number | undefined;
  /** `--record` */
  record?: string | undefined;
}

export interface ResolveRequest {
  /** Plain data. Anything may be in it. */
  input: unknown;
  /** Made for the machine: see DnaFacts. */
  schema: DnaSchema;
  overrides?: DnaOverrides | undefined;
  /** Other than laterKeys in tests only. */
  later?: readonly LaterKey[] | undefined;
}

export type Resolution =
  | { ok: true; dna: Dna }
  | {
      ok: false;
      diagnostics: Diagnostic[];
      /** The DNA with defaults for what was mistaken: to look for further mistakes in, never to be used. */
      mended: Dna;
      isMended: (path: KeyPath) => boolean;
    };

export function resolveDna({ input, schema, overrides = {}, later = laterKeys }: ResolveRequest): Resolution {
  const isDna = isObject(input);
  const { merged, flags } = override(isDna ? input : {}, overrides);
  const laterFindings = findLater(merged, later);
  const laterPlaces = laterFindings.map((finding) => finding.path);
  const { dna, findings, mended } = judge(without(merged, laterPlaces), schema);

  const diagnostics = isDna
    ? [...laterFindings, ...findings].map((finding) => tellFlag(finding, flags))
    : [notAnObject(input)];
  if (diagnostics.length === 0) return { ok: true, dna };
  const places = [...laterPlaces, ...mended];
  return { ok: false, diagnostics, mended: dna, isMended: (path) => places.some((place) => isWithin(path, place)) };
}

/** An empty DNA means all defaults; a list, a string or nothing at all means a slip. */
function notAnObject(value: unknown): Diagnostic {
  return {
    code: "CELLWS_E_DNA_NOT_OBJECT",
    message: "the DNA is not an object",
    found: foundText(value),
    expected: 'an object such as { app: "./server.js" }',
    hint: "Export the object itself, or a function that returns it.",
  };
}

// ---- Judging -------------------------------------------------------------------------------------------

interface Judgement {
  /** Whole even where there are findings: then mistaken keys have their defaults. */
  dna: Dna;
  findings: Finding[];
  mended: KeyPath[];
}

/** One DNA is judged in one process: for zod to compile its schema first would cost ten times what it saves. */
const ONCE = { jitless: true };

function judge(input: unknown, schema: DnaSchema): Judgement {
  const parsed = schema.safeParse(input, ONCE);
  if (parsed.success)
    return { dna: parsed.data, findings: conflictsOf(parsed.data, { input, mended: [] }), mended: [] };

  const findings = diagnose(parsed.error.issues, { input, tree: fieldTree(schema) });
  const { dna, mended } = mend(schema, { input, issues: parsed.error.issues });
  return { dna, findings: [...findings.map(explainMissingApp), ...conflictsOf(dna, { input, mended })], mended };
}

function conflictsOf(dna: Dna, { input, mended }: { input: unknown; mended: readonly KeyPath[] }): Finding[] {
  const isMended = (path: KeyPath): boolean => mended.some((place) => isWithin(path, place));
  return findConflicts(dna)
    .filter(({ path, others }) => ![path, ...others].some(isMended))
    .map(({ path, others, hint, ...told }) => {
      const unset = [path, ...others].filter((place) => valueAt(input, place) === undefined).map(formatKeyPath);
      return {
        path,
        others,
        diagnostic: {
          code: "CELLWS_E_DNA_CONFLICT",
          path: formatKeyPath(path),
          ...told,
          // Nobody looks for a key that they never wrote.
          hint: unset.length === 0 ? hint : `${hint} Not set, so at its default: ${unset.join(", ")}.`,
        },
      };
    });
}

/** A DNA without an app is sound in itself: the command line may give it. So this has a code of its own. */
function explainMissingApp(finding: Finding): Finding {
  if (finding.diagnostic.code !== "CELLWS_E_DNA_MISSING" || formatKeyPath(finding.path) !== "app") return finding;
  return {
    path: finding.path,
    diagnostic: {
      code: "CELLWS_E_APP_NOT_GIVEN",
      path: "app",
      message: "no app was given",
      found: "no app on the command line, none in the DNA, no main in package.json",
      expected: "the file that starts your app",
      hint: 'Name it: `cellws start server.js`; or write app: "./server.js" into dna.ts.',
    },
  };
}

/** Each round mends every issue that the one before brought to light; a mended key has no deeper ones. */
const MEND_ROUNDS_MAX = 16;

/** Takes out what is wrong until the rest is sound. Ends because each round removes what it complains of. */
function mend(
  schema: DnaSchema,
  { input, issues }: { input: unknown; issues: readonly Issue[] },
): { dna: Dna; mended: KeyPath[] } {
  const mended: KeyPath[] = [];
  let rest = input;
  let open = issues;
  for (let round = 0; round < MEND_ROUNDS_MAX; round += 1) {
    const places = open.flatMap((issue) => placesToMend(issue, round));
    mended.push(...places);
    rest = without(rest, places);
    const parsed = schema.safeParse({ app: "mended", ...(rest as object) }, ONCE);
    if (parsed.success) return { dna: parsed.data, mended };
    open = parsed.error.issues;
  }
  return { dna: schema.parse({ app: "mended" }, ONCE), mended: [[]] };
}

function placesToMend(issue: Issue, round: number): KeyPath[] {
  const path = issue.path as KeyPath;
  if (issue.code === "unrecognized_keys") return issue.keys.map((key) => [...path, key]);
  // What is still wrong after it was taken out is missing: mended by leaving out the group that lacks it.
  return round === 0 ? [path] : [path.slice(0, -1)];
}

// ---- The command line ----------------------------------------------------------------------------------

interface Flag {
  path: KeyPath;
  /** As users know it. */
  name: string;
}

/** Later flags lie over the DNA as if its author had written them; `flags` remembers where they came from. */
function override(input: object, overrides: DnaOverrides): { merged: unknown; flags: Flag[] } {
  const merged = clone(input) as Record<string, unknown>;
  // Some editors are told by it which schema a dna.json follows; it says nothing about the organism.
  delete merged["$schema"];
  const flags: Flag[] = [];
  const put = (path: KeyPath, name: string, value: unknown): void => {
    if (value === undefined) return;
    if (setAt(merged, path, value)) flags.push({ path, name });
  };
  put(["app"], "app (on the command line)", overrides.app);
  put(["listen", 0, "port"], "--port", numberIfDigits(overrides.port));
  put(["listen", 0, "host"], "--host", overrides.host);
  put(["name"], "--name", overrides.name);
  put(["admin", "port"], "--admin-port", numberIfDigits(overrides.adminPort));
  put(["logs", "events"], "--record", overrides.record);
  return { merged, flags };
}

function numberIfDigits(value: string | number | undefined): string | number | undefined {
  return typeof value === "string" && /^-?\d{1,15}$/.test(value) ? Number(value) : value;
}

/** Who typed `--port` never saw `listen[0].port`. */
function tellFlag({ diagnostic, path, others = [] }: Finding, flags: readonly Flag[]): Diagnostic {
  // A key that is refused as a whole (admin) may be there only because of a flag for one of its keys.
  const own =
    flags.find((flag) => isWithin(path, flag.path)) ??
    flags.find((flag) => isWithin(flag.path, path) && diagnostic.code === "CELLWS_E_NOT_YET");
  if (own !== undefined) {
    return { ...diagnostic, path: own.name, message: diagnostic.message.replace(formatKeyPath(path), own.name) };
  }
  const other = flags.find((flag) => others.some((place) => isWithin(place, flag.path)));
  if (other === undefined) return diagnostic;
  const hint = `${formatKeyPath(other.path)} came from ${other.name}.`;
  return { ...diagnostic, path: other.name, hint: [diagnostic.hint, hint].filter(Boolean).join(" ") };
}

// ---- Plain data ----------------------------------------------------------------------------------------

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function clone(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(clone);
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, child]) => [key, clone(child)]));
}

/** Sets a value, making what is missing on the way. False where something else stands in the way: that is judged then. */
function setAt(root: Record<string, unknown>, path: KeyPath, value: unknown): boolean {
  let at: Record<string | number, unknown> = root;
  for (const [index, key] of path.slice(0, -1).entries()) {
    at[key] ??= typeof path[index + 1] === "number" ? [] : {};
    const next = at[key];
    if (typeof next !== "object" || next === null || Array.isArray(next) !== (typeof path[index + 1] === "number"))
      return false;
    at = next as Record<string | number, unknown>;
  }
  at[path.at(-1)!] = value;
  return true;
}

/**
 * A copy without what is at `places`. An item of a list is replaced by {} and not taken out, so that the
 * items after it keep their places and what is said of them stays right; a list of anything but objects is
 * taken out whole.
 */
function without(root: unknown, places: readonly KeyPath[]): unknown {
  const copy = clone(root);
  for (const path of places) {
    if (path.length === 0) return {};
    remove(copy, path);
  }
  return copy;
}

function remove(root: unknown, path: KeyPath): void {
  const ways: unknown[] = [root];
  for (const key of path.slice(0, -1)) {
    const next = (ways.at(-1) as Record<string | number, unknown> | null)?.[key];
    if (typeof next !== "object" || next === null) return;
    ways.push(next);
  }
  const parent = ways.at(-1) as Record<string | number, unknown>;
  const key = path.at(-1)!;
  if (!Array.isArray(parent)) delete parent[key];
  else if (parent.some((item) => isObject(item))) parent[Number(key)] = {};
  else remove(root, path.slice(0, -1));
}
