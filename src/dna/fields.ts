/**
 * The schema as a tree that can be read: what is at a path, what would be right there, which keys there are.
 *
 * Read from zod's own JSON Schema and not from its internals, so that errors, documentation and the
 * published JSON Schema cannot say different things.
 */
import * as z from "zod";
import type { DnaSchema, FieldMeta, Unit } from "./schema.ts";
import type { KeyPath } from "./key-path.ts";

/** A key, as JSON Schema describes it, with our own additions. */
export interface FieldNode extends FieldMeta {
  type?: "object" | "array" | "string" | "integer" | "number" | "boolean" | "null";
  properties?: Record<string, FieldNode>;
  required?: string[];
  /** The values of a record, or false where unknown keys are refused. */
  additionalProperties?: FieldNode | false;
  items?: FieldNode;
  anyOf?: FieldNode[];
  enum?: string[];
  const?: string;
  minimum?: number;
  maximum?: number;
  minLength?: number;
  maxLength?: number;
  minItems?: number;
  maxItems?: number;
  pattern?: string;
  default?: unknown;
}

/** What users may write: keys with a default are optional. */
export function fieldTree(schema: DnaSchema): FieldNode {
  const known = trees.get(schema);
  if (known !== undefined) return known;
  const tree = z.toJSONSchema(schema, { io: "input" }) as FieldNode;
  trees.set(schema, tree);
  return tree;
}

/** Made once for each schema: it is asked for by the paths, and again by each error. */
const trees = new WeakMap<DnaSchema, FieldNode>();

/** The node that describes `path`; undefined where there is no such key. */
export function fieldAt(tree: FieldNode, path: KeyPath): FieldNode | undefined {
  let node: FieldNode | undefined = tree;
  for (const key of path) {
    const group: FieldNode = groupOf(node);
    if (typeof key === "number") node = group.items;
    else
      node = group.properties?.[key] ?? (group.additionalProperties === false ? undefined : group.additionalProperties);
    if (node === undefined) return undefined;
  }
  return node;
}

/** A node or, where null or "any" may stand for it, its alternative that has keys or items. */
export function groupOf(node: FieldNode): FieldNode {
  return node.anyOf?.find((branch) => branch.properties !== undefined || branch.items !== undefined) ?? node;
}

export interface Field {
  /** `listen[].port` */
  pattern: string;
  node: FieldNode;
  /** True for what has keys of its own. */
  isSection: boolean;
}

/** Every key, each section before its keys, in the schema's order. */
export function fieldsOf(tree: FieldNode): Field[] {
  const fields: Field[] = [];
  const visit = (node: FieldNode, prefix: string): void => {
    for (const [key, child] of Object.entries(node.properties ?? {})) {
      const pattern = prefix === "" ? key : `${prefix}.${key}`;
      const group = groupOf(child);
      const inner = group.items === undefined ? group : groupOf(group.items);
      if (child.functions !== undefined) {
        fields.push({ pattern, node: child, isSection: false });
        continue;
      }
      fields.push({ pattern, node: child, isSection: inner.properties !== undefined });
      visit(inner, group.items === undefined ? pattern : `${pattern}[]`);
    }
  };
  visit(tree, "");
  return fields;
}

/** Every string that stands where the schema has one: rewritten by `rewrite`, which sees its node and place. */
export function mapStrings<T>(
  tree: FieldNode,
  value: T,
  rewrite: (text: string, node: FieldNode, path: KeyPath) => string,
): T {
  const visit = (node: FieldNode | undefined, part: unknown, path: KeyPath): unknown => {
    if (node === undefined) return part;
    const group = groupOf(node);
    if (typeof part === "string")
      return rewrite(
        part,
        node.anyOf?.find((branch) => branch.type === "string" && branch.const === undefined) ?? node,
        path,
      );
    if (Array.isArray(part)) return part.map((item: unknown, index) => visit(group.items, item, [...path, index]));
    if (typeof part !== "object" || part === null) return part;
    return Object.fromEntries(
      Object.entries(part).map(([key, child]) => [key, visit(fieldAt(group, [key]), child, [...path, key])]),
    );
  };
  return visit(tree, value, []) as T;
}

/** In words: "a whole number of ms from 100 to 60_000". */
export function expectedText(node: FieldNode): string {
  if (node.accepts !== undefined) return node.accepts;
  if (node.anyOf !== undefined) return node.anyOf.map(expectedText).join(", or ");
  if (node.const !== undefined) return JSON.stringify(node.const);
  if (node.enum !== undefined) return listed(node.enum.map((value) => JSON.stringify(value)));
  switch (node.type) {
    case "integer":
      return `${wholeNumberOf(node.unit)} ${boundsText(node)}`;
    case "number":
      return `a number ${boundsText(node)}`;
    case "boolean":
      return "true or false";
    case "string":
      if (node.pathOf === undefined) return "a string";
      return node.pathOf === "folder" ? "the path of a folder" : "the path of a file";
    case "object": {
      const keys = Object.keys(node.properties ?? {});
      return keys.length === 0 ? "an object" : `an object with the keys ${listed(keys, "and")}`;
    }
    case "array":
      return "a list";
    case "null":
      return "null";
    default:
      return "another value";
  }
}

/** "from 100 to 60_000", as a programmer would write the numbers. */
export function boundsText({ minimum = -Infinity, maximum = Infinity, unit }: FieldNode): string {
  return `from ${numberText(minimum, unit)} to ${numberText(maximum, unit)}`;
}

/** 60000 -> "60_000", as it can be pasted. Ports are names more than numbers: 8080. */
export function numberText(value: number, unit?: Unit): string {
  if (!Number.isInteger(value) || Math.abs(value) < 1_000 || unit === "port") return String(value);
  return String(value).replaceAll(/\B(?=(\d{3})+$)/g, "_");
}

function wholeNumberOf(unit: Unit | undefined): string {
  if (unit === "port") return "a port number";
  return unit === undefined || unit === "level" ? "a whole number" : `a whole number of ${unit}`;
}

function listed(words: readonly string[], conjunction = "or"): string {
  if (words.length < 2) return words.join("");
  return `${words.slice(0, -1).join(", ")} ${conjunction} ${words.at(-1)}`;
}
