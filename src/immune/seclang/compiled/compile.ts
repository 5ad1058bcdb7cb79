/**
 * Prepares a rule set to be run fast: everything that does not depend on the exchange is worked out here, once.
 *
 * - What each rule looks at is cut into *parts* (parts.ts), and what it does to the values into *chains* of
 *   transformations; each distinct one has a number, so that its values are collected and transformed once for all
 *   rules that look at them.
 * - Each check that looks at nothing but its value has a bit in the candidate sets of readings. Joined over all values
 *   that a phase looks at, they say of most rules at once that there is nothing to do.
 * - What configures the rule set is settled (fold.ts), and jumps lead to places, not to names.
 *
 * The rules stay data and are run by one loop (run.ts). Code generated for each rule would save little: what costs is
 * the values, not the rules, and a loop can be read, stepped through and stopped between two values.
 */
import type { RuleSelector, Target } from "../ast.ts";
import type { Phase, Rule, StoreName } from "../rule.ts";
import { PHASES } from "../rule.ts";
import type { RuleSet, Step } from "../rule-set.ts";
import { selects } from "../rule-set.ts";
import { faceOf } from "../rule-values.ts";
import type { VariableName } from "../variable-names.ts";
import { VARIABLES } from "../variable-names.ts";
import type { Chain, Chains } from "./chains.ts";
import { collectChains } from "./chains.ts";
import type { Settled } from "./fold.ts";
import type { Facts } from "./facts.ts";
import { foldPhases } from "./fold.ts";
import type { Memory } from "./memory.ts";
import { openMemory } from "./memory.ts";
import type { Needs } from "./needs.ts";
import { needsOf } from "./needs.ts";
import type { Opening } from "./opening.ts";
import { openingOf } from "./opening.ts";
import type { Part } from "./parts.ts";
import { addCheck, openPart } from "./parts.ts";
import type { ScreenTable } from "./screen-table.ts";
import { buildScreenTable, WORD_BITS } from "./screen-table.ts";

export interface CompiledRules {
  readonly rules: RuleSet;
  readonly phases: Readonly<Record<Phase, CompiledPhase>>;
  /** The rules that a control means, found out when it first happens. */
  readonly selected: (select: RuleSelector) => ReadonlySet<Rule>;
  /** Whether what was settled supposes that the rules which a control takes out are there. */
  readonly unsettles: (select: RuleSelector) => boolean;
  /** What the last exchange's removed targets came to, for each link. */
  readonly taken: { removed: readonly RemovedTarget[]; byLink: Map<Link, Taken | null> };
  /** Rules whose runs can be spared, and those that are run each time. */
  readonly screened: number;
  readonly unscreened: number;
}

export interface RemovedTarget {
  readonly select: RuleSelector;
  readonly target: Target;
}

/** What controls have taken, in an exchange, out of what a link looks at. */
export interface Taken {
  readonly targets: readonly Target[];
  /** Variables of which nothing is left. */
  readonly wholly: ReadonlySet<VariableName>;
}

export interface CompiledPhase {
  readonly steps: readonly CompiledStep[];
  readonly domain: Domain;
  /** What is certain of each step (fold.ts), where it may be relied on; null in the other phases. */
  readonly settled: Settled | null;
  /** Of phase 1. */
  readonly opening: Opening | null;
  /** What the checks look at by which its steps begin, so far as they can be spared. */
  readonly parts: readonly Part[];
}

/** Phases that look at the same things: those of the request, and those of the response and after. */
export interface Domain {
  readonly table: ScreenTable;
  /** Readings kept between exchanges. */
  readonly memory: Memory;
  readonly parts: readonly Part[];
  /** As many places as there are parts. */
  readonly emptyParts: readonly undefined[];
  /** Those of BODY_VARIABLES. */
  readonly bodyParts: readonly number[];
}

export interface CompiledStep {
  readonly head: Rule;
  /** The links of the chain, most often one. */
  readonly links: readonly Link[];
  /** The check of the first link, where it can be spared. */
  readonly spared: PureCheck | null;
  /** Where to go on once the chain has matched, in `steps`; what `jumpOf` says of its links, the last one winning. */
  readonly jump: number;
}

export interface Link {
  readonly rule: Rule;
  readonly chain: Chain;
  readonly source: Source;
  /** Those that its targets name: what is taken out of others does not concern it. */
  readonly variables: ReadonlySet<VariableName>;
  /** Null: it looks at nothing. */
  readonly needs: Needs | null;
  /** Null: the operator's answer depends on more than the value. */
  readonly check: PureCheck | null;
}

export interface PureCheck {
  readonly needs: Needs;
  /** Its number among the screened ones; -1: it has none, for no exchange comes to it that goes as fold.ts supposes. */
  readonly number: number;
  /** Where its bit is in candidate sets. */
  readonly word: number;
  readonly bit: number;
  /** Without a candidate among its values there is nothing to do: it is not negated, and its values are listed. */
  readonly isSpared: boolean;
}

/** Targets whose values stay the same during a phase, in their order. */
export interface List {
  readonly parts: readonly Part[];
}

