/**
 * What requests are judged by, of one DNA: rules made ready, filters of the user's, and how far it goes.
 *
 * Made once by each B cell at its birth (and by `cellws inspect` and `cellws check`, which want the same); from then on
 * only read. What the DNA says stands before the rule files as their own directives would, so that what a rule set
 * sets up for itself goes before it; whether rules act or only tell stands behind them, for that is the DNA's to say.
 */
import os from "node:os";
import path from "node:path";
import type { Dna } from "../../dna/dna.ts";
import type { ImmuneFilter } from "../../dna/functions.ts";
import type { BuiltinScreen } from "../../immune/builtin/screen.ts";
import type { Directive } from "../../immune/seclang/ast.ts";
import { parseSecLang } from "../../immune/seclang/parse.ts";
import type { RuleSet } from "../../immune/seclang/rule-set.ts";
import { buildScreen, type Screen } from "../../immune/seclang/screen.ts";
import { loadDnaFunctions, type NamedFunction } from "./dna-functions.ts";
import { buildBuiltinCached, buildScreenCached } from "./facts-cache.ts";
import { loadRules } from "./load-rules.ts";

export interface Guard {
  readonly mode: "detect" | "block";
  readonly rules: RuleSet;
  readonly screen: Screen;
  /** Rules besides those that say what the DNA does. */
  readonly hasRules: boolean;
  /** Null: the built-in filters do not run. */
  readonly builtin: BuiltinScreen | null;
  /** From which score on what they find is blocked; for rules, which count for themselves, their variables say it. */
  readonly scoreMin: number;
  readonly filters: ReadonlyArray<NamedFunction<ImmuneFilter>>;
  /** Whether answers are looked at as well. */
  readonly responses: boolean;
  /** What is answered where a rule blocks and names no other status. */
  readonly status: number;
  /** How much of a body filters are given where rules want none. */
  readonly filterBodyBytesMax: number;
}

export type ImmuneDna = Dna["immune"];

/** Null: nothing is judged. Throws a CellwsError (file, line, what was expected) where the rules have a mistake. */
export async function loadGuard(immune: ImmuneDna): Promise<Guard | null> {
  const { mode } = immune;
  if (mode === "off") return null;
  const filters = await loadDnaFunctions<ImmuneFilter>("immune.filters", immune.filters);
  return makeGuard(immune, { mode, filters });
}

export interface GuardParts {
  readonly mode: "detect" | "block";
  readonly filters: ReadonlyArray<NamedFunction<ImmuneFilter>>;
  /** Where what is found out about rules is kept. */
  readonly facts?: string;
}

export function makeGuard(immune: ImmuneDna, { mode, filters, facts = factsFolder() }: GuardParts): Guard {
  const rules = loadRules(immune.rules, { prologue: prologueOf(immune), epilogue: epilogueOf(mode) });
  const hasRules = rules.ruleCount > OWN_RULES;
  const screen = hasRules ? buildScreenCached(rules, facts).screen : buildScreen(rules);
  return {
    mode,
    rules,
    screen,
    hasRules,
    builtin: hasBuiltin(immune) ? buildBuiltinCached({ exclude: immune.exclude }, facts).builtin : null,
    scoreMin: immune.threshold.inboundScoreMin,
    filters,
    responses: immune.responses,
    status: immune.block.status,
    filterBodyBytesMax: immune.body.textBytesMax,
  };
}

/** Users who name no rules are not to be without. */
function hasBuiltin({ builtin, rules }: ImmuneDna): boolean {
  return builtin === "auto" ? rules.length === 0 : builtin;
}

/** Where compiled facts are kept, beside the compiled code of cells. */
function factsFolder(env: NodeJS.ProcessEnv = process.env): string {
  return path.join(env["XDG_CACHE_HOME"] || path.join(os.homedir(), ".cache"), "cellws", "rules");
}

/** Of ours, in the prologue. Without others there is nothing worth keeping on disk. */
const OWN_RULES = 1;
/** Far beyond what rule sets and users number their rules with. */
const OWN_RULE_ID = 990_000_001;

function prologueOf({ paranoia, threshold, body, responses }: ImmuneDna): Directive[] {
  // Version 3 of the Core Rule Set knows the level by an older name.
  const variables = [
    `tx.blocking_paranoia_level=${paranoia}`,
    `tx.paranoia_level=${paranoia}`,
    `tx.inbound_anomaly_score_threshold=${threshold.inboundScoreMin}`,
    `tx.outbound_anomaly_score_threshold=${threshold.outboundScoreMin}`,
  ];
  const lines = [
    `SecRequestBodyLimit ${body.formBytesMax}`,
    `SecRequestBodyNoFilesLimit ${body.textBytesMax}`,
    `SecRequestBodyLimitAction ${body.overLimit === "reject" ? "Reject" : "ProcessPartial"}`,
    `SecResponseBodyAccess ${responses ? "On" : "Off"}`,
    `SecAction "id:${OWN_RULE_ID},phase:1,pass,nolog,${variables.map((text) => `setvar:${text}`).join(",")}"`,
  ];
  return parseSecLang(lines.join("\n"), "the DNA");
}

function epilogueOf(mode: "detect" | "block"): Directive[] {
  return parseSecLang(`SecRuleEngine ${mode === "block" ? "On" : "DetectionOnly"}`, "the DNA");
}
