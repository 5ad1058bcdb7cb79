/**
 * Reads the functions of a DNA where they are called: a cell imports the file that its DNA refers to, and takes them out.
 *
 * The file runs in this very process, as an app runs in a drone: it had been tried in a thread of its own when the
 * organism was started. What it says beside the functions is not looked at. That it has changed meanwhile is seen only
 * where the list has become another; a function is code, and code is as new as the cell that runs it.
 */
import { registerHooks } from "node:module";
import path from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { madeBy } from "../../dna/exported.ts";
import type { FunctionPlace, FunctionReference } from "../../dna/functions.ts";
import { CellwsError } from "../../lib/cellws-error.ts";

export interface NamedFunction<Call> {
  readonly name: string;
  readonly call: Call;
}

/** A DNA may ask a secret store; what takes longer is no configuration. */
const LOAD_MS_MAX = 10_000;

/** Throws CELLWS_E_DNA_FUNCTIONS where the file cannot be read any more, or its list has become another. */
export async function loadDnaFunctions<Call>(
  place: FunctionPlace,
  references: readonly FunctionReference[],
): Promise<ReadonlyArray<NamedFunction<Call>>> {
  const [first] = references;
  if (first === undefined) return [];
  const list = at(await readDnaFile(first.file), place);
  const found = Array.isArray(list) ? (list as unknown[]) : [];
  return references.map(({ file, name }, index) => {
    const call = found[index];
    if (typeof call !== "function" || found.length !== references.length) throw changed(file, `${place}[${index}]`);
    return { name, call: call as Call };
  });
}

async function readDnaFile(file: string): Promise<unknown> {
  meanOurselves();
  let timer: NodeJS.Timeout | undefined;
  const tooLong = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`it was not ready after ${LOAD_MS_MAX} ms`)), LOAD_MS_MAX);
  });
  const read = async (): Promise<unknown> => {
    const module = (await import(pathToFileURL(file).href)) as { default?: unknown };
    return madeBy(module.default);
  };
  try {
    return await Promise.race([read(), tooLong]);
  } catch (cause) {
    throw new CellwsError("CELLWS_E_DNA_FUNCTIONS", 2, `the functions of the DNA cannot be read from ${file}`, {
      found: cause instanceof Error ? cause.message : String(cause),
      hint: "Cells that live keep theirs; those that are born need the file as it was.",
      cause,
    });
  } finally {
    clearTimeout(timer);
  }
}

let isHooked = false;

/** `import ... from "cellws"` means these very sources, as it did when the DNA was judged (import-worker.ts). */
function meanOurselves(): void {
  if (isHooked) return;
  isHooked = true;
  const extension = path.extname(fileURLToPath(import.meta.url));
  const url = new URL(`../../index${extension}`, import.meta.url).href;
  registerHooks({
    resolve: (specifier, context, next) =>
      specifier === "cellws" ? { url, shortCircuit: true } : next(specifier, context),
  });
}

function at(value: unknown, place: FunctionPlace): unknown {
  let part = value;
  for (const key of place.split(".")) {
    if (typeof part !== "object" || part === null) return undefined;
    part = (part as Record<string, unknown>)[key];
  }
  return part;
}

function changed(file: string, place: string): CellwsError {
  return new CellwsError(
    "CELLWS_E_DNA_FUNCTIONS",
    2,
    `${file} has no longer the functions that the DNA was made with`,
    {
      path: place,
      found: "another list, or no function at its place",
      hint: "Restart the organism to make it live by the file as it is now.",
    },
  );
}
