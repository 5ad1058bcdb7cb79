/** The loads: closed by wrk (as much as goes), open by h2load (so many a second, whatever comes back). */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { run } from "./tools.ts";

export interface Workload {
  readonly name: string;
  readonly title: string;
  /** Requests that take turns. */
  readonly requests: ReadonlyArray<{ readonly path: string; readonly method?: "POST"; readonly bodyBytes?: number }>;
}

export const workloads: readonly Workload[] = [
  { name: "hello", title: "hello world", requests: [{ path: "/hello" }] },
  { name: "json", title: "1 KB JSON", requests: [{ path: "/json" }] },
  { name: "64k", title: "64 KB answer", requests: [{ path: "/64k" }] },
  { name: "upload", title: "1 MB upload", requests: [{ path: "/upload", method: "POST", bodyBytes: 1024 * 1024 }] },
  {
    name: "mixed",
    title: "mixed",
    requests: [
      ...Array.from({ length: 6 }, () => ({ path: "/hello" })),
      ...Array.from({ length: 6 }, () => ({ path: "/json" })),
      ...Array.from({ length: 2 }, () => ({ path: "/64k" })),
      ...Array.from({ length: 2 }, () => ({ path: "/upload", method: "POST" as const, bodyBytes: 10 * 1024 })),
    ],
  },
];

export interface Saturation {
  readonly requestsPerSecond: number;
  /** Answers that were not 2xx or 3xx, and connections that failed. */
  readonly errors: number;
}

/** As many requests as are answered, over kept connections. */
export async function saturate(
  port: number,
  workload: Workload,
  connections: number,
  seconds: number,
): Promise<Saturation> {
  const dir = mkdtempSync(join(tmpdir(), "cellws-wrk-"));
  try {
    const script = join(dir, "load.lua");
    writeFileSync(script, luaOf(workload));
    const target = `http://127.0.0.1:${port}`;
    const output = await run("wrk", [
      "-t1",
      `-c${connections}`,
      `-d${seconds}s`,
      "--timeout",
      "10s",
      "-s",
      script,
      target,
    ]);
    const line = /^RESULT (.*)$/m.exec(output)?.[1];
    if (line === undefined) throw new Error(`wrk printed no result:\n${output}`);
    const [requests, us, errors] = line.split(" ").map(Number) as [number, number, number];
    return { requestsPerSecond: (requests * 1e6) / us, errors };
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

function luaOf({ requests }: Workload): string {
  const made = requests.map(({ path, method = "GET", bodyBytes = 0 }) => {
    const body = bodyBytes === 0 ? "nil" : `string.rep("x", ${bodyBytes})`;
    return `wrk.format("${method}", "${path}", nil, ${body})`;
  });
  return `
local made, turn = nil, 0
function init() made = { ${made.join(", ")} } end
function request() turn = turn % #made + 1; return made[turn] end
function done(summary)
  local e = summary.errors
  print(string.format("RESULT %d %d %d", summary.requests, summary.duration, e.connect + e.read + e.write + e.status + e.timeout))
end
`;
}

export interface PacedLoad {
  readonly requestsPerSecond: number;
  readonly count: number;
  readonly failed: number;
  /** Microseconds, one per answer. */
  readonly latenciesUs: readonly number[];
}

/** GETs at a steady rate over so many kept connections. */
export async function pace(
  port: number,
  path: string,
  rate: number,
  connections: number,
  seconds: number,
): Promise<PacedLoad> {
  const dir = mkdtempSync(join(tmpdir(), "cellws-h2load-"));
  try {
    const log = join(dir, "requests.log");
    const each = Math.max(1, Math.round(rate / connections));
    await run("h2load", [
      "--h1",
      "-t1",
      `-c${connections}`,
      `-n${each * connections * seconds}`,
      `--rps=${each}`,
      `--log-file=${log}`,
      `http://127.0.0.1:${port}${path}`,
    ]);
    const latenciesUs: number[] = [];
    let failed = 0;
    for (const line of readFileSync(log, "utf8").split("\n")) {
      if (line === "") continue;
      const [, status, us] = line.split("\t");
      if (status?.startsWith("2")) latenciesUs.push(Number(us));
      else failed += 1;
    }
    return { requestsPerSecond: each * connections, count: latenciesUs.length + failed, failed, latenciesUs };
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}
