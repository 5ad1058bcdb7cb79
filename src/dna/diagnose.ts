/**
 * Turns what zod objects to into what a person needs: code, key, what was found, what would be right, a hint.
 *
 * zod knows what it refused; the tree (fields.ts) knows what the key is for. It reports and decides nothing.
 */
import type * as z from "zod";
import { nearest } from "../lib/nearest.ts";
import type { Diagnostic } from "./diagnostic.ts";
import { boundsText, expectedText, fieldAt, groupOf, numberText, type FieldNode } from "./fields.ts";
import { foundText } from "./found.ts";
import { formatKeyPath, isWithin, valueAt, type KeyPath } from "./key-path.ts";
import { judgeRange } from "./schema.ts";
import { suggestKeys } from "./suggest.ts";

export type Issue = z.core.$ZodIssue;

/** A diagnostic and where it belongs, so that the caller can tell whether a flag put the value there. */
export interface Finding {
  path: KeyPath;
  /** Other keys that take part in a conflict. */
  others?: readonly KeyPath[];
  diagnostic: Diagnostic;
}

/** What is wrong, in the order in which zod met it. `input` is what was judged. */
export function diagnose(issues: readonly Issue[], { input, tree }: { input: unknown; tree: FieldNode }): Finding[] {
  return issues.flatMap((issue) => findingsOf(flattenUnion(issue), { input, tree }));
}

interface Context {
  input: unknown;
  tree: FieldNode;
}

function findingsOf(issue: Issue, context: Context): Finding[] {
  const path = issue.path as KeyPath;
  switch (issue.code) {
    case "unrecognized_keys":
      return issue.keys.map((key) => unknownKey([...path, key], context));
    case "invalid_type":
      return [
        valueAt(context.input, path) === undefined && !hasKey(context.input, path)
          ? missing(path, context)
          : wrongType(path, context),
      ];
    case "too_small":
    case "too_big":
      return [outOfRange(path, context)];
    case "invalid_key":
      return [badValue(path, context, { what: "cannot be a name here", found: JSON.stringify(path.at(-1)) })];
    case "invalid_value":
    case "invalid_union":
      return [typeof valueAt(context.input, path) === "string" ? badValue(path, context) : wrongType(path, context)];
    // invalid_format and custom: a name, a host, a range. (The others do not occur in this schema.)
    default:
      return [badValue(path, context)];
  }
}

/** "any" or a list of ranges: when a list was written, its own mistakes are meant, not that it is not "any". */
function flattenUnion(issue: Issue): Issue {
  if (issue.code !== "invalid_union") return issue;
  const inner = issue.errors.find((branch) =>
    branch.some((error) => error.path.length > 0 || error.code === "too_big"),
  )?.[0];
  return inner === undefined ? issue : { ...inner, path: [...issue.path, ...inner.path] };
}

function unknownKey(path: KeyPath, { tree }: Context): Finding {
  const parent = path.slice(0, -1);
  const key = String(path.at(-1));
  const siblings = Object.keys(groupOf(fieldAt(tree, parent) ?? {}).properties ?? {});
  const suggestions = suggestKeys(tree, parent, key);
  return at(path, {
    code: "CELLWS_E_DNA_UNKNOWN_KEY",
    message: `${formatKeyPath(path)} is not a key of the DNA`,
    expected: `one of ${siblings.join(", ")}`,
    ...(suggestions.length === 0 ? {} : { hint: `Did you mean ${suggestions.join(", or ")}?` }),
  });
}

function missing(path: KeyPath, { tree }: Context): Finding {
  const node = fieldAt(tree, path) ?? {};
  return at(path, {
    code: "CELLWS_E_DNA_MISSING",
    message: `${formatKeyPath(path)} is missing`,
    found: "nothing",
    expected: expectedText(node),
    ...hintOf(node.description),
  });
}

function wrongType(path: KeyPath, { input, tree }: Context): Finding {
  const node = fieldAt(tree, path) ?? {};
  const value = valueAt(input, path);
  return at(path, {
    code: "CELLWS_E_DNA_TYPE",
    message: `${formatKeyPath(path)} has a value of the wrong kind`,
    found: foundText(value, path, node.unit),
    expected: expectedText(node),
    ...hintOf(hintForType(value, { node, path }) ?? node.description),
  });
}

function outOfRange(path: KeyPath, { input, tree }: Context): Finding {
  const node = fieldAt(tree, path) ?? {};
  return at(path, {
    code: "CELLWS_E_DNA_RANGE",
    message: `${formatKeyPath(path)} is out of range`,
    found: foundText(valueAt(input, path), path, node.unit),
    expected: `${expectedText(node)}${lengthText(node)}`,
    ...hintOf(
      [node.zero === undefined ? [] : `0: ${node.zero}.`, node.description ?? []].flat().join(" ") || undefined,
    ),
  });
}

