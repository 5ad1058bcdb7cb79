/**
 * The firewall beside what people run today: the same app behind cellws with a rule set, and behind nginx with ModSecurity
 * and the same rules. Requests a second, whole path, all server processes on one core; and what filtering costs cellws.
 *
 *     CRS_DIR=... node bench/firewall.ts
 *     CRS_DIR=... node bench/firewall.ts --seconds 4 --rounds 3 --paranoia 1 --json
 *
 * One B cell and one drone stand against one worker of nginx and one process of Node; the load comes from the other core.
 * Contestants take turns in each round, so that whatever else the machine does falls on all. Rules only detect, so
 * that both answer alike, and no audit log is written; requests are harmless, as most are.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import type { Contestant } from "./lib/contestants.ts";
import { requestKinds } from "./lib/immune-requests.ts";
import { installPackage } from "./lib/package.ts";
import { cpuMs, median, provide, run } from "./lib/tools.ts";

const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "3" },
    seconds: { type: "string", default: "4" },
    paranoia: { type: "string", default: "1" },
    only: { type: "string", default: "modsecurity,cellws,builtin,off" },
    json: { type: "boolean", default: false },
  },
});
const crs = process.env["CRS_DIR"];
if (crs === undefined) {
  console.error("CRS_DIR must name a folder with rules/ and crs-setup.conf.example of the Core Rule Set 4.");
  process.exit(2);
}
const missing = provide([
  { command: "wrk", debianPackage: "wrk" },
  { command: "nginx", debianPackage: "libnginx-mod-http-modsecurity" },
  { command: "taskset", debianPackage: "util-linux" },
]);
if (missing.length > 0) {
  console.error(`firewall: cannot measure without ${missing.map(({ debianPackage }) => debianPackage).join(", ")}`);
  process.exit(1);
}

// As users install it; the harness reads this as it is loaded.
const installed = process.env["E2E_CELLWS"] === undefined ? await installPackage() : null;
if (installed !== null) process.env["E2E_CELLWS"] = installed.bin;
process.env["CELLWS_NODE"] = process.execPath;
const { alone, startCellws, startModSecurity } = await import("./lib/contestants.ts");

const rounds = Number(values.rounds);
const seconds = Number(values.seconds);
const connections = 16;
/** Compiling what is hot takes seconds where it shares its core with what it compiles. */
const warmUpSeconds = 8;
/** Distinct requests that take turns: more than the values that cellws keeps readings of (seclang/compiled/memory.ts). */
const requestCount = 4000;
const kinds = ["GET, 5 parameters", "JSON, 1 KB", "form"] as const;

const ruleFiles = [path.join(crs, "crs-setup.conf.example"), path.join(crs, "rules", "*.conf")];
const immune = { mode: "detect", paranoia: Number(values.paranoia) } as const;
const contestants: Readonly<Record<string, { title: string; start: () => Promise<Contestant> }>> = {
  modsecurity: { title: "nginx + ModSecurity, Core Rule Set", start: () => startModSecurity(modSecurityRules(crs)) },
  cellws: {
    title: "cellws, Core Rule Set",
    start: () => startCellws("cellws-crs", 1, { ...immune, rules: ruleFiles }),
  },
  builtin: { title: "cellws, built-in filters", start: () => startCellws("cellws-builtin", 1, immune) },
  off: { title: "cellws, no filter", start: () => startCellws("cellws-off", 1, { mode: "off" }) },
};

const running: Array<{ name: string; contestant: Contestant }> = [];
const scratch = mkdtempSync(path.join(tmpdir(), "cellws-firewall-"));
try {
  for (const name of values.only.split(",")) {
    const contestant = await contestants[name]!.start();
    running.push({ name, contestant });
    for (const pid of contestant.pids()) await run("taskset", ["-a", "-c", "-p", "0", String(pid)]);
  }
  const all = running.map(({ contestant }) => contestant);
  for (const contestant of all)
    for (const kind of kinds) await alone(contestant, all, () => load(contestant, kind, warmUpSeconds));
  report(await measure());
} finally {
  for (const { contestant } of running) await contestant.end();
  rmSync(scratch, { recursive: true, force: true });
  installed?.remove();
}

interface Sample {
  readonly requestsPerSecond: number;
  readonly cpuUs: number;
  readonly errors: number;
}

type Results = Map<string, Sample[]>;

async function measure(): Promise<Results> {
  const results: Results = new Map();
  const all = running.map(({ contestant }) => contestant);
  for (let round = 1; round <= rounds; round += 1) {
    for (const kind of kinds) {
      for (const { name, contestant } of round % 2 === 0 ? running.toReversed() : running) {
        const pids = contestant.pids();
        const before = cpuMs(pids);
        const { requestsPerSecond, errors } = await alone(contestant, all, () => load(contestant, kind, seconds));
        const cpuUs = ((cpuMs(pids) - before) * 1000) / (requestsPerSecond * seconds);
        const key = `${name} ${kind}`;
        results.set(key, [...(results.get(key) ?? []), { requestsPerSecond, cpuUs, errors }]);
      }
    }
  }
  return results;
}

