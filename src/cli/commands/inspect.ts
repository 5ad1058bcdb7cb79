/** `cellws inspect`: what the firewall would say of requests that stand in a file, without a server. */
import fs from "node:fs";
import path from "node:path";
import type { Dna } from "../../dna/dna.ts";
import { CellwsError } from "../../lib/cellws-error.ts";
import type { CliCommand, CliContext } from "../command.ts";
import { addExamples } from "../command.ts";

interface InspectOptions {
  rules?: string[];
  paranoia?: string;
  dna?: string;
  client?: string;
  explain?: boolean;
}

/** Of documentation. Not loopback: rule sets let the server's own requests pass. */
const CLIENT = "192.0.2.1";

/** Requests to look at, not logs of a month. */
const FILE_BYTES_MAX = 256 * 1024 * 1024;

export const command: CliCommand<InspectOptions> = {
  define(command) {
    command
      .argument("[file]", "raw HTTP requests, one after the other; - reads standard input")
      .option("--rules <path...>", "rule files, folders or patterns (default: those of the DNA)")
      .option("--paranoia <level>", "1 to 4 (default: the DNA's, or 1)")
      .option("--dna <file>", "take rules, filters and thresholds from this DNA (default: dna.ts or dna.js here)")
      .option("--client <address>", "where the requests are taken to come from (default: 192.0.2.1)")
      .option("--explain", "say what matched where, and how to write the exclusion");
    addExamples(command, [
      ["cellws inspect requests.txt", "by the DNA here"],
      ["cellws inspect --rules crs --explain requests.txt", "by these rules"],
    ]);
    command.addHelpText(
      "after",
      `
Prints for each request one JSON line, as the audit log has it. Lines of a
request's head may end in LF; a body needs its Content-Length. Exit status: 0
whatever was found, 1 when a request could not be read to its end, 2 when the
rules or the command line are wrong.`,
    );
  },
  async run(context, [named], options) {
    const { file, rules } = meantFile(named, options.rules);
    const bytes = readRequests(context, file);
    const [{ loadGuard }, { inspectRequests, placesOf }, { renderExplained }] = await Promise.all([
      import("../../host/immune/guard.ts"),
      import("../../host/immune/inspect.ts"),
      import("../../view/inspect.ts"),
    ]);
    const guard = await loadGuard(await immuneOf(context, rules, options));
    // `immuneOf` leaves no mode at which nothing is judged.
    if (guard === null) return 2;
    const places = placesOf(guard.rules);
    const placeOf = (id: number): string | null => {
      const place = places.get(id);
      return place === undefined ? null : `${path.relative(context.cwd, place.file)}:${place.line}`;
    };
    let isWhole = true;
    for await (const { entry, path: target, hits } of inspectRequests(guard, bytes, options.client ?? CLIENT)) {
      isWhole = entry.error === undefined;
      if (options.explain !== true) context.out(JSON.stringify(entry));
      else if (entry.error === undefined) {
        for (const line of renderExplained({ ...entry, path: target, hits, placeOf }, context.style)) context.out(line);
      } else context.out(`refused  ${entry.method} ${entry.target}  ${entry.error}: no rule sees it, nor what follows`);
    }
    return isWhole ? 0 : 1;
  },
};

/** `--rules a b requests.txt`: an option that takes several takes the file too. */
function meantFile(
  named: string | undefined,
  rules: readonly string[] | undefined,
): { file: string; rules: readonly string[] | undefined } {
  if (named !== undefined) return { file: named, rules };
  const last = rules?.at(-1);
  if (last !== undefined && rules!.length > 1) return { file: last, rules: rules!.slice(0, -1) };
  throw new CellwsError("CELLWS_E_USAGE", 2, "no file with requests was named", {
    expected: "cellws inspect [--rules PATH...] [--paranoia N] FILE",
    hint: "Write - to read them from standard input.",
  });
}

function readRequests(context: CliContext, file: string): Buffer {
  const place = file === "-" ? 0 : path.resolve(context.cwd, file);
  try {
    if (typeof place === "string" && fs.statSync(place).size > FILE_BYTES_MAX) {
      throw new Error(`it has more than ${FILE_BYTES_MAX} bytes`);
    }
    return fs.readFileSync(place);
  } catch (error) {
    throw new CellwsError("CELLWS_E_INPUT", 2, "the file with requests cannot be read", {
      path: file,
      found: error instanceof Error ? error.message : String(error),
    });
  }
}

/** The DNA's section, with what the command line lays over it. Requests are judged whatever the DNA's mode. */
async function immuneOf(
  { cwd }: CliContext,
  rules: readonly string[] | undefined,
  { paranoia, dna }: InspectOptions,
): Promise<Dna["immune"]> {
  const { immuneSection } = await import("../../dna/section.ts");
  const overrides = {
    ...(rules === undefined ? {} : { rules: rules.map((pattern) => path.resolve(cwd, pattern)) }),
    ...(paranoia === undefined ? {} : { paranoia: /^\d{1,3}$/.test(paranoia) ? Number(paranoia) : paranoia }),
  };
  // With rules of its own and no DNA named, what lies in this folder has no say.
  const immune = await immuneSection({
    cwd,
    dnaFile: dna,
    isBare: rules !== undefined && dna === undefined,
    overrides,
  });
  return { ...immune, mode: immune.mode === "off" ? "block" : immune.mode };
}
