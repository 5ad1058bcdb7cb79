// Writes all that is derived from src/dna/schema.ts: the types in src/dna/dna.ts, the reference in
// docs/DNA.md, and docs/dna.schema.json. Run it after a change of the schema; a test says when it was forgotten.
import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import {
  expectedText,
  fieldsOf,
  fieldTree,
  groupOf,
  numberText,
  type Field,
  type FieldNode,
} from "../src/dna/fields.ts";
import { laterKeys } from "../src/dna/later.ts";
import { dnaSchema } from "../src/dna/schema.ts";

/** In docs/DNA.md what is above this line is written by hand. */
const BEGIN = "<!-- Below: generated from src/dna/schema.ts by scripts/dna-reference.ts. -->";

/** The files as they should be, by their path in the repository. */
export function derivedFiles(): Record<string, string> {
  // The facts show up only in defaults that are told in words.
  const tree = fieldTree(dnaSchema({ cpuCount: 4, memoryBytes: 4 * 1024 ** 3, name: "app", folder: "/app" }));
  return {
    "src/dna/dna.ts": formatted("dna.ts", typesText(tree)),
    "docs/DNA.md": referenceInto(readFileSync(repositoryFile("docs/DNA.md"), "utf8"), tree),
    "docs/dna.schema.json": formatted("dna.schema.json", JSON.stringify(jsonSchema(tree), null, 2)),
  };
}

/** As `npm run format` would leave it: what is derived must not change when the rest is formatted. */
function formatted(name: string, text: string): string {
  const oxfmt = repositoryFile("node_modules/.bin/oxfmt").pathname;
  const { status, stdout, stderr, error } = spawnSync(oxfmt, [`--stdin-filepath=${name}`], {
    input: text,
    encoding: "utf8",
    cwd: repositoryFile("."),
  });
  if (status !== 0) throw new Error(`oxfmt could not format ${name}: ${error?.message ?? stderr}`);
  return stdout;
}

export function repositoryFile(path: string): URL {
  return new URL(`../${path}`, import.meta.url);
}

if (import.meta.main) {
  for (const [path, text] of Object.entries(derivedFiles())) {
    writeFileSync(repositoryFile(path), text);
    console.log(`wrote ${path}`);
  }
}

// ---- What is said of one key ---------------------------------------------------------------------------

/** The default, or undefined where there is none. */
function defaultText(node: FieldNode): string | undefined {
  if (node.initially !== undefined) return node.initially;
  const value = node.default;
  if (value === undefined || groupOf(node).properties !== undefined) return undefined;
  if (typeof value === "number") return numberText(value, node.unit);
  // A list of one default item ([{}]) is told by the defaults of its keys.
  if (Array.isArray(value) && typeof value[0] === "object") return "one of them, with the defaults below";
  return JSON.stringify(value);
}

function isLater(pattern: string): boolean {
  return laterKeys.some(
    (key) => pattern === key.pattern || pattern.startsWith(`${key.pattern}.`) || pattern.startsWith(`${key.pattern}[]`),
  );
}

// ---- docs/DNA.md ---------------------------------------------------------------------------------------

function referenceInto(page: string, tree: FieldNode): string {
  const at = page.indexOf(BEGIN);
  if (at === -1) throw new Error(`docs/DNA.md lacks the line that begins the generated part: ${BEGIN}`);
  return `${page.slice(0, at)}${BEGIN}\n\n${referenceText(tree)}`;
}

function referenceText(tree: FieldNode): string {
  const fields = fieldsOf(tree);
  const top = fields.filter((field) => !field.isSection && !field.pattern.includes("."));
  const sections = fields.filter((field) => field.isSection);
  return [
    "## Every key",
    "",
    ...notBuiltYet().slice(0, 2),
    ...tableOf(top),
    ...sections.flatMap((section) => {
      const inner = fields.filter((field) => !field.isSection && parentOf(field.pattern) === section.pattern);
      return [
        "",
        `### \`${section.pattern}\`${isLater(section.pattern) ? " (later)" : ""}`,
        "",
        section.node.description ?? "",
        ...(inner.length === 0 ? [] : ["", ...tableOf(inner)]),
      ];
    }),
    "",
    ...notBuiltYet().slice(2),
  ].join("\n");
}