async function load(
  { port }: Contestant,
  kind: (typeof kinds)[number],
  forSeconds: number,
): Promise<Pick<Sample, "requestsPerSecond" | "errors">> {
  const script = path.join(scratch, "load.lua");
  writeFileSync(script, luaOf(kind), "latin1");
  const target = `http://127.0.0.1:${port}`;
  const args = ["-t1", `-c${connections}`, `-d${forSeconds}s`, "--timeout", "10s", "-s", script, target];
  const output = await run("taskset", ["-c", "1", "wrk", ...args]);
  const line = /^RESULT (.*)$/m.exec(output)?.[1];
  if (line === undefined) throw new Error(`wrk printed no result:\n${output}`);
  const [requests, us, errors] = line.split(" ").map(Number) as [number, number, number];
  return { requestsPerSecond: (requests * 1e6) / us, errors };
}

function luaOf(kind: (typeof kinds)[number]): string {
  const make = requestKinds[kind]!;
  const lines = Array.from({ length: requestCount }, (_, n) => {
    const { facts, body } = make(n);
    const fields: string[] = [];
    for (let i = 0; i < facts.headers.length; i += 2) {
      // wrk writes the length itself.
      if (facts.headers[i] === "Content-Length") continue;
      fields.push(`[${lua(facts.headers[i]!)}] = ${lua(facts.headers[i + 1]!)}`);
    }
    const sent = body === "" ? "nil" : lua(body);
    return `  made[#made + 1] = wrk.format(${lua(facts.method)}, ${lua(`/hello${facts.target}`)}, { ${fields.join(", ")} }, ${sent})`;
  });
  return `
local made, turn = {}, 0
function init()
${lines.join("\n")}
end
function request() turn = turn % #made + 1; return made[turn] end
function done(summary)
  local e = summary.errors
  print(string.format("RESULT %d %d %d", summary.requests, summary.duration, e.connect + e.read + e.write + e.timeout))
end
`;
}

/** A Lua string of bytes. */
function lua(text: string): string {
  const escaped = text.replaceAll(/[^ !#-[\]-~]/g, (char) => `\\${String(char.charCodeAt(0)).padStart(3, "0")}`);
  return `"${escaped}"`;
}

function modSecurityRules(folder: string): string {
  return `SecRuleEngine DetectionOnly
SecRequestBodyAccess On
SecRequestBodyLimit 13107200
SecRequestBodyNoFilesLimit 131072
SecResponseBodyAccess Off
SecAuditEngine Off
SecAction "id:900000,phase:1,pass,nolog,setvar:tx.blocking_paranoia_level=${Number(values.paranoia)}"
SecRule REQUEST_HEADERS:Content-Type "^application/json" "id:200001,phase:1,t:none,t:lowercase,pass,nolog,ctl:requestBodyProcessor=JSON"
Include ${folder}/crs-setup.conf.example
Include ${folder}/rules/*.conf
`;
}

function report(results: Results): void {
  const rate = (name: string, kind: string): number =>
    median((results.get(`${name} ${kind}`) ?? []).map(({ requestsPerSecond }) => requestsPerSecond));
  const rows = running.flatMap(({ name }) =>
    kinds.map((kind) => {
      const samples = results.get(`${name} ${kind}`) ?? [];
      return {
        name,
        kind,
        requestsPerSecond: Math.round(rate(name, kind)),
        cpuUs: Math.round(median(samples.map(({ cpuUs }) => cpuUs))),
        toModSecurity: rate(name, kind) / rate("modsecurity", kind),
        toOff: rate(name, kind) / rate("off", kind),
        errors: samples.reduce((sum, { errors }) => sum + errors, 0),
      };
    }),
  );
  if (values.json) return console.log(JSON.stringify({ connections, seconds, rounds, rows }, null, 2));
  console.log(`Requests a second on one core, ${connections} kept connections, median of ${rounds} x ${seconds} s`);
  for (const kind of kinds) {
    console.log(`\n  ${kind}`);
    for (const row of rows.filter((one) => one.kind === kind)) {
      const ratios = `x ${row.toModSecurity.toFixed(2)} of ModSecurity, x ${row.toOff.toFixed(2)} of no filter`;
      const errors = row.errors === 0 ? "" : `  ${row.errors} ERRORS`;
      console.log(
        `    ${contestants[row.name]!.title.padEnd(36)} ${String(row.requestsPerSecond).padStart(7)}  ${String(row.cpuUs).padStart(6)} us CPU  ${ratios}${errors}`,
      );
    }
  }
}
