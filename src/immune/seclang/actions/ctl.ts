import type { RuleSelector, Target } from "../ast.ts";
import { idSelector, patternSelector } from "../parse.ts";
import { parseTargets } from "../parse-targets.ts";
import type { BodyProcessorName, Control, EngineMode } from "../rule.ts";
import { BODY_PROCESSORS } from "../rule.ts";
import type { Place } from "../rule-error.ts";
import type { Action, RuleDraft } from "./kind.ts";
import { badAction, numberArgument } from "./kind.ts";

/**
 * Description: changes how the rest of this exchange is judged.
 * Arguments: `name=value`; the names are in the table below.
 * Returns: one more effect of the draft.
 * Example: ctl:ruleRemoveTargetById=942100;ARGS:password
 */
export const ctl: Action = {
  argument: "needed",
  apply: (draft, argument, place) => {
    const [, name = "", value = ""] = /^\s*([A-Za-z]+)\s*=\s*([\s\S]*)$/.exec(argument) ?? [];
    const control = own(CONTROLS, name.toLowerCase());
    if (control === undefined) {
      throw badAction(place, "ctl", {
        found: argument,
        expected: `one of ${Object.keys(CONTROLS).join(", ")}, = and a value`,
      });
    }
    const made = control(value.trim(), place, draft);
    if (made !== null) draft.effects.push({ kind: "ctl", control: made });
  },
};

/** What a table holds under a name that somebody wrote: "constructor" is in none. */
function own<Value>(table: Readonly<Record<string, Value>>, name: string): Value | undefined {
  return Object.hasOwn(table, name) ? table[name] : undefined;
}

type MakeControl = (value: string, place: Place, draft: RuleDraft) => Control | null;

const CONTROLS: Readonly<Record<string, MakeControl>> = {
  ruleremovebyid: (value, place) => ({ kind: "remove-rules", select: idSelector([value], place) }),
  ruleremovebytag: (value, place) => ({ kind: "remove-rules", select: patternSelector("tag", value, place) }),
  ruleremovebymsg: (value, place) => ({ kind: "remove-rules", select: patternSelector("message", value, place) }),
  ruleremovetargetbyid: (value, place) => removeTargets(value, place, (ids) => idSelector([ids], place)),
  ruleremovetargetbytag: (value, place) => removeTargets(value, place, (tag) => patternSelector("tag", tag, place)),
  ruleremovetargetbymsg: (value, place) =>
    removeTargets(value, place, (text) => patternSelector("message", text, place)),
  ruleengine: (value, place) => ({ kind: "rule-engine", mode: engineMode(value, place) }),
  requestbodyprocessor: (value, place) => ({ kind: "body-processor", name: bodyProcessor(value, place) }),
  forcerequestbodyvariable: (value, place) => ({ kind: "force-request-body", on: isOn(value, place) }),
  requestbodyaccess: (value, place) => ({ kind: "request-body-access", on: isOn(value, place) }),
  responsebodyaccess: (value, place) => ({ kind: "response-body-access", on: isOn(value, place) }),
  requestbodylimit: (value, place) => ({
    kind: "request-body-limit",
    bytes: numberArgument(value, place, "ctl:requestBodyLimit", { min: 0, max: 2 ** 31 }),
  }),
  auditengine: (value, place) => ({ kind: "audit", on: value.toLowerCase() !== "off" && isOnOrRelevant(value, place) }),
  auditlogparts: (_value, _place, draft) => {
    draft.notices.push("ctl:auditLogParts does nothing here: an audit line has always the same fields");
    return null;
  },
};

function removeTargets(value: string, place: Place, select: (text: string) => RuleSelector): Control {
  const semicolon = value.indexOf(";");
  const targets = semicolon === -1 ? [] : parseTargets(value.slice(semicolon + 1).trim(), place);
  const [target] = targets;
  if (targets.length !== 1 || target?.mode !== "value") {
    throw badAction(place, "ctl", { found: value, expected: "rules;VARIABLE or rules;VARIABLE:key" });
  }
  const excluded: Target = { ...target, mode: "exclude" };
  return { kind: "remove-targets", select: select(value.slice(0, semicolon)), target: excluded };
}

function engineMode(value: string, place: Place): EngineMode {
  const mode = own(ENGINE_MODES, value.toLowerCase());
  if (mode === undefined) throw badAction(place, "ctl", { found: value, expected: "On, Off or DetectionOnly" });
  return mode;
}

export const ENGINE_MODES: Readonly<Record<string, EngineMode>> = {
  on: "on",
  off: "off",
  detectiononly: "detection-only",
};

function bodyProcessor(value: string, place: Place): BodyProcessorName {
  const name = BODY_PROCESSORS.find((each) => each === value.toUpperCase());
  if (name === undefined) throw badAction(place, "ctl", { found: value, expected: BODY_PROCESSORS.join(", ") });
  return name;
}

function isOn(value: string, place: Place): boolean {
  const word = value.toLowerCase();
  if (word !== "on" && word !== "off") throw badAction(place, "ctl", { found: value, expected: "On or Off" });
  return word === "on";
}

function isOnOrRelevant(value: string, place: Place): boolean {
  return value.toLowerCase() === "relevantonly" || isOn(value, place);
}
