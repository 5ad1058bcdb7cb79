/**
 * Joins directives to a rule set that can run.
 *
 * In this order: rules take their defaults and join to chains as they stand in the files; then exclusions apply,
 * wherever they stand (so that a user's own file may come before or after the rule set's); then, for the rules that
 * are left, operators are made and jumps are checked. What an exclusion took out needs no operator: so a rule that
 * this engine cannot run is got rid of by SecRuleRemoveById.
 */
import type { ActionUse, Directive, RuleSelector, Target } from "./ast.ts";
import type { RuleDraft } from "./actions/kind.ts";
import { emptyDraft } from "./actions/kind.ts";
import { applyAction } from "./actions/table.ts";
import { SECLANG_LIMITS } from "./limits.ts";
import { fixedText } from "./macro.ts";
import type { ProvidedOperators } from "./operators/table.ts";
import { buildMatcher, neverMatches } from "./operators/table.ts";
import type { Disruption, Phase, Rule } from "./rule.ts";
import { PHASES } from "./rule.ts";
import type { Place } from "./rule-error.ts";
import { ruleError } from "./rule-error.ts";
import type { RuleSettings } from "./settings-in-force.ts";
import { applySetting, defaultSettings } from "./settings-in-force.ts";
import type { HonouredSetting } from "./settings.ts";
import { FOREIGN_SETTINGS } from "./settings.ts";

export interface RuleSet {
  /** What each phase runs through, in order. Markers stand in every phase. */
  readonly phases: Readonly<Record<Phase, readonly Step[]>>;
  readonly settings: Readonly<RuleSettings>;
  /** What was taken but does nothing, or not what one may think. For the user to read, each once. */
  readonly notices: readonly Notice[];
  /** Rules, chained ones counted. */
  readonly ruleCount: number;
}

export type Step = { readonly kind: "rule"; readonly rule: Rule } | { readonly kind: "marker"; readonly name: string };

export interface Notice {
  readonly place: Place;
  readonly text: string;
}

export interface RuleSetOptions {
  /** The text of a data file (of @pmFromFile and its like) that the rule at `place` names; throws where there is none. */
  readonly readData: (name: string, place: Place) => string;
  readonly operators?: ProvidedOperators;
}

export function buildRuleSet(directives: readonly Directive[], options: RuleSetOptions): RuleSet {
  const collected = collect(directives);
  applyExclusions(collected);
  checkJumps(collected.items);
  const phases: Record<Phase, Step[]> = { 1: [], 2: [], 3: [], 4: [], 5: [] };
  let ruleCount = 0;
  for (const item of collected.items) {
    if (item.kind === "marker") {
      for (const phase of PHASES) phases[phase].push(item);
      continue;
    }
    if (item.removed) continue;
    const rule = finish(item, options);
    collected.notices.push(...neverNotices(item, options.operators ?? {}));
    ruleCount += item.links.length;
    phases[rule.phase].push({ kind: "rule", rule });
  }
  return { phases, settings: collected.settings, notices: collected.notices, ruleCount };
}

/** A chain (most often of one link) on its way to become a rule. */
interface ChainItem {
  readonly kind: "chain";
  readonly id: number;
  readonly phase: Phase;
  readonly links: Link[];
  readonly defaults: RuleDraft | null;
  removed: boolean;
}

interface Link {
  readonly place: Place;
  readonly source: Extract<Directive, { kind: "rule" }> | null;
  readonly draft: RuleDraft;
  targets: readonly Target[];
}

interface Collected {
  readonly items: Array<ChainItem | Extract<Step, { kind: "marker" }>>;
  readonly exclusions: Array<Extract<Directive, { kind: "remove-rules" | "update-targets" | "update-actions" }>>;
  readonly settings: RuleSettings;
  readonly notices: Notice[];
}

