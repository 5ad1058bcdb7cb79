/** `cellws check`: judges the DNA without starting anything. */
import { addExamples } from "../command.ts";
import type { CliCommand } from "../command.ts";
import type { Diagnostic } from "../../dna/diagnostic.ts";
import type { Dna } from "../../dna/dna.ts";

interface CheckOptions {
  dna?: string;
  json?: boolean;
}

export const command: CliCommand<CheckOptions> = {
  define(command) {
    command
      .argument("[app]", "the app, where the DNA does not name it")
      .option("--dna <file>", "the DNA (default: dna.ts or dna.js here, if there is one)")
      .option("--json", "print { ok, dnaFile, revision, diagnostics, dna } as JSON");
    addExamples(command, [
      ["cellws check", "the DNA of this directory"],
      ["cellws check server.js --dna deploy/dna.ts", "another one"],
    ]);
    command.addHelpText("after", "\nExit status: 0 when an organism could be started with it, 2 when not.");
  },
  async run(context, [app], { dna, json }) {
    // Loaded here: the schema library takes longer to load than `cellws ps` takes altogether.
    const { checkDna, formatCheck } = await import("../../dna/check.ts");
    const report = await checkDna({ cwd: context.cwd, dnaFile: dna, app }, rulesOf);
    const { color, columns } = context.noteStyle;
    if (json === true) context.out(JSON.stringify(report));
    else
      (report.ok ? context.out : context.note)(formatCheck(report, { color, columns: Math.min(columns, COLUMNS_MAX) }));
    return report.ok ? 0 : 2;
  },
};

async function rulesOf(dna: Dna): Promise<Diagnostic[]> {
  const { rules, exclude } = dna.immune;
  return rules.length + exclude.length === 0 ? [] : (await import("../../host/immune/check-rules.ts")).checkRules(dna);
}

/** Sentences beyond this are hard to read, however wide the terminal. */
const COLUMNS_MAX = 120;
