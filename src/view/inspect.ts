/**
 * How `cellws inspect --explain` tells what was found in a request: which rule, in which file, in which value; and how the
 * exclusion is written for who knows better than the rule.
 */
import { paint, type Style } from "./style.ts";

export interface ExplainedRequest {
  readonly verdict: "pass" | "watch" | "block";
  readonly method: string;
  readonly target: string;
  readonly score: number;
  /** Of the request-target, without its query. */
  readonly path: string;
  /** Rules, in the order in which they fired. */
  readonly hits: ReadonlyArray<{
    readonly id: number;
    readonly message: string;
    /** Of a built-in filter its name; null: a rule. */
    readonly filter: string | null;
    /** Secrets are masked. */
    readonly matches: ReadonlyArray<{ readonly name: string; readonly value: string }>;
  }>;
  /** Where a rule is written: `crs/rules/REQUEST-942.conf:120`. */
  readonly placeOf: (ruleId: number) => string | null;
}

/** Values told of one rule: a rule may match a hundred. */
const MATCHES_MAX = 5;
const VALUE_CHARS_MAX = 100;

export function renderExplained(request: ExplainedRequest, style: Style): string[] {
  const { verdict, method, target, score, path, hits, placeOf } = request;
  const color = verdict === "block" ? "red" : verdict === "watch" ? "yellow" : "green";
  const lines = [`${paint(style, color, verdict)}  ${method} ${shown(target)}  (score ${score})`];
  if (hits.length === 0) return [...lines, "  nothing was found"];
  let example: Exclusion | null = null;
  for (const { id, message, filter, matches } of hits) {
    const place = filter === null ? placeOf(id) : `the built-in filter ${filter}`;
    lines.push(`  ${id}  ${message}${place === null ? "" : paint(style, "dim", `  ${place}`)}`);
    // What rules have counted themselves is no part of the request.
    const inRequest = matches.filter(({ name }) => !name.startsWith("TX:"));
    for (const { name, value } of inRequest.slice(0, MATCHES_MAX)) {
      lines.push(`    ${name} = ${shown(JSON.stringify(value))}`);
    }
    if (inRequest.length > MATCHES_MAX) lines.push(`    and ${inRequest.length - MATCHES_MAX} values more`);
    const [first] = inRequest;
    if (first !== undefined) example ??= { id, filter, target: first.name, path };
  }
  if (example !== null) lines.push(...renderExclusion(example, style));
  return lines;
}

interface Exclusion {
  readonly id: number;
  readonly filter: string | null;
  readonly target: string;
  readonly path: string;
}

function renderExclusion({ id, filter, target, path }: Exclusion, style: Style): string[] {
  if (filter !== null) {
    return [
      paint(style, "dim", "  If that is wrong, narrowest first; in immune.exclude of the DNA:"),
      `    ${JSON.stringify({ filter, path, parameter: target })}`,
      `    ${JSON.stringify({ filter, parameter: target })}`,
      `    ${JSON.stringify({ filter })}`,
    ];
  }
  const safePath = /^[\w./~-]+$/.test(path) ? path : "/THE/PATH";
  return [
    paint(style, "dim", "  If that is wrong, narrowest first; in a file of your own, named in immune.rules:"),
    // Before the rules, since it must have run when they do.
    `    before the rules  SecRule REQUEST_FILENAME "@streq ${safePath}" "id:1000,phase:1,pass,nolog,ctl:ruleRemoveTargetById=${id};${target}"`,
    `    anywhere          SecRuleUpdateTargetById ${id} "!${target}"`,
    `    anywhere          SecRuleRemoveById ${id}`,
  ];
}

function shown(text: string): string {
  return text.length <= VALUE_CHARS_MAX ? text : `${text.slice(0, VALUE_CHARS_MAX)}...`;
}