function collect(directives: readonly Directive[]): Collected {
  const collected: Collected = { items: [], exclusions: [], settings: defaultSettings(), notices: [] };
  const defaults = new Map<Phase, RuleDraft>();
  const ids = new Map<number, Place>();
  const tell = noticeOnce(collected.notices);
  let open: ChainItem | null = null;
  let ruleCount = 0;
  for (const directive of directives) {
    const { place } = directive;
    if (open !== null && directive.kind !== "rule" && directive.kind !== "action") throw chainBroken(open, place);
    switch (directive.kind) {
      case "rule":
      case "action": {
        ruleCount += 1;
        if (ruleCount > SECLANG_LIMITS.rulesMax) throw tooMany(place, `${SECLANG_LIMITS.rulesMax} rules`);
        const draft = draftOf(directive.actions, place);
        for (const text of draft.notices) tell(place, text);
        const source = directive.kind === "rule" ? directive : null;
        const link: Link = { place, source, draft, targets: source?.targets ?? [] };
        if (open === null) {
          open = beginChain(link, defaults, ids);
          collected.items.push(open);
        } else {
          checkChained(open, link);
          open.links.push(link);
          if (open.links.length > SECLANG_LIMITS.chainLengthMax) throw tooMany(place, "links in a chain");
        }
        if (link.draft.effects.some((effect) => effect.kind === "initcol" || effect.kind === "expirevar")) {
          tell(place, "initcol and expirevar: collections such as IP last only as long as the caller keeps them");
        }
        if (!draft.chain) open = null;
        break;
      }
      case "marker":
        collected.items.push({ kind: "marker", name: directive.name });
        break;
      case "default-action": {
        const draft = draftOf(directive.actions, place);
        checkDefaults(draft, place);
        defaults.set(draft.phase ?? DEFAULT_PHASE, draft);
        break;
      }
      case "remove-rules":
      case "update-targets":
      case "update-actions":
        collected.exclusions.push(directive);
        break;
      case "setting": {
        const instead = FOREIGN_SETTINGS[directive.name];
        if (instead !== undefined) tell(place, `${directive.name} does nothing here: ${instead}`);
        else applySetting(collected.settings, directive.name as HonouredSetting, directive.values);
        break;
      }
      case "include":
        throw ruleError("CELLWS_E_RULE_DIRECTIVE", place, "an Include that nobody has followed", {
          found: directive.pattern,
          hint: "Load the file with the loader, which follows includes.",
        });
    }
  }
  if (open !== null) throw chainBroken(open, open.links.at(-1)!.place);
  return collected;
}

/** ModSecurity's, for rules that name none. */
const DEFAULT_PHASE: Phase = 2;

function draftOf(actions: readonly ActionUse[], place: Place): RuleDraft {
  const draft = emptyDraft();
  for (const action of actions) applyAction(draft, action, place);
  return draft;
}

function beginChain(link: Link, defaults: ReadonlyMap<Phase, RuleDraft>, ids: Map<number, Place>): ChainItem {
  const { draft, place } = link;
  if (draft.id === null) {
    throw ruleError("CELLWS_E_RULE_STRUCTURE", place, "a rule without an id", {
      expected: "id:NUMBER among its actions",
      hint: "Ids from 1 to 99999 are free for your own rules.",
    });
  }
  const before = ids.get(draft.id);
  if (before !== undefined) {
    throw ruleError("CELLWS_E_RULE_STRUCTURE", place, "two rules of one id", {
      found: `${draft.id}, also at ${before.file}:${before.line}`,
      hint: "Is a file included twice?",
    });
  }
  ids.set(draft.id, place);
  const phase = draft.phase ?? DEFAULT_PHASE;
  return { kind: "chain", id: draft.id, phase, links: [link], defaults: defaults.get(phase) ?? null, removed: false };
}

/** What only the first of a chain may say. */
function checkChained(open: ChainItem, { draft, place }: Link): void {
  const wrong =
    draft.id !== null ? "an id" : draft.phase !== null && draft.phase !== open.phase ? "another phase" : null;
  const disruptive = draft.disruption !== null && draft.disruption.kind !== "pass" && draft.disruption.kind !== "block";
  if (wrong === null && !disruptive) return;
  throw ruleError("CELLWS_E_RULE_STRUCTURE", place, `a chained rule with ${wrong ?? "a disruptive action"}`, {
    hint: `It belongs to the chain of rule ${open.id}: say it there, or remove the action chain of the rule before.`,
  });
}

function checkDefaults(draft: RuleDraft, place: Place): void {
  const wrong =
    draft.disruption === null
      ? "no disruptive action"
      : draft.disruption.kind === "block"
        ? "the action block, which stands for itself"
        : draft.id !== null || draft.chain || draft.skipAfter !== null
          ? "an action that only a rule can have"
          : null;
  if (wrong === null) return;
  throw ruleError("CELLWS_E_RULE_STRUCTURE", place, `SecDefaultAction with ${wrong}`, {
    expected: "phase, log or nolog, and pass, deny or drop",
  });
}

function chainBroken(open: ChainItem, place: Place): Error {
  return ruleError("CELLWS_E_RULE_STRUCTURE", place, "a chain that does not end", {
    found: `the chain of rule ${open.id}`,
    expected: "a further SecRule behind the action chain",
  });
}

function applyExclusions(collected: Collected): void {
  const chains = collected.items.filter((item) => item.kind === "chain");
  for (const exclusion of collected.exclusions) {
    const select: RuleSelector =
      exclusion.kind === "update-actions"
        ? { kind: "ids", ranges: [{ first: exclusion.id, last: exclusion.id }] }
        : exclusion.select;
    const chosen = chains.filter((chain) => isSelected(select, chain));
    if (chosen.length === 0) {
      collected.notices.push({ place: exclusion.place, text: "an exclusion that fits no rule" });
    }
    for (const chain of chosen) {
      if (exclusion.kind === "remove-rules") chain.removed = true;
      else if (exclusion.kind === "update-targets") updateTargets(chain, exclusion.targets);
      else updateActions(chain, exclusion.actions, exclusion.place);
    }
  }
}