function badValue(path: KeyPath, { input, tree }: Context, told?: { what: string; found: string }): Finding {
  const node = fieldAt(tree, path) ?? {};
  const value = valueAt(input, path);
  return at(path, {
    code: "CELLWS_E_DNA_VALUE",
    message: `${formatKeyPath(path)} ${told?.what ?? "has a value that cannot be used"}`,
    found: told?.found ?? foundText(value, path, node.unit),
    expected: told === undefined ? expectedText(node) : expectedText(fieldAt(tree, path.slice(0, -1)) ?? {}),
    ...hintOf(hintForValue(value, node) ?? node.description),
  });
}

function at(path: KeyPath, diagnostic: Omit<Diagnostic, "path">): Finding {
  return { path, diagnostic: { path: formatKeyPath(path), ...diagnostic } };
}

function hintOf(hint: string | undefined): { hint?: string } {
  return hint === undefined || hint === "" ? {} : { hint };
}

function hasKey(root: unknown, path: KeyPath): boolean {
  const parent = valueAt(root, path.slice(0, -1));
  const key = path.at(-1);
  return typeof parent === "object" && parent !== null && key !== undefined && Object.hasOwn(parent, key);
}

/** For the slips that are common enough to name: quotes, other units, an unset variable, one for a list. */
function hintForType(value: unknown, { node, path }: { node: FieldNode; path: KeyPath }): string | undefined {
  const isNumeric = groupedType(node, "integer") || groupedType(node, "number");
  if (isWithin(path, ["env"]) && path.length > 1) {
    if (value === undefined)
      return "If it came from process.env: it is not set where cellws was started. Leave the key out, or give a default with ??.";
    if (typeof value === "number" || typeof value === "boolean")
      return "Environment variables are strings: put it in quotes.";
  }
  if (isNumeric && typeof value === "string") return hintForQuotedNumber(value, node);
  if (isNumeric && typeof value === "number" && Number.isFinite(value))
    return `Write ${numberText(Math.round(value), node.unit)}; fractions mean nothing here.`;
  if (node.type === "boolean" && (value === "true" || value === "false")) return `Remove the quotes: ${value}.`;
  if (groupOf(node).items !== undefined && value !== null && value !== undefined && !Array.isArray(value))
    return "Put it in brackets: a list may have one item.";
  return undefined;
}

function groupedType(node: FieldNode, type: FieldNode["type"]): boolean {
  return node.type === type || (node.anyOf?.some((branch) => branch.type === type) ?? false);
}

function hintForQuotedNumber(text: string, node: FieldNode): string | undefined {
  if (/^\s*-?\d+(\.\d+)?\s*$/.test(text)) return `Remove the quotes: ${numberText(Number(text), node.unit)}.`;
  const [, amount, suffix] = /^\s*(\d+(?:\.\d+)?)\s*([a-z]+)\s*$/i.exec(text) ?? [];
  if (amount === undefined || suffix === undefined || node.unit === undefined) return undefined;
  const factor = unitFactors[node.unit]?.[suffix.toLowerCase()];
  return factor === undefined
    ? undefined
    : `Write it in ${node.unit}, as a number: ${numberText(Math.round(Number(amount) * factor))}.`;
}

const unitFactors: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  ms: { ms: 1, s: 1_000, sec: 1_000, m: 60_000, min: 60_000, h: 3_600_000, d: 86_400_000 },
  bytes: {
    b: 1,
    k: 1_024,
    kb: 1_024,
    kib: 1_024,
    m: 1_048_576,
    mb: 1_048_576,
    mib: 1_048_576,
    g: 1_073_741_824,
    gb: 1_073_741_824,
    gib: 1_073_741_824,
  },
};

function hintForValue(value: unknown, node: FieldNode): string | undefined {
  if (typeof value !== "string") return undefined;
  if (node.range === true) {
    const judged = judgeRange(value);
    return judged.ok ? undefined : judged.hint;
  }
  const word = nearest(value, node.enum ?? []);
  return word === null ? undefined : `Did you mean ${JSON.stringify(word)}?`;
}

/** Bounds on the length of lists and strings, where `accepts` does not tell them. */
function lengthText(node: FieldNode): string {
  const group = groupOf(node);
  if (group.type === "array" && group.maxItems !== undefined)
    return `, of ${group.minItems ?? 0} to ${numberText(group.maxItems)} items`;
  if (group.type === "string" && group.maxLength !== undefined)
    return `, ${boundsText({ minimum: group.minLength ?? 0, maximum: group.maxLength }).replace("from ", "")} characters long`;
  return "";
}
