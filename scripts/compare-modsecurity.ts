/**
 * Do our rules fire where libmodsecurity's do? The requests of the Core Rule Set's tests go to nginx with ModSecurity, and
 * the ids that it tells are compared with ours, request by request.
 *
 *     CRS_DIR=... node scripts/compare-modsecurity.ts
 *     CRS_DIR=... node scripts/compare-modsecurity.ts --show 40
 *
 * Paranoia is 4, so that all rules take part. Compared are the rules of the request's phases; what nginx refuses before any
 * rule sees it (malformed heads, unknown methods) is left out, and counted. libmodsecurity shows REQUEST_BODY to rules whatever
 * the body's kind, where the Core Rule Set's own tests expect what the older ModSecurity does: so both are compared, and
 * the like-for-like figure is the one that counts. Exits with 1 where it is under 0.99.
 */
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import fs from "node:fs";
import net from "node:net";
import os from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { modSecurityModule, nginxConf } from "../bench/lib/nginx.ts";
import { loadRules } from "../src/host/immune/load-rules.ts";
import { parseSecLang } from "../src/immune/seclang/parse.ts";
import { buildScreen } from "../src/immune/seclang/screen.ts";
import { accepts, freePort } from "../test/e2e/plain.ts";
import { bytesOf, requestOf } from "../test/immune/ftw/raw-request.ts";
import { crsFolder, skipWithoutCrs } from "../test/immune/ftw/rule-places.ts";
import { readStages, runRequest, type FtwStage } from "../test/immune/ftw/run.ts";

const { values } = parseArgs({ options: { show: { type: "string", default: "0" } } });
const needed = skipWithoutCrs !== false ? skipWithoutCrs : missingNginx();
if (needed !== null) {
  console.error(needed);
  process.exit(2);
}

/** Of the request's phases: those of answers and of the log sum up what these have found. */
const requestRuleMax = 949_999;
const jaccardMin = 0.99;
const answerMsMax = 5_000;
const lineMsMax = 5_000;
const lineOfRefusedMs = 100;

const setup = `SecAction "id:900005,phase:1,nolog,pass,\\
  setvar:tx.blocking_paranoia_level=4,setvar:tx.crs_validate_utf8_encoding=1,setvar:tx.arg_name_length=100,\\
  setvar:tx.arg_length=400,setvar:tx.total_arg_length=64000,setvar:tx.max_num_args=255,\\
  setvar:tx.max_file_size=64100,setvar:tx.combined_file_sizes=65535"
`;

const stages = fs
  .readdirSync(path.join(crsFolder, "tests"))
  .sort()
  .flatMap((folder) => readStages(path.join(crsFolder, "tests", folder)))
  .filter(({ input }) => !requestOf(input).isRefused);
const theirs = await askModSecurity();
const rules = loadRules([path.join(crsFolder, "crs-setup.conf.example"), path.join(crsFolder, "rules")], {
  prologue: parseSecLang(
    `SecRuleEngine DetectionOnly\nSecRequestBodyLimitAction ProcessPartial\n${setup}`,
    "setup.conf",
  ),
});
const screen = buildScreen(rules);

console.log(`${stages.length} requests, of which nginx gave ${theirs.size} to its rules`);
const likeForLike = compare("REQUEST_BODY holds each body, as in libmodsecurity 3", true);
compare("REQUEST_BODY as the older ModSecurity and the rule set's tests have it (cellws' default)", false);
process.exitCode = likeForLike >= jaccardMin ? 0 : 1;

function compare(title: string, requestBodyAlways: boolean): number {
  let both = 0;
  let either = 0;
  let same = 0;
  const differences = new Map<string, number>();
  for (const [index, stage] of stages.entries()) {
    const fired = theirs.get(index);
    if (fired === undefined) continue;
    const told = runRequest(rules, requestOf(stage.input), { screen, requestBodyAlways }).hits.filter(
      (hit) => hit.logged,
    );
    const ours = new Set(told.map(({ id }) => id).filter((id) => id <= requestRuleMax));
    const union = new Set([...ours, ...fired]);
    const common = [...union].filter((id) => ours.has(id) && fired.has(id));
    both += common.length;
    either += union.size;
    if (union.size === common.length) same += 1;
    for (const id of union) {
      if (ours.has(id) && fired.has(id)) continue;
      const key = `${id} ${ours.has(id) ? "only here" : "only there"}`;
      differences.set(key, (differences.get(key) ?? 0) + 1);
    }
  }
  const jaccard = both / either;
  console.log(
    `${title}\n  Jaccard ${jaccard.toFixed(4)}: ${both} of ${either} pairs; ${same} of ${theirs.size} requests the same`,
  );
  const dearest = [...differences].sort((left, right) => right[1] - left[1]).slice(0, Number(values.show));
  for (const [key, count] of dearest) console.log(`    ${key}: ${count}`);
  return jaccard;
}

