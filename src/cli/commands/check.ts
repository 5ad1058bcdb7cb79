/** `cellws check`: judges the DNA without starting anything. */
import path from "node:path";
import { addExamples } from "../command.ts";
import type { CliCommand, CliContext } from "../command.ts";
import type { DnaLoader, DnaResult } from "../dna-loader.ts";
import { importDnaLoader } from "../dna-loader.ts";

interface CheckOptions {
  dna?: string;
  json?: boolean;
}

export const command: CliCommand<CheckOptions> = {
  define(command) {
    command
      .argument("[app]", "the app, where the DNA does not name it")
      .option("--dna <file>", "the DNA (default: dna.ts or dna.js here, if there is one)")
      .option("--json", "print { ok, revision, dnaFile, warnings } or { ok, diagnostics } as JSON");
    addExamples(command, [
      ["cellws check", "the DNA of this directory"],
      ["cellws check server.js --dna deploy/dna.ts", "another one"],
    ]);
    command.addHelpText("after", "\nExit status: 0 when an organism could be started with it, 2 when not.");
  },
  async run(context, [app], { dna, json }) {
    const loader = await importDnaLoader();
    const result = await loader.loadDna({
      cwd: context.cwd,
      ...(dna === undefined ? {} : { dnaFile: dna }),
      ...(app === undefined ? {} : { app }),
      overrides: {},
    });
    if (json === true) context.out(JSON.stringify(jsonOf(result)));
    else tell(result, loader, context);
    return result.ok ? 0 : 2;
  },
};

/** Without the DNA itself: it may hold what the environment does not want printed. */
function jsonOf(result: DnaResult): unknown {
  if (!result.ok) return { ok: false, diagnostics: result.diagnostics };
  const { revision, dnaFile, warnings } = result;
  return { ok: true, revision, dnaFile, warnings };
}

function tell(result: DnaResult, { formatDiagnostics }: DnaLoader, context: CliContext): void {
  const { color, columns } = context.noteStyle;
  const found = result.ok ? result.warnings : result.diagnostics;
  if (found.length > 0) context.note(formatDiagnostics(found, { color, columns: Math.min(columns, COLUMNS_MAX) }));
  if (!result.ok) return;
  const what = result.dnaFile === null ? "The defaults" : path.relative(context.cwd, result.dnaFile);
  context.out(`${what} can be started as revision ${result.revision}`);
}

/** Sentences beyond this are hard to read, however wide the terminal. */
const COLUMNS_MAX = 120;
