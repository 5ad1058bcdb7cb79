/**
 * `cellws check`: what is wrong with a DNA, exactly where; or, if it is sound, what it comes to.
 *
 * The same judgement as at start, with one difference: a DNA without an app is sound in itself, since the
 * command line may give it. Nothing is started and nothing written.
 */
import { tCellsOf } from "./core-dna.ts";
import { formatDiagnostics, isWarning, type Diagnostic } from "./diagnostic.ts";
import type { Dna } from "./dna.ts";
import { loadDna, type LoadDnaRequest } from "./load.ts";

/** JSON-serialisable: `check --json` prints it. */
export interface CheckReport {
  /** No errors; there may be warnings. */
  ok: boolean;
  dnaFile: string | null;
  /** Null where there are errors or no app. */
  revision: string | null;
  diagnostics: Diagnostic[];
  /** Resolved, with the values of environment variables hidden. Null where there is no revision. */
  dna: Dna | null;
}

/** Looks at what the DNA names and this folder does not know of, such as rule files. */
export type LookFurther = (dna: Dna) => readonly Diagnostic[] | Promise<readonly Diagnostic[]>;

export async function checkDna(request: LoadDnaRequest, lookFurther: LookFurther = () => []): Promise<CheckReport> {
  const result = await loadDna(request);
  if (result.ok) {
    const { dna, dnaFile, revision, warnings } = result;
    const diagnostics = [...(await lookFurther(dna)), ...warnings];
    if (diagnostics.every(isWarning)) return { ok: true, dnaFile, revision, diagnostics, dna: withoutSecrets(dna) };
    return { ok: false, dnaFile, revision: null, diagnostics, dna: null };
  }
  const diagnostics = result.diagnostics.map((diagnostic) =>
    diagnostic.code === "CELLWS_E_APP_NOT_GIVEN" ? appStillOpen(diagnostic) : diagnostic,
  );
  return { ok: diagnostics.every(isWarning), dnaFile: result.dnaFile, revision: null, diagnostics, dna: null };
}

/** For terminals; without a newline at the end. */
export function formatCheck(report: CheckReport, options: { color: boolean; columns?: number }): string {
  const problems = formatDiagnostics(report.diagnostics, options);
  const verdict = report.ok
    ? [`${report.dnaFile ?? "No DNA file: all defaults"}${report.dnaFile === null ? "." : " is sound."}`]
    : [];
  const summary = report.dna === null ? [] : [summaryText(report.dna, report.revision ?? "")];
  return [...(problems === "" ? [] : [problems]), [...verdict, ...summary].join("\n")]
    .filter((part) => part !== "")
    .join("\n\n");
}

function summaryText(dna: Dna, revision: string): string {
  const { name, app, listen, cells } = dna;
  const populations = (["neuron", "bCell", "tCell", "drone"] as const).map((key) => {
    const { min, max } = key === "tCell" ? tCellsOf(dna) : cells[key];
    return `${classNames[key]} ${min === max ? min : `${min}-${max}`}`;
  });
  const rows: Array<[string, string]> = [
    ["name", name],
    ["app", app],
    [
      "listens",
      listen
        .map(({ host, port }) => `${host.includes(":") ? `[${host}]` : host}:${port === 0 ? "any" : port}`)
        .join(", "),
    ],
    ["cells", [...populations, `stem pool ${cells.stem.pool}`].join(", ")],
    ["revision", revision],
  ];
  return rows.map(([label, text]) => `  ${label.padEnd(10)}${text}`).join("\n");
}

const classNames = { neuron: "neuron", bCell: "b-cell", tCell: "t-cell", drone: "drone" } as const;

function appStillOpen({ message, hint }: Diagnostic): Diagnostic {
  return { code: "CELLWS_W_APP_NOT_GIVEN", path: "app", message, ...(hint === undefined ? {} : { hint }) };
}

function withoutSecrets(dna: Dna): Dna {
  return { ...dna, env: Object.fromEntries(Object.keys(dna.env).map((key) => [key, "(not shown)"])) };
}
