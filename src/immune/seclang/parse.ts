/**
 * Reads a SecLang file into directives.
 *
 * One file at a time and without I/O: `Include` comes back as a directive, for the loader to follow. Nothing is
 * skipped in silence: a directive that is not in the tables is an error that names its line.
 */
import { nearest } from "../../lib/nearest.ts";
import type { ActionUse, Directive, IdRange, RuleSelector } from "./ast.ts";
import { SECLANG_LIMITS } from "./limits.ts";
import type { LogicalLine } from "./lines.ts";
import { logicalLines, words } from "./lines.ts";
import { parseActions } from "./parse-actions.ts";
import { parseOperator } from "./parse-operator.ts";
import { parseTargets } from "./parse-targets.ts";
import { compileRegex } from "./regex.ts";
import type { Place } from "./rule-error.ts";
import { ruleError } from "./rule-error.ts";
import type { SettingValues } from "./settings.ts";
import { FOREIGN_SETTINGS, HONOURED_SETTINGS } from "./settings.ts";

/** @example parseSecLang('SecRule ARGS "@contains x" "id:1,phase:2,deny"', "my.conf") */
export function parseSecLang(text: string, file: string): Directive[] {
  if (text.length > SECLANG_LIMITS.ruleFileBytesMax) {
    const place = { file, line: 1 };
    throw ruleError("CELLWS_E_RULE_LIMIT", place, `a rule file of more than ${SECLANG_LIMITS.ruleFileBytesMax} bytes`);
  }
  return logicalLines(text, file).map(parseLine);
}

function parseLine(line: LogicalLine): Directive {
  const [name = "", ...args] = words(line);
  const known = spelling.get(name.toLowerCase());
  if (known === undefined) throw unknownDirective(name, line.place);
  const reader = READERS[known];
  if (reader !== undefined) {
    const { min, max } = reader;
    if (args.length < min || args.length > max) throw wrongCount(known, args, reader, line.place);
    return reader.read(args, line.place);
  }
  const honoured = (HONOURED_SETTINGS as Readonly<Record<string, SettingValues>>)[known];
  if (honoured !== undefined) checkValues(known, args, honoured, line.place);
  return { kind: "setting", place: line.place, name: known, values: args };
}

interface Reader {
  /** Arguments, at least and at most. */
  readonly min: number;
  readonly max: number;
  /** For the error. */
  readonly usage: string;
  readonly read: (args: readonly string[], place: Place) => Directive;
}

const READERS: Readonly<Record<string, Reader>> = {
  SecRule: {
    min: 2,
    max: 3,
    usage: 'SecRule VARIABLES "OPERATOR" "ACTIONS"',
    read: ([targets = "", operator = "", actions = ""], place) => ({
      kind: "rule",
      place,
      targets: parseTargets(targets, place),
      operator: parseOperator(operator, place),
      actions: parseActions(actions, place),
    }),
  },
  SecAction: {
    min: 1,
    max: 1,
    usage: 'SecAction "ACTIONS"',
    read: ([actions = ""], place) => ({ kind: "action", place, actions: parseActions(actions, place) }),
  },
  SecMarker: {
    min: 1,
    max: 1,
    usage: "SecMarker NAME",
    read: ([name = ""], place) => ({ kind: "marker", place, name }),
  },
  SecDefaultAction: {
    min: 1,
    max: 1,
    usage: 'SecDefaultAction "phase:2,log,pass"',
    read: ([actions = ""], place) => ({ kind: "default-action", place, actions: parseActions(actions, place) }),
  },
  SecRuleRemoveById: {
    min: 1,
    max: 1000,
    usage: "SecRuleRemoveById 942100 941100-941199",
    read: (args, place) => ({ kind: "remove-rules", place, select: idSelector(args, place) }),
  },
  SecRuleRemoveByTag: {
    min: 1,
    max: 1,
    usage: 'SecRuleRemoveByTag "attack-sqli"',
    read: ([tag = ""], place) => ({ kind: "remove-rules", place, select: patternSelector("tag", tag, place) }),
  },
  SecRuleRemoveByMsg: {
    min: 1,
    max: 1,
    usage: 'SecRuleRemoveByMsg "SQL Injection"',
    read: ([text = ""], place) => ({ kind: "remove-rules", place, select: patternSelector("message", text, place) }),
  },
  SecRuleUpdateTargetById: {
    min: 2,
    max: 2,
    usage: 'SecRuleUpdateTargetById 942100 "!ARGS:password"',
    read: ([ids = "", targets = ""], place) => updateTargets(idSelector([ids], place), targets, place),
  },
  SecRuleUpdateTargetByTag: {
    min: 2,
    max: 2,
    usage: 'SecRuleUpdateTargetByTag "attack-sqli" "!ARGS:password"',
    read: ([tag = "", targets = ""], place) => updateTargets(patternSelector("tag", tag, place), targets, place),
  },
  SecRuleUpdateTargetByMsg: {
    min: 2,
    max: 2,
    usage: 'SecRuleUpdateTargetByMsg "SQL Injection" "!ARGS:password"',
    read: ([text = "", targets = ""], place) => updateTargets(patternSelector("message", text, place), targets, place),
  },
  SecRuleUpdateActionById: {
    min: 2,
    max: 2,
    usage: 'SecRuleUpdateActionById 942100 "pass,nolog"',
    read: ([id = "", actions = ""], place) => updateActions(id, parseActions(actions, place), place),
  },
  Include: {
    min: 1,
    max: 1,
    usage: "Include rules/*.conf",
    read: ([pattern = ""], place) => ({ kind: "include", place, pattern, optional: false }),
  },
  IncludeOptional: {
    min: 1,
    max: 1,
    usage: "IncludeOptional rules/*.conf",
    read: ([pattern = ""], place) => ({ kind: "include", place, pattern, optional: true }),
  },
};

