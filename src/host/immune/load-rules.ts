/**
 * Reads rule sets from disk: the files that the DNA names, what they include, and the data files beside them.
 *
 * Files are byte strings here (Latin-1), as values are: a pattern that spells out UTF-8 must meet the same bytes.
 * It is synchronous: a cell that filters must not take requests before its rules are there, and has nothing else to do.
 */
import fs from "node:fs";
import path from "node:path";
import type { Directive } from "../../immune/seclang/ast.ts";
import { SECLANG_LIMITS } from "../../immune/seclang/limits.ts";
import type { ProvidedOperators } from "../../immune/seclang/operators/table.ts";
import { parseSecLang } from "../../immune/seclang/parse.ts";
import type { RuleSet } from "../../immune/seclang/rule-set.ts";
import { buildRuleSet } from "../../immune/seclang/rule-set.ts";
import type { Place } from "../../immune/seclang/rule-error.ts";
import { ruleError } from "../../immune/seclang/rule-error.ts";

export interface LoadRulesOptions {
  /** By default those that need a database of countries or the DNS never match, and the rule set's notices say so. */
  readonly operators?: ProvidedOperators;
  /** Stand before those of the files: what the DNA says (paranoia and the like). */
  readonly prologue?: readonly Directive[];
  /** Stand behind them: what the files must not decide. */
  readonly epilogue?: readonly Directive[];
}

/**
 * `paths` are files, folders (all their `*.conf`, by name) or patterns with `*`, read in this order.
 *
 * @example loadRules(["crs-setup.conf", "rules/*.conf"])
 */
export function loadRules(paths: readonly string[], options: LoadRulesOptions = {}): RuleSet {
  const files = { left: SECLANG_LIMITS.ruleFilesMax };
  const directives = paths.flatMap((pattern) => {
    const place: Place = { file: pattern, line: 0 };
    return filesOf(path.resolve(pattern), place, false).flatMap((file) => readRuleFile(file, place, files, 0));
  });
  return buildRuleSet([...(options.prologue ?? []), ...directives, ...(options.epilogue ?? [])], {
    readData: dataReader(),
    operators: { geoLookup: "never", rbl: "never", ...options.operators },
  });
}

function readRuleFile(file: string, from: Place, files: { left: number }, depth: number): Directive[] {
  if (depth > SECLANG_LIMITS.includeDepthMax || files.left === 0) {
    throw ruleError("CELLWS_E_RULE_LIMIT", from, "too many files included, or a file that includes itself", {
      found: file,
      expected: `at most ${SECLANG_LIMITS.ruleFilesMax} files, ${SECLANG_LIMITS.includeDepthMax} deep`,
    });
  }
  files.left -= 1;
  return parseSecLang(readText(file, from), file).flatMap((directive) => {
    if (directive.kind !== "include") return [directive];
    const pattern = path.resolve(path.dirname(file), directive.pattern);
    return filesOf(pattern, directive.place, directive.optional).flatMap((included) =>
      readRuleFile(included, directive.place, files, depth + 1),
    );
  });
}

/** Files that a path means, sorted by name: their order is part of a rule set's meaning. */
function filesOf(pattern: string, place: Place, optional: boolean): string[] {
  const isFolder = fs.statSync(pattern, { throwIfNoEntry: false })?.isDirectory() === true;
  if (!isFolder && !/[*?[]/.test(pattern)) {
    return optional && !fs.existsSync(pattern) ? [] : [pattern];
  }
  const found = fs.globSync(isFolder ? path.join(pattern, "*.conf") : pattern).sort();
  if (found.length > 0 || optional) return found;
  throw ruleError("CELLWS_E_RULE_FILE", place, isFolder ? "a folder without rule files" : "no file fits", {
    found: pattern,
    expected: isFolder ? "files that end in .conf" : "a file at least",
    hint: "Write IncludeOptional for files that need not be there.",
  });
}

function dataReader(): (name: string, place: Place) => string {
  const read = new Map<string, string>();
  return (name, place) => {
    const file = path.resolve(path.dirname(place.file), name);
    const text = read.get(file) ?? readText(file, place);
    read.set(file, text);
    return text;
  };
}

function readText(file: string, place: Place): string {
  try {
    const { size } = fs.statSync(file);
    if (size <= SECLANG_LIMITS.ruleFileBytesMax) return fs.readFileSync(file, "latin1");
  } catch (cause) {
    throw ruleError("CELLWS_E_RULE_FILE", place, `a file that cannot be read (${(cause as Error).message})`, {
      found: file,
      hint: "Paths within a rule file are taken from the folder of that file.",
      cause,
    });
  }
  throw ruleError("CELLWS_E_RULE_LIMIT", place, `a file of more than ${SECLANG_LIMITS.ruleFileBytesMax} bytes`, {
    found: file,
  });
}