/** Where a link's values come from. */
export type Source =
  | { readonly kind: "nothing" }
  | { readonly kind: "list"; readonly list: List }
  /** One variable of TX or its like: there or not. */
  | { readonly kind: "stored"; readonly target: Target; readonly store: StoreName; readonly key: string }
  /** TX and its like, what was matched, what controls change: collected anew each time. */
  | { readonly kind: "collected" };

/** What is found out of patterns is added to `facts`. */
export function compileRules(rules: RuleSet, facts: Facts): CompiledRules {
  const request = collectDomain(rules, [1, 2], facts);
  const after = collectDomain(rules, [3, 4, 5], facts);
  const phases = {
    1: request.phase(1),
    2: request.phase(2),
    3: after.phase(3),
    4: after.phase(4),
    5: after.phase(5),
  };
  const selected = selectedRules(rules);
  const concluded = new Set([...concludedRules(phases[1]), ...concludedRules(phases[2])]);
  return {
    rules,
    phases,
    selected,
    unsettles: (select) => !selected(select).isDisjointFrom(concluded),
    taken: { removed: [], byLink: new Map() },
    screened: request.screened + after.screened,
    unscreened: request.unscreened + after.unscreened,
  };
}

/** Rules that are known to match. What the others do, had they been settled or not, nothing was concluded from. */
function concludedRules({ steps, settled }: CompiledPhase): Rule[] {
  return steps.flatMap(({ head }, index) =>
    typeof settled![index] === "object" && settled![index] !== null ? [head] : [],
  );
}

function selectedRules(rules: RuleSet): (select: RuleSelector) => ReadonlySet<Rule> {
  const known = new WeakMap<RuleSelector, ReadonlySet<Rule>>();
  return (select) => {
    let found = known.get(select);
    if (found === undefined) {
      const heads = PHASES.flatMap((phase) => rules.phases[phase]).flatMap((step) =>
        step.kind === "rule" && selects(select, faceOf(step.rule)) ? [step.rule] : [],
      );
      found = new Set(heads);
      known.set(select, found);
    }
    return found;
  };
}

interface BuiltDomain {
  readonly phase: (phase: Phase) => CompiledPhase;
  readonly screened: number;
  readonly unscreened: number;
}

function collectDomain(rules: RuleSet, phases: readonly Phase[], facts: Facts): BuiltDomain {
  const chains = collectChains();
  const parts = new Map<string, Part>();
  const drafts = new Map<Rule, Draft>();
  for (const rule of rulesOf(rules, phases)) drafts.set(rule, draftOf(rule, chains, parts, facts));
  const steps = phases.map((phase) => stepsOf(rules.phases[phase], drafts));
  const isRequest = phases[0] === 1;
  const settled = isRequest ? foldPhases({ 1: steps[0]!, 2: steps[1]! }) : null;
  const reached = new Set<Rule>();
  for (const [at, each] of steps.entries()) {
    const known = settled?.[at === 0 ? 1 : 2];
    for (const [index, { links }] of each.entries()) {
      if (known === undefined || known[index] === null) for (const { rule } of links) reached.add(rule);
    }
  }
  const needs: Needs[] = [];
  for (const draft of drafts.values()) {
    if (draft.needs?.pure !== true) continue;
    const number = reached.has(draft.rule) ? needs.push(draft.needs) - 1 : -1;
    draft.check = {
      needs: draft.needs,
      number,
      word: Math.floor(number / WORD_BITS),
      bit: 1 << (number % WORD_BITS),
      isSpared: number !== -1 && draft.source.kind === "list" && !draft.rule.check!.operator.negated,
    };
  }
  const table = buildScreenTable(needs, facts);
  for (const { check, source, chain, rule } of drafts.values()) {
    if (check?.isSpared !== true || source.kind !== "list") continue;
    const way = { chain, each: rule.multiMatch };
    for (const part of source.list.parts) addCheck(part, way, check);
  }
  const domain: Domain = {
    table,
    memory: openMemory(table),
    parts: [...parts.values()],
    emptyParts: Array.from({ length: parts.size }, () => undefined),
    bodyParts: [...parts.values()].filter((part) => isOfBody(part.target.variable)).map(({ index }) => index),
  };
  const screened = needs.filter(({ literals, clauses }) => literals !== null || clauses.length > 0).length;
  return {
    phase: (phase) => {
      const own = steps[phases.indexOf(phase)]!.map(withSpared);
      const looked = own.flatMap(({ spared, links: [first] }) =>
        spared !== null && first!.source.kind === "list" ? first!.source.list.parts : [],
      );
      return {
        domain,
        steps: own,
        settled: settled === null ? null : settled[phase === 1 ? 1 : 2],
        opening: settled !== null && phase === 1 ? openingOf(own, settled[1]) : null,
        parts: [...new Set(looked)],
      };
    },
    screened,
    unscreened: drafts.size - screened,
  };
}

function withSpared(step: CompiledStep): CompiledStep {
  const { check } = step.links[0]!;
  return { ...step, spared: check?.isSpared === true ? check : null };
}

/** A link, before it is known which checks get a bit. */
interface Draft extends Link {
  check: PureCheck | null;
}