/** Lower case to the spelling of the tables: directives are known in any case. */
const spelling: ReadonlyMap<string, string> = new Map(
  [...Object.keys(READERS), ...Object.keys(HONOURED_SETTINGS), ...Object.keys(FOREIGN_SETTINGS)].map((name) => [
    name.toLowerCase(),
    name,
  ]),
);

function updateTargets(select: RuleSelector, targets: string, place: Place): Directive {
  return { kind: "update-targets", place, select, targets: parseTargets(targets, place) };
}

function updateActions(id: string, actions: readonly ActionUse[], place: Place): Directive {
  if (!/^\d{1,9}$/.test(id)) {
    throw ruleError("CELLWS_E_RULE_SYNTAX", place, "not a rule's id", { found: id, expected: "a number" });
  }
  return { kind: "update-actions", place, id: Number(id), actions };
}

/** `942100`, `941100-941199`, several in a row or parted by commas. */
export function idSelector(args: readonly string[], place: Place): RuleSelector {
  const ranges = args
    .flatMap((arg) => arg.split(/[\s,]+/))
    .filter((text) => text !== "")
    .map((text) => idRange(text, place));
  return { kind: "ids", ranges };
}

function idRange(text: string, place: Place): IdRange {
  const [, first, last = first] = /^(\d{1,9})(?:-(\d{1,9}))?$/.exec(text) ?? [];
  if (first === undefined || Number(last) < Number(first)) {
    throw ruleError("CELLWS_E_RULE_SYNTAX", place, "not an id or a range of ids", {
      found: text,
      expected: "a number, or two with a hyphen between",
    });
  }
  return { first: Number(first), last: Number(last) };
}

/** Tags and messages are selected by pattern, found anywhere in them. */
export function patternSelector(kind: "tag" | "message", pattern: string, place: Place): RuleSelector {
  return { kind, regex: compileRegex(pattern, place) };
}

function checkValues(name: string, args: readonly string[], values: SettingValues, place: Place): void {
  const fail = (expected: string): never => {
    throw ruleError("CELLWS_E_RULE_SYNTAX", place, `a wrong value for ${name}`, { found: args.join(" "), expected });
  };
  switch (values.kind) {
    case "none":
      if (args.length > 0) fail("no value");
      return;
    case "text":
      if (args.length !== 1) fail("one value");
      return;
    case "texts":
      if (args.length === 0) fail("one value or several");
      return;
    case "number":
      if (args.length !== 1 || !/^\d{1,10}$/.test(args[0]!) || Number(args[0]) > values.max) {
        fail(`a number up to ${values.max}`);
      }
      return;
    case "one-of":
      if (args.length !== 1 || !values.words.some((word) => word.toLowerCase() === args[0]!.toLowerCase())) {
        fail(values.words.join(" or "));
      }
  }
}

function unknownDirective(name: string, place: Place): Error {
  if (name.startsWith("<")) {
    return ruleError("CELLWS_E_RULE_DIRECTIVE", place, "a container of Apache, which is not SecLang", {
      found: name,
      hint: "Take the rules out of it; to apply some to one path only, chain them to a rule on REQUEST_FILENAME.",
    });
  }
  const near = nearest(name, spelling.values());
  return ruleError("CELLWS_E_RULE_DIRECTIVE", place, "a directive that this engine does not have", {
    found: name,
    ...(near === null ? {} : { hint: `Did you mean ${near}?` }),
  });
}

function wrongCount(name: string, args: readonly string[], reader: Reader, place: Place): Error {
  const expected = reader.min === reader.max ? `${reader.min}` : `${reader.min} to ${reader.max}`;
  return ruleError("CELLWS_E_RULE_SYNTAX", place, `${name} with ${args.length} arguments`, {
    expected: `${expected}, as in: ${reader.usage}`,
    hint: "An argument that holds blanks must stand in quotes.",
  });
}
