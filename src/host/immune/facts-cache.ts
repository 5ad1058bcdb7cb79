/**
 * Keeps on disk what compiling a rule set finds out about its patterns, so that a new B cell is ready at once: of the
 * half second that the Core Rule Set takes, most is that.
 *
 * A file is named after the hash of all that went into it: the rules' patterns and phrases, the engine's own source
 * files, and Node's version (its serialization). So nothing in it can be out of date, and nothing need be invalidated.
 * It is a cache: where it cannot be read, is damaged, or belongs to somebody else, the rule set is compiled anew, and
 * where it cannot be written nothing happens. It is written beside and renamed, so that no cell reads half a file.
 */
import { createHash } from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import v8 from "node:v8";
import type { BuiltinOptions, BuiltinScreen } from "../../immune/builtin/screen.ts";
import { buildBuiltin } from "../../immune/builtin/screen.ts";
import type { Facts } from "../../immune/seclang/compiled/facts.ts";
import { noFacts } from "../../immune/seclang/compiled/facts.ts";
import type { Rule } from "../../immune/seclang/rule.ts";
import { PHASES } from "../../immune/seclang/rule.ts";
import type { RuleSet } from "../../immune/seclang/rule-set.ts";
import type { Screen } from "../../immune/seclang/screen.ts";
import { buildScreen } from "../../immune/seclang/screen.ts";

/** Rule sets kept: revisions of the DNA, and organisms that share a folder. The oldest go first. */
const FILES_MAX = 8;
/** The Core Rule Set takes some 10 MB. A larger file is not read, nor written. */
const FILE_BYTES_MAX = 128 * 1024 * 1024;
const SUFFIX = ".rule-facts";
const DIGEST_BYTES = 32;

export interface CachedScreen {
  readonly screen: Screen;
  /** Whether the cache had it: for the log. */
  readonly fromCache: boolean;
}

/** `folder` is made where it is missing, for this user alone. */
export function buildScreenCached(rules: RuleSet, folder: string): CachedScreen {
  const file = path.join(folder, keyOf(rules) + SUFFIX);
  const known = read(file);
  const facts = known ?? noFacts();
  const screen = buildScreen(rules, facts);
  if (known === null) write(file, facts);
  return { screen, fromCache: known !== null };
}

export interface CachedBuiltin {
  readonly builtin: BuiltinScreen;
  readonly fromCache: boolean;
}

/** The built-in filters, from the same cache: without it they take a quarter of a second. */
export function buildBuiltinCached(options: Omit<BuiltinOptions, "facts">, folder: string): CachedBuiltin {
  const hash = createHash("sha256").update(process.version).update(engineHash()).update("built-in filters");
  // Which filters are off says which patterns there are.
  hash.update(JSON.stringify(options.exclude ?? []));
  const file = path.join(folder, hash.digest("hex") + SUFFIX);
  const known = read(file);
  const facts = known ?? noFacts();
  const builtin = buildBuiltin({ ...options, facts });
  if (known === null) write(file, facts);
  return { builtin, fromCache: known !== null };
}

function keyOf(rules: RuleSet): string {
  const hash = createHash("sha256").update(process.version).update(engineHash());
  for (const phase of PHASES) {
    for (const step of rules.phases[phase]) {
      if (step.kind === "marker") continue;
      for (let rule: Rule | null = step.rule; rule !== null; rule = rule.chained) {
        hash.update(JSON.stringify([rule.check?.operator, rule.check?.match.phrases]));
      }
    }
  }
  return hash.digest("hex");
}

let engine: Buffer | null = null;

/** Of the sources of the engine, as they run. A version number would be forgotten one day, and miss an attack. */
function engineHash(): Buffer {
  if (engine !== null) return engine;
  const hash = createHash("sha256");
  for (const part of ["seclang", "builtin"]) {
    const folder = path.resolve(import.meta.dirname, "../../immune", part);
    for (const name of fs.readdirSync(folder, { recursive: true, encoding: "utf8" }).sort()) {
      if (/\.[jt]s$/.test(name)) hash.update(name).update(fs.readFileSync(path.join(folder, name)));
    }
  }
  engine = hash.digest();
  return engine;
}

function read(file: string): Facts | null {
  let handle: number | null = null;
  try {
    handle = fs.openSync(file, fs.constants.O_RDONLY | fs.constants.O_NOFOLLOW);
    const { uid, mode, size } = fs.fstatSync(handle);
    // What others could write might leave out what attacks need.
    const isOurs = uid === process.getuid?.() && (mode & 0o022) === 0;
    if (!isOurs || size <= DIGEST_BYTES || size > FILE_BYTES_MAX) return null;
    const content = fs.readFileSync(handle);
    const payload = content.subarray(DIGEST_BYTES);
    if (!content.subarray(0, DIGEST_BYTES).equals(digestOf(payload))) return null;
    return v8.deserialize(payload) as Facts;
  } catch {
    return null;
  } finally {
    if (handle !== null) fs.closeSync(handle);
  }
}

function write(file: string, facts: Facts): void {
  const folder = path.dirname(file);
  const beside = `${file}.${process.pid}`;
  try {
    const payload = v8.serialize(facts);
    if (payload.length + DIGEST_BYTES > FILE_BYTES_MAX) return;
    fs.mkdirSync(folder, { recursive: true, mode: 0o700 });
    fs.writeFileSync(beside, Buffer.concat([digestOf(payload), payload]), { mode: 0o600, flag: "wx" });
    fs.renameSync(beside, file);
    removeOldest(folder);
  } catch {
    // A full disk, a folder of somebody else: the next cell compiles anew, and that is all.
    removeQuietly(beside);
  }
}

function removeQuietly(file: string): void {
  try {
    fs.rmSync(file, { force: true });
  } catch {
    // Then it was never there.
  }
}

function removeOldest(folder: string): void {
  const files = fs
    .readdirSync(folder)
    .filter((name) => name.endsWith(SUFFIX))
    .map((name) => path.join(folder, name))
    .map((file) => ({ file, at: fs.statSync(file).mtimeMs }))
    .sort((left, right) => right.at - left.at);
  for (const { file } of files.slice(FILES_MAX)) fs.rmSync(file, { force: true });
}

const digestOf = (payload: Uint8Array): Buffer => createHash("sha256").update(payload).digest();
