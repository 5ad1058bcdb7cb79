// Everything that can be said about the source without running it: types, the pure boundary, lint, format.
// All four run even when one fails, so that one call shows all there is to mend.
import { spawnSync } from "node:child_process";

const checks: ReadonlyArray<{ name: string; command: string; args: string[] }> = [
  { name: "types", command: "tsc", args: ["-p", "tsconfig.json"] },
  { name: "pure boundary", command: "tsc", args: ["-p", "tsconfig.pure.json"] },
  { name: "lint", command: "oxlint", args: ["--type-aware", "--deny-warnings"] },
  { name: "format", command: "oxfmt", args: ["--check"] },
];

let failed = 0;
for (const check of checks) {
  const { status, error } = spawnSync(check.command, check.args, { stdio: "inherit" });
  const ok = status === 0 && error === undefined;
  if (!ok) failed += 1;
  console.log(`${ok ? "ok  " : "FAIL"} ${check.name}${error ? `: ${error.message}` : ""}`);
}
process.exitCode = failed === 0 ? 0 : 1;