function isSelected(select: RuleSelector, chain: ChainItem): boolean {
  const draft = chain.links[0]!.draft;
  const message = draft.message === null ? null : fixedText(draft.message);
  return selects(select, { id: chain.id, tags: draft.tags, message });
}

/** Whether an exclusion means a rule. `message` is null where there is none. */
export function selects(
  select: RuleSelector,
  rule: { id: number; tags: readonly string[]; message: string | null },
): boolean {
  switch (select.kind) {
    case "ids":
      return select.ranges.some(({ first, last }) => rule.id >= first && rule.id <= last);
    case "tag":
      return rule.tags.some((tag) => select.regex.test(tag));
    case "message":
      return rule.message !== null && select.regex.test(rule.message);
  }
}

/** Of a chain, the first rule's targets change, as in ModSecurity. */
function updateTargets(chain: ChainItem, targets: readonly Target[]): void {
  const [head] = chain.links;
  head!.targets = [...head!.targets, ...targets];
}

function updateActions(chain: ChainItem, actions: readonly ActionUse[], place: Place): void {
  const { draft } = chain.links[0]!;
  const { id, phase, chain: chained } = draft;
  for (const action of actions) applyAction(draft, action, place);
  if (draft.id === id && draft.phase === phase && draft.chain === chained) return;
  throw ruleError("CELLWS_E_RULE_STRUCTURE", place, "an update that would change a rule's id, phase or chain", {
    hint: "Remove the rule with SecRuleRemoveById and write your own.",
  });
}

/** A jump leads forward, to a marker or a rule's id; one that leads nowhere would skip the rest of the phase. */
function checkJumps(items: Collected["items"]): void {
  const last = new Map<string, number>();
  for (const [index, item] of items.entries()) last.set(item.kind === "marker" ? item.name : String(item.id), index);
  for (const [index, item] of items.entries()) {
    if (item.kind === "marker" || item.removed) continue;
    for (const { draft, place } of item.links) {
      if (draft.skipAfter === null || (last.get(draft.skipAfter) ?? -1) > index) continue;
      throw ruleError("CELLWS_E_RULE_STRUCTURE", place, "a jump to a marker that does not follow", {
        found: `skipAfter:${draft.skipAfter}`,
        expected: "a SecMarker of that name behind the rule",
        hint: "Was the file that holds it loaded, and in its order?",
      });
    }
  }
}

function neverNotices(chain: ChainItem, provided: ProvidedOperators): Notice[] {
  return chain.links.flatMap(({ source, place }) => {
    const name = source === null ? null : neverMatches(source.operator, provided);
    return name === null ? [] : [{ place, text: `rule ${chain.id} does nothing: @${name} never matches here` }];
  });
}

function finish(chain: ChainItem, options: RuleSetOptions): Rule {
  let next: Rule | null = null;
  for (const link of [...chain.links].reverse()) next = finishLink(chain, link, next, options);
  return next!;
}

function finishLink(chain: ChainItem, link: Link, chained: Rule | null, options: RuleSetOptions): Rule {
  const { draft, place, source } = link;
  const { defaults } = chain;
  const inherited = draft.transformationsReset ? [] : (defaults?.transformations ?? []);
  const log = draft.log ?? defaults?.log ?? true;
  return {
    place,
    id: chain.id,
    phase: chain.phase,
    check:
      source === null
        ? null
        : {
            targets: link.targets,
            operator: source.operator,
            match: buildMatcher(source.operator, options.operators ?? {}, {
              place,
              readData: (name) => options.readData(name, place),
            }),
          },
    transformations: [...inherited, ...draft.transformations],
    multiMatch: draft.multiMatch,
    capture: draft.capture,
    effects: draft.effects,
    disruption: disruptionOf(draft, defaults),
    log,
    audit: draft.audit ?? defaults?.audit ?? log,
    message: draft.message ?? [],
    logData: draft.logData ?? [],
    tags: draft.tags,
    severity: draft.severity,
    skipAfter: draft.skipAfter,
    skip: draft.skip,
    chained,
  };
}

function disruptionOf(draft: RuleDraft, defaults: RuleDraft | null): Disruption {
  const own = draft.disruption;
  const chosen = own === null || own.kind === "block" ? (defaults?.disruption ?? { kind: "pass" }) : own;
  // checkDefaults refused a default of block.
  if (chosen.kind === "block") return { kind: "pass" };
  if (chosen.kind !== "deny") return chosen;
  return { kind: "deny", status: draft.status ?? defaults?.status ?? chosen.status };
}

function noticeOnce(notices: Notice[]): (place: Place, text: string) => void {
  const told = new Set<string>();
  return (place, text) => {
    if (told.has(text)) return;
    told.add(text);
    notices.push({ place, text });
  };
}

function tooMany(place: Place, what: string): Error {
  return ruleError("CELLWS_E_RULE_LIMIT", place, `more than ${what}`, { hint: "Is a file included twice?" });
}