function draftOf(rule: Rule, chains: Chains, parts: Map<string, Part>, facts: Facts): Draft {
  const targets = rule.check?.targets ?? [];
  return {
    rule,
    chain: chains.chainOf(rule.transformations),
    variables: new Set(targets.map(({ variable }) => variable)),
    source: rule.check === null ? { kind: "nothing" } : sourceOf(targets, parts),
    needs: rule.check === null ? null : needsOf(rule.check, rule.place, facts),
    check: null,
  };
}

function sourceOf(targets: readonly Target[], parts: Map<string, Part>): Source {
  const [target] = targets;
  if (targets.length === 1 && VARIABLES[target!.variable] === "store" && target!.selector.kind === "key") {
    const store = target!.variable as StoreName;
    return { kind: "stored", target: target!, store, key: target!.selector.key };
  }
  if (!targets.every(isSteady)) return { kind: "collected" };
  const excluded = targets.filter(({ mode }) => mode === "exclude");
  const included = targets.filter(({ mode }) => mode !== "exclude");
  return { kind: "list", list: { parts: included.map((each) => partOf(each, excluded, parts)) } };
}

function partOf(target: Target, excluded: readonly Target[], parts: Map<string, Part>): Part {
  const exclusions = excluded.filter(({ variable }) => variable === target.variable);
  const key = [target, ...exclusions].map(keyOf).join("|");
  let part = parts.get(key);
  if (part === undefined) {
    part = openPart(parts.size, target, exclusions);
    parts.set(key, part);
  }
  return part;
}

/** What a request's body brings, and what counts it in. */
export const BODY_VARIABLES: readonly VariableName[] = [
  "ARGS",
  "ARGS_COMBINED_SIZE",
  "ARGS_NAMES",
  "ARGS_POST",
  "ARGS_POST_NAMES",
  "INBOUND_DATA_ERROR",
  "REQBODY_ERROR",
  "REQBODY_ERROR_MSG",
  "REQBODY_PROCESSOR",
  "REQBODY_PROCESSOR_ERROR",
  "REQBODY_PROCESSOR_ERROR_MSG",
  "REQUEST_BODY",
  "REQUEST_BODY_LENGTH",
  "URLENCODED_ERROR",
  "XML",
  ...(Object.keys(VARIABLES) as VariableName[]).filter((name) => /^(?:FILES|MULTIPART_)/.test(name)),
];

const isOfBody = (variable: VariableName): boolean => BODY_VARIABLES.includes(variable);

/** What rules themselves change, or what depends on the rule that asks. */
const CHANGING: ReadonlySet<string> = new Set([
  "DURATION",
  "HIGHEST_SEVERITY",
  "MATCHED_VAR",
  "MATCHED_VAR_NAME",
  "MATCHED_VARS",
  "MATCHED_VARS_NAMES",
  "RULE",
]);
const isSteady = ({ variable }: Target): boolean => VARIABLES[variable] !== "store" && !CHANGING.has(variable);

function keyOf({ variable, mode, selector }: Target): string {
  const which = selector.kind === "key" ? `=${selector.key}` : selector.kind === "regex" ? `~${selector.source}` : "";
  return JSON.stringify([variable, mode, which]);
}

function stepsOf(steps: readonly Step[], links: ReadonlyMap<Rule, Link>): CompiledStep[] {
  const compiled: CompiledStep[] = [];
  // The place among compiled steps of each step: markers have none of their own, but what follows them.
  const placeOf: number[] = [];
  const heads = steps.filter((step) => step.kind === "rule");
  let place = 0;
  for (const step of steps) {
    placeOf.push(place);
    if (step.kind === "rule") place += 1;
  }
  for (const [index, step] of steps.entries()) {
    if (step.kind === "marker") continue;
    const chain: Link[] = [];
    let jump: number | null = null;
    for (let rule: Rule | null = step.rule; rule !== null; rule = rule.chained) {
      chain.push(links.get(rule)!);
      jump = jumpFrom(rule, steps, index, placeOf, heads.length) ?? jump;
    }
    compiled.push({ head: step.rule, links: chain, spared: null, jump: jump ?? compiled.length + 1 });
  }
  return compiled;
}

function jumpFrom(
  { skip, skipAfter }: Rule,
  steps: readonly Step[],
  from: number,
  placeOf: readonly number[],
  end: number,
): number | null {
  if (skipAfter !== null) {
    const target = steps.findIndex(
      (step, index) => index > from && (step.kind === "marker" ? step.name : String(step.rule.id)) === skipAfter,
    );
    // A marker that stands before (or a rule of another phase) ends the phase, as ModSecurity has it.
    return target === -1 ? end : placeOf[target]! + (steps[target]!.kind === "rule" ? 1 : 0);
  }
  return skip > 0 ? Math.min(end, placeOf[from]! + 1 + skip) : null;
}

function* rulesOf(rules: RuleSet, phases: readonly Phase[]): Generator<Rule> {
  for (const phase of phases) {
    for (const step of rules.phases[phase]) {
      if (step.kind === "marker") continue;
      for (let rule: Rule | null = step.rule; rule !== null; rule = rule.chained) yield rule;
    }
  }
}
