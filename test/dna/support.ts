// What the DNA's tests share: facts of a small machine, and folders that are gone when the test is.
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import type { TestContext } from "node:test";
import type { Diagnostic } from "../../src/dna/diagnostic.ts";
import { resolveDna, type DnaOverrides } from "../../src/dna/resolve.ts";
import type { LaterKey } from "../../src/dna/later.ts";
import { dnaSchema, type DnaFacts } from "../../src/dna/schema.ts";

export const machine = { cpuCount: 4, memoryBytes: 8 * 1024 ** 3 };
export const facts: DnaFacts = { ...machine, name: "shop", folder: "/srv/shop" };
export const schema = dnaSchema(facts);

/** The diagnostics of a DNA, with every key accepted unless `later` says otherwise. */
export function diagnosticsOf(
  input: unknown,
  { overrides = {}, later = [] }: { overrides?: DnaOverrides; later?: readonly LaterKey[] } = {},
): Diagnostic[] {
  const resolution = resolveDna({ input, schema, overrides, later });
  return resolution.ok ? [] : resolution.diagnostics;
}

/** A folder with these files; paths may have folders in them. */
export function folderWith(context: TestContext, files: Record<string, string>): string {
  const folder = realpathSync(mkdtempSync(path.join(os.tmpdir(), "cellws-dna-")));
  context.after(() => rmSync(folder, { recursive: true, force: true }));
  for (const [name, text] of Object.entries(files)) {
    const file = path.join(folder, name);
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, text);
  }
  return folder;
}
