/**
 * The `immune` section of a DNA by itself, for commands that judge requests without an organism: a DNA without an app will do.
 */
import { CellwsError } from "../lib/cellws-error.ts";
import { formatDiagnostics, isWarning } from "./diagnostic.ts";
import type { Dna } from "./dna.ts";
import { machineFacts } from "./facts.ts";
import { dnaFileNames, loadDna } from "./load.ts";
import { look } from "./files.ts";
import { resolveDna } from "./resolve.ts";
import { dnaSchema } from "./schema.ts";
import * as path from "node:path";

export interface SectionRequest {
  /** Absolute. */
  cwd: string;
  dnaFile: string | undefined;
  /** The DNA in `cwd` is not asked. */
  isBare: boolean;
  /** Keys of `immune`, laid over it; judged as if they stood there. Paths are absolute. */
  overrides: Readonly<Record<string, unknown>>;
}

/** Throws CELLWS_E_DNA with all that is wrong. */
export async function immuneSection({ cwd, dnaFile, isBare, overrides }: SectionRequest): Promise<Dna["immune"]> {
  const hasDna = dnaFile !== undefined || dnaFileNames.some((name) => look(path.join(cwd, name)) !== null);
  const base = !isBare && hasDna ? await fromFile(cwd, dnaFile) : {};
  const facts = { ...machineFacts(), name: "inspect", folder: cwd };
  const resolution = resolveDna({
    // Whatever the app, it is not asked.
    input: { app: "no-app", immune: { ...base, ...overrides } },
    schema: dnaSchema(facts),
    later: [],
  });
  if (resolution.ok) return resolution.dna.immune;
  throw mistakes(formatDiagnostics(resolution.diagnostics, { color: false }));
}

async function fromFile(cwd: string, dnaFile: string | undefined): Promise<Partial<Dna["immune"]>> {
  const first = await loadDna({ cwd, dnaFile });
  if (first.ok) return first.dna.immune;
  const isOnlyAppless = first.diagnostics.every((found) => isWarning(found) || found.code === "CELLWS_E_APP_NOT_GIVEN");
  // Any file will do as an app that is never run; the DNA's own is there.
  const again = isOnlyAppless && first.dnaFile !== null ? await loadDna({ cwd, dnaFile, app: first.dnaFile }) : first;
  if (again.ok) return again.dna.immune;
  throw mistakes(formatDiagnostics(again.diagnostics, { color: false }));
}

function mistakes(text: string): CellwsError {
  return new CellwsError("CELLWS_E_DNA", 2, "the DNA, or what the command line lays over it, has mistakes", {
    hint: text,
  });
}
