/** cellws as its users get it: built, packed, and installed from the tarball. A checkout runs its sources, which is dearer. */
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { run } from "./tools.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

export interface InstalledPackage {
  /** Its `cellws` command. */
  readonly bin: string;
  remove(): void;
}

/** @throws Error with what npm said where it cannot be built or installed. */
export async function installPackage(): Promise<InstalledPackage> {
  const dir = mkdtempSync(join(tmpdir(), "cellws-package-"));
  const remove = (): void => rmSync(dir, { recursive: true, force: true });
  try {
    await run("npm", ["run", "--prefix", root, "--silent", "build"]);
    await run("npm", ["pack", root, "--silent", "--pack-destination", dir]);
    const tarball = readdirSync(dir).find((name) => name.endsWith(".tgz"));
    if (tarball === undefined) throw new Error("npm pack made no tarball");
    writeFileSync(join(dir, "package.json"), JSON.stringify({ name: "bench", private: true }));
    await run("npm", ["install", "--prefix", dir, "--silent", "--no-audit", "--no-fund", join(dir, tarball)]);
    return { bin: join(dir, "node_modules", ".bin", "cellws"), remove };
  } catch (error) {
    remove();
    throw error;
  }
}