function tableOf(fields: readonly Field[]): string[] {
  return [
    "| Key | What may stand there | Default | Why |",
    "|---|---|---|---|",
    ...fields.map(({ pattern, node }) => {
      const fallback = defaultText(node);
      const words = [node.description ?? "", ...(node.zero === undefined ? [] : [`0: ${node.zero}.`])].join(" ");
      const cells = [
        `\`${pattern.slice(pattern.lastIndexOf(".") + 1)}\`${isLater(pattern) ? " *(later)*" : ""}`,
        expectedText(node),
        fallback === undefined ? "none: it must be given" : node.initially === undefined ? `\`${fallback}\`` : fallback,
        words,
      ];
      return `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
    }),
  ];
}

/** `listen[].port` lies in the section `listen`. */
function parentOf(pattern: string): string {
  const dot = pattern.lastIndexOf(".");
  return dot === -1 ? "" : pattern.slice(0, dot).replace(/\[\]$/, "");
}

// ---- docs/dna.schema.json ------------------------------------------------------------------------------

/** What editors use for a dna.json: our additions become words, and defaults that depend on the machine go. */
function jsonSchema(tree: FieldNode): unknown {
  const root = jsonSchemaNode(tree, "") as { properties: Record<string, unknown>; [key: string]: unknown };
  const { properties, ...rest } = root;
  return {
    title: "The DNA of a cellws organism",
    ...rest,
    properties: {
      $schema: { type: "string", description: "Where this schema lies; for editors only." },
      ...properties,
    },
  };
}

function jsonSchemaNode(node: FieldNode, pattern: string): unknown {
  const {
    accepts,
    initially,
    unit,
    zero,
    pathOf: _,
    range: __,
    fromOutside: ___,
    functions,
    description,
    ...standard
  } = node;
  const inside = (key: string): string => (pattern === "" ? key : `${pattern}.${key}`);
  const words = [
    isLater(pattern) ? "Not built yet, and refused." : "",
    description ?? "",
    accepts === undefined ? "" : `${accepts[0]!.toUpperCase()}${accepts.slice(1)}.`,
    unit === undefined || unit === "port" || unit === "level" ? "" : `Unit: ${unit}.`,
    zero === undefined ? "" : `0: ${zero}.`,
    initially === undefined ? "" : `Default: ${initially}.`,
  ].filter((part) => part !== "");
  const mapped: Record<string, unknown> = {
    ...(words.length === 0 ? {} : { description: words.join(" ") }),
    ...standard,
  };
  // No function can stand in JSON.
  if (functions !== undefined) return { ...mapped, items: false };
  if (initially !== undefined || groupOf(node).properties !== undefined) delete mapped["default"];
  if (node.properties !== undefined) {
    mapped["properties"] = Object.fromEntries(
      Object.entries(node.properties).map(([key, child]) => [key, jsonSchemaNode(child, inside(key))]),
    );
  }
  if (node.items !== undefined) mapped["items"] = jsonSchemaNode(node.items, `${pattern}[]`);
  if (node.anyOf !== undefined) mapped["anyOf"] = node.anyOf.map((branch) => jsonSchemaNode(branch, pattern));
  const required = node.required?.filter((key) => node.properties?.[key]?.fromOutside !== true);
  delete mapped["required"];
  if (required !== undefined && required.length > 0) mapped["required"] = required;
  return mapped;
}

// ---- src/dna/dna.ts ------------------------------------------------------------------------------------

function typesText(tree: FieldNode): string {
  return `/**
 * The DNA's types: as users write it (DnaInput) and as every cell carries it (Dna).
 *
 * Generated from schema.ts by scripts/dna-reference.ts: change it there. Types only, so that a daughter,
 * which is born with a resolved DNA as JSON, needs neither the schema nor its library.
 *
 * A Dna is plain JSON, deeply frozen. Functions never live in it: where the DNA file has some, it has references to
 * them (functions.ts), and the cells that call them read the file.
 */
import type { FunctionReference, ${functionTypes(tree).join(", ")} } from "./functions.ts";

/** Resolved: every key is there, every path is absolute, and null stands for what was not asked for. */
export interface Dna ${objectType(tree, { indent: 0, resolved: true })}

/** What \`defineDna\` takes. Everything has a default but the app, which the command line may give. */
export interface DnaInput ${objectType(tree, { indent: 0, resolved: false })}
`;
}

function functionTypes(tree: FieldNode): string[] {
  return [...new Set(fieldsOf(tree).flatMap(({ node }) => node.functions ?? []))].sort();
}

interface TypeContext {
  indent: number;
  resolved: boolean;
}

function objectType(node: FieldNode, { indent, resolved }: TypeContext): string {
  const pad = " ".repeat(indent + 2);
  const lines = Object.entries(node.properties ?? {}).flatMap(([key, child]) => {
    const optional = !resolved && (child.fromOutside === true || !(node.required ?? []).includes(key));
    const type = typeOf(child, { indent: indent + 2, resolved });
    // Values may come from an expression that is sometimes undefined; a whole section hardly does.
    const loose = optional && !type.includes("{");
    return [
      ...docLines(child).map((line) => `${pad}${line}`),
      `${pad}${resolved ? "readonly " : ""}${key}${optional ? "?" : ""}: ${type}${loose ? " | undefined" : ""};`,
    ];
  });
  return `{\n${lines.join("\n")}\n${" ".repeat(indent)}}`;
}

function typeOf(node: FieldNode, context: TypeContext): string {
  if (node.functions !== undefined) return `readonly ${context.resolved ? "FunctionReference" : node.functions}[]`;
  if (node.anyOf !== undefined) return node.anyOf.map((branch) => typeOf(branch, context)).join(" | ");
  if (node.const !== undefined) return JSON.stringify(node.const);
  if (node.enum !== undefined) return node.enum.map((value) => JSON.stringify(value)).join(" | ");
  switch (node.type) {
    case "integer":
    case "number":
      return "number";
    case "string":
    case "boolean":
    case "null":
      return node.type;
    case "array": {
      const item = typeOf(node.items ?? {}, context);
      return item.startsWith("{") || item.includes(" | ") ? `ReadonlyArray<${item}>` : `readonly ${item}[]`;
    }
    case "object":
      return node.properties === undefined ? "Readonly<Record<string, string>>" : objectType(node, context);
    default:
      throw new Error(`no type for ${JSON.stringify(node)}`);
  }
}

/** What an editor shows when the mouse rests on a key. */
function docLines(node: FieldNode): string[] {
  const isSection = groupOf(node).properties !== undefined && node.accepts === undefined;
  const fallback = defaultText(node);
  const sentences = [
    node.description ?? "",
    isSection || node.type === "boolean" || node.enum !== undefined
      ? ""
      : `${expectedText(node)[0]!.toUpperCase()}${expectedText(node).slice(1)}.`,
    node.zero === undefined ? "" : `0: ${node.zero}.`,
    fallback === undefined ? "" : `Default: ${fallback}.`,
  ].filter((sentence) => sentence !== "");
  const lines = wrap(sentences.join(" "), 96);
  if (lines.length === 1) return [`/** ${lines[0]} */`];
  return ["/**", ...lines.map((line) => ` * ${line}`), " */"];
}

function wrap(text: string, columns: number): string[] {
  return text.split(" ").reduce<string[]>((lines, word) => {
    const last = lines.at(-1);
    if (last === undefined || last.length + 1 + word.length > columns) return [...lines, word];
    return [...lines.slice(0, -1), `${last} ${word}`];
  }, []);
}

/** What is said before the tables, and the table at the end; nothing where all that is understood is built. */
function notBuiltYet(): readonly string[] {
  if (laterKeys.length === 0) return [];
  return [
    "Keys marked *later* are understood and refused (`CELLWS_E_NOT_YET`) until their mechanism is built: see the end of this page.",
    "",
    "## Not built yet",
    "",
    "| Key | What is missing | Until then |",
    "|---|---|---|",
    ...laterKeys.map((key) => `| \`${key.pattern}\` | ${key.mechanism} | ${key.meanwhile} |`),
    "",
  ];
}
