/**
 * What is wrong with a DNA, as a value: for people (formatDiagnostics) and for programs (`check --json`).
 *
 * The reader is tired and in a hurry. So each mistake says which key, what was found, what would be right
 * and what to do, always in this order; all mistakes come at once; and the code can be searched for.
 */

/** E: nothing is started. W: it works, but perhaps not as meant. */
export type DiagnosticCode = `CELLWS_${"E" | "W"}_${string}`;

export interface Diagnostic {
  /** Stable: documented in docs/ERRORS.md. */
  code: DiagnosticCode;
  /** One sentence without a full stop: what is wrong. */
  message: string;
  /** The key in the DNA (`cells.drone.max`), or the flag that overrode it (`--port`). */
  path?: string;
  /** What is there, shortened. Never the value of an environment variable. */
  found?: string;
  /** What would be right. */
  expected?: string;
  /** What to do about it, or why the bound is where it is. */
  hint?: string;
  /** Absolute path of the file that the mistake is in, where it is in a file. */
  file?: string;
  /** Counted from 1. */
  line?: number;
  column?: number;
  /** The line itself and a mark under the place. */
  frame?: string;
}

export function isWarning(diagnostic: Diagnostic): boolean {
  return diagnostic.code.startsWith("CELLWS_W_");
}

export interface FormatOptions {
  /** ANSI colours. The caller knows whether it writes to a terminal. */
  color: boolean;
  /** Width to wrap at. */
  columns?: number;
}

/** Several lines, without a newline at the end; "" for no diagnostics. Errors first. */
export function formatDiagnostics(diagnostics: readonly Diagnostic[], options: FormatOptions): string {
  if (diagnostics.length === 0) return "";
  const paint = options.color ? painted : plain;
  const columns = Math.max(COLUMNS_MIN, options.columns ?? COLUMNS);
  const errors = diagnostics.filter((diagnostic) => !isWarning(diagnostic));
  const warnings = diagnostics.filter(isWarning);
  const blocks = [...errors, ...warnings].map((diagnostic) => formatOne(diagnostic, { paint, columns }));
  return [...blocks, summary(errors, warnings)].join("\n\n");
}

/** Comfortable to read, also where the width of the terminal is not known. */
const COLUMNS = 100;
const COLUMNS_MIN = 40;
const LABEL_COLUMNS = 10;

type Paint = (style: keyof typeof ansi, text: string) => string;
const ansi = { red: 31, yellow: 33, bold: 1, dim: 2, green: 32 } as const;
const painted: Paint = (style, text) => `\u001b[${ansi[style]}m${text}\u001b[0m`;
const plain: Paint = (_, text) => text;

function formatOne(told: Diagnostic, { paint, columns }: { paint: Paint; columns: number }): string {
  const diagnostic = harmless(told);
  const { code, message, frame } = diagnostic;
  const lines = [`${paint(isWarning(diagnostic) ? "yellow" : "red", code)}  ${paint("bold", message)}`];
  for (const [label, text] of rowsOf(diagnostic)) {
    const wrapped = wrap(text, columns - LABEL_COLUMNS - 2).join(`\n${" ".repeat(LABEL_COLUMNS + 2)}`);
    lines.push(
      `  ${paint("dim", label.padEnd(LABEL_COLUMNS))}${label === "expected" ? paint("green", wrapped) : wrapped}`,
    );
  }
  if (frame !== undefined) lines.push(...frame.split("\n").map((line) => `    ${paint("dim", "|")} ${line}`));
  return lines.join("\n");
}

function rowsOf(diagnostic: Diagnostic): Array<[label: string, text: string]> {
  const { found, expected, hint } = diagnostic;
  const rows: Array<[string, string | undefined]> = [
    ["in", placeText(diagnostic)],
    ["found", found],
    ["expected", expected],
    ["hint", hint],
  ];
  return rows.flatMap(([label, text]) => (text === undefined ? [] : [[label, text] as [string, string]]));
}

/** Said where it leads the eye to a line, or where no key does; the summary names the file once for all. */
function placeText({ file, line, column, path }: Diagnostic): string | undefined {
  if (file === undefined || (line === undefined && path !== undefined)) return undefined;
  return [file, line, line === undefined ? undefined : column].filter((part) => part !== undefined).join(":");
}

function summary(errors: readonly Diagnostic[], warnings: readonly Diagnostic[]): string {
  const parts = [...counted(errors.length, "mistake"), ...counted(warnings.length, "warning")];
  const files = new Set([...errors, ...warnings].flatMap(({ file }) => file ?? []));
  const where = files.size === 1 ? ` in ${[...files].join("")}` : "";
  return `${parts.join(", ")}${where}. Codes are explained in docs/ERRORS.md.`;
}

function counted(count: number, word: string): string[] {
  return count === 0 ? [] : [`${count} ${word}${count === 1 ? "" : "s"}`];
}

/** What a DNA says, or throws, is shown and not carried out: no escape sequence of its own reaches the terminal. */
function harmless(diagnostic: Diagnostic): Diagnostic {
  const entries = Object.entries(diagnostic).map(([key, value]: [string, unknown]) => [
    key,
    typeof value === "string" ? printable(value) : value,
  ]);
  return Object.fromEntries(entries);
}

function printable(text: string): string {
  return text
    .replaceAll("\t", " ")
    .replaceAll(/[^\P{Cc}\n]/gu, (control) => `\\x${control.charCodeAt(0).toString(16).padStart(2, "0")}`);
}

/** Breaks at spaces. A word longer than the width (a path) stays whole: it is there to be copied. */
function wrap(text: string, columns: number): string[] {
  return text.split("\n").flatMap((paragraph) => {
    const lines: string[] = [];
    let line = "";
    for (const word of paragraph.split(" ")) {
      if (line !== "" && line.length + 1 + word.length > columns) {
        lines.push(line);
        line = word;
      } else {
        line = line === "" ? word : `${line} ${word}`;
      }
    }
    return [...lines, line];
  });
}
