// Builds what is published: JavaScript and d.ts in dist/, then lets publint judge the package as npm would ship it.
import { spawnSync } from "node:child_process";
import { rmSync } from "node:fs";

rmSync("dist", { recursive: true, force: true });
for (const [command, ...args] of [
  ["tsc", "-p", "tsconfig.build.json"],
  ["publint", "--strict"],
] as const) {
  const { status, error } = spawnSync(command, args, { stdio: "inherit" });
  if (status !== 0) {
    console.error(`build: ${command} failed${error ? `: ${error.message}` : ""}`);
    process.exit(1);
  }
}