/** The rules that fired, by stage; without those that nginx refused before. */
async function askModSecurity(): Promise<Map<number, ReadonlySet<number>>> {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), "cellws-modsecurity-"));
  const app = net.createServer((socket) => {
    socket.on("error", () => {});
    socket.once("data", () => socket.end("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"));
  });
  app.listen(path.join(dir, "app.sock"));
  await once(app, "listening");
  const port = await freePort();
  fs.writeFileSync(path.join(dir, "rules.conf"), rulesText(dir));
  fs.writeFileSync(path.join(dir, "nginx.conf"), nginxText(dir, port));
  const nginx = spawn("nginx", ["-p", dir, "-c", path.join(dir, "nginx.conf")], {
    stdio: ["ignore", "ignore", "inherit"],
  });
  try {
    for (let waitedMs = 0; !(await accepts({ host: "127.0.0.1", port })); waitedMs += 50) {
      if (waitedMs > 30_000 || nginx.exitCode !== null) throw new Error("nginx does not listen");
      await sleep(50);
    }
    // One at a time, so that a new line of the audit log is that of the request in hand.
    const found = new Map<number, ReadonlySet<number>>();
    const log = path.join(dir, "audit.log");
    let read = 0;
    const newLines = (): string[] => fs.readFileSync(log).subarray(read).toString("utf8").split("\n").slice(0, -1);
    for (const [index, stage] of stages.entries()) {
      const wasPassed = (await send(port, stage)).startsWith("HTTP/1.1 200");
      // It is written after the answer. What nginx refused may leave a line too, of rules that saw half of it.
      const msMax = wasPassed ? lineMsMax : lineOfRefusedMs;
      for (let waitedMs = 0; newLines().length === 0 && waitedMs < msMax; waitedMs += 2) await sleep(2);
      const lines = newLines();
      read = fs.statSync(log).size;
      if (wasPassed && lines.length === 1) found.set(index, idsOf(lines[0]!));
    }
    return found;
  } finally {
    nginx.kill("SIGTERM");
    if (nginx.exitCode === null) await once(nginx, "exit");
    app.close();
    fs.rmSync(dir, { recursive: true, force: true });
  }
}

function idsOf(line: string): Set<number> {
  const entry = JSON.parse(line) as { transaction: { messages: Array<{ details: { ruleId: string } }> } };
  const ids = entry.transaction.messages.map(({ details }) => Number(details.ruleId));
  return new Set(ids.filter((id) => id <= requestRuleMax));
}

async function send(port: number, { input }: FtwStage): Promise<string> {
  const socket = net.connect({ port, host: "127.0.0.1" });
  let text = "";
  socket.setEncoding("latin1");
  socket.on("error", () => {});
  socket.write(bytesOf(input));
  const timer = setTimeout(() => socket.destroy(), answerMsMax);
  socket.on("data", (chunk: string) => {
    text += chunk;
    socket.end();
  });
  await once(socket, "close");
  clearTimeout(timer);
  return text;
}

function rulesText(dir: string): string {
  return `SecRuleEngine DetectionOnly
SecRequestBodyAccess On
SecRequestBodyLimit 13107200
SecRequestBodyNoFilesLimit 131072
SecRequestBodyLimitAction ProcessPartial
SecResponseBodyAccess Off
SecAuditEngine On
SecAuditLogParts AHZ
SecAuditLogType Serial
SecAuditLogFormat JSON
SecAuditLog ${dir}/audit.log
SecUnicodeMapFile /etc/nginx/unicode.mapping 20127
SecRule REQUEST_HEADERS:Content-Type "^(?:application(?:/soap\\+|/)|text/)xml" "id:200000,phase:1,t:none,t:lowercase,pass,nolog,ctl:requestBodyProcessor=XML"
SecRule REQUEST_HEADERS:Content-Type "^application/json" "id:200001,phase:1,t:none,t:lowercase,pass,nolog,ctl:requestBodyProcessor=JSON"
${setup}
Include ${crsFolder}/crs-setup.conf.example
Include ${crsFolder}/rules/*.conf
`;
}

function nginxText(dir: string, port: number): string {
  return nginxConf({
    dir,
    port,
    module: modSecurityModule,
    http: [
      "client_max_body_size 0",
      "client_body_buffer_size 1m",
      "large_client_header_buffers 4 64k",
      "underscores_in_headers on",
      "ignore_invalid_headers off",
      "merge_slashes off",
      "modsecurity on",
      `modsecurity_rules_file ${dir}/rules.conf`,
    ],
    location: [`proxy_pass http://unix:${dir}/app.sock`],
  });
}

function missingNginx(): string | null {
  const hasNginx = spawnSync("nginx", ["-v"]).status === 0 && fs.existsSync(modSecurityModule);
  return hasNginx ? null : "apt-get install nginx libnginx-mod-http-modsecurity";
}
