/** What the schema's defaults need to know: asked of the machine and of the project's package.json. */
import { readFileSync } from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { look } from "./files.ts";
import type { DnaFacts } from "./schema.ts";

/** The machine, as far as this process may use it. */
export function machineFacts(): Pick<DnaFacts, "cpuCount" | "memoryBytes"> {
  // 0 when there is no limit; some kernels tell an absurdly large one instead.
  const limitBytes = process.constrainedMemory();
  const totalBytes = os.totalmem();
  return {
    cpuCount: os.availableParallelism(),
    memoryBytes: limitBytes > 0 ? Math.min(limitBytes, totalBytes) : totalBytes,
  };
}

/** A package.json larger than this is none. */
const PACKAGE_BYTES_MAX = 4 * 1_048_576;

export interface PackageFacts {
  name: string | null;
  main: string | null;
}

/** From the package.json in `folder`. One that cannot be read says nothing: to object is Node's business. */
export function packageFacts(folder: string): PackageFacts {
  const file = path.join(folder, "package.json");
  const nothing: PackageFacts = { name: null, main: null };
  const stats = look(file);
  if (stats === null || !stats.isFile() || stats.size > PACKAGE_BYTES_MAX) return nothing;
  try {
    const { name, main } = JSON.parse(readFileSync(file, "utf8")) as Record<string, unknown>;
    return {
      name: typeof name === "string" ? name : null,
      main: typeof main === "string" && main !== "" ? main : null,
    };
  } catch {
    return nothing;
  }
}

/** The package's name without its scope, or the folder's, made fit for `name`: "@acme/Shop_2" gives "shop-2". */
export function fitName(packageName: string | null, folder: string): string {
  for (const raw of [packageName?.replace(/^@[^/]*\//, ""), path.basename(folder)]) {
    const fit = (raw ?? "")
      .toLowerCase()
      .replaceAll(/[^a-z0-9]+/g, "-")
      .replaceAll(/^-+|-+$/g, "")
      .slice(0, 32)
      .replace(/-+$/, "");
    if (fit !== "") return fit;
  }
  return "app";
}
