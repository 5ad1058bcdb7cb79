/**
 * Pressure: how near the organism is to what the machine, or its cgroup, lets it have. In thousandths, so that the mind can
 * decide by it.
 *
 * Memory: the larger of the shares in use of each limit that applies (the cgroup and those that it lies in; the machine),
 * what the kernel could take back at once not counted. And where processes lately stood still for want of memory a fifth
 * of the time (PSI), it is as if all were in use: something is swapping, whatever the sums say.
 * CPU: the share of the quota's periods in which it was used up, or of the time in which all processes of the cgroup stood still
 * for it (PSI "full"). Not how busy the CPUs are: there another process still gets its share, under a quota it only takes some.
 */
import fs from "node:fs";

export interface Pressure {
  readonly memoryMilli: number;
  readonly throttledMilli: number;
}

/** A file's text, or null where there is none. */
export type ReadText = (path: string) => string | null;

/** A gauge that looks at most once a second: PSI's own averages change no faster. */
export function makePressureGauge(
  readText: ReadText = readFile,
  nowMs = (): number => performance.now(),
): () => Pressure {
  let lookedMs = Number.NEGATIVE_INFINITY;
  let pressure: Pressure = { memoryMilli: 0, throttledMilli: 0 };
  let before: Throttling | null = null;
  return () => {
    if (nowMs() - lookedMs < lookEveryMs) return pressure;
    lookedMs = nowMs();
    const groups = findCgroups(readText);
    const throttling = readThrottling(groups.cpu, readText);
    const throttledMilli = Math.max(
      throttledShare(before, throttling),
      stalledMilli(groups.cpu, "cpu.pressure", readText),
    );
    before = throttling;
    pressure = { memoryMilli: Math.min(1000, memoryMilli(groups.memory, readText)), throttledMilli };
    return pressure;
  };
}

const lookEveryMs = 1_000;
/** A fifth of the time at a standstill for want of memory. */
const stalledMilliMax = 200;
/** Folders that are looked at on the way up: deeper than containers nest. */
const ancestorsMax = 16;

interface Cgroups {
  /** Folders of the cgroup and of those that it lies in, innermost first; for either version of cgroups. */
  readonly memory: readonly string[];
  readonly cpu: readonly string[];
}

function findCgroups(readText: ReadText): Cgroups {
  const lines = (readText("/proc/self/cgroup") ?? "").split("\n");
  const pathOf = (test: (controllers: string[]) => boolean): string | null => {
    for (const line of lines) {
      const [, controllers = "", path = ""] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
      if (path !== "" && test(controllers.split(","))) return path;
    }
    return null;
  };
  const unified = pathOf(([only]) => only === "");
  const of = (controller: string, marker: string): readonly string[] => {
    const legacy = pathOf((controllers) => controllers.includes(controller));
    const roots = [
      ...(unified === null ? [] : [["/sys/fs/cgroup", unified] as const]),
      ...(legacy === null ? [] : [[`/sys/fs/cgroup/${controller}`, legacy] as const]),
    ];
    return roots.flatMap(([root, path]) =>
      ancestors(root, path).filter((dir) => readText(`${dir}/${marker}`) !== null),
    );
  };
  // Either name of the file that is always there: which version it is shows when it is read.
  return {
    memory: [...of("memory", "memory.current"), ...of("memory", "memory.usage_in_bytes")],
    cpu: of("cpu", "cpu.stat"),
  };
}

/** In a container the path may be the host's, and the folder its own root: that is among them. */
function ancestors(root: string, path: string): string[] {
  const parts = path.split("/").filter((part) => part !== "" && part !== "..");
  const dirs: string[] = [];
  for (let depth = parts.length; depth >= 0 && dirs.length < ancestorsMax; depth -= 1)
    dirs.push([root, ...parts.slice(0, depth)].join("/"));
  return dirs;
}

function memoryMilli(dirs: readonly string[], readText: ReadText): number {
  const shares = dirs.map((dir) => shareInUse(dir, readText));
  const isStalled = dirs.some((dir) => stalledMilli([dir], "memory.pressure", readText) >= stalledMilliMax);
  const isMachineStalled = stalledOf(readText("/proc/pressure/memory")) >= stalledMilliMax;
  if (isStalled || isMachineStalled) return 1000;
  return Math.max(machineShare(readText), ...shares);
}

function shareInUse(dir: string, readText: ReadText): number {
  const used = numberIn(readText(`${dir}/memory.current`) ?? readText(`${dir}/memory.usage_in_bytes`));
  const limit = numberIn(readText(`${dir}/memory.max`) ?? readText(`${dir}/memory.limit_in_bytes`));
  // "max", or version 1's absurdly large number: no limit.
  if (used === null || limit === null || limit <= 0 || limit >= 2 ** 60) return 0;
  const reclaimable = numberIn(/^(?:total_)?inactive_file (\d+)$/m.exec(readText(`${dir}/memory.stat`) ?? "")?.[1]);
  return Math.round((1000 * Math.max(0, used - (reclaimable ?? 0))) / limit);
}

function machineShare(readText: ReadText): number {
  const text = readText("/proc/meminfo") ?? "";
  const total = numberIn(/^MemTotal:\s+(\d+)/m.exec(text)?.[1]);
  const available = numberIn(/^MemAvailable:\s+(\d+)/m.exec(text)?.[1]);
  return total === null || available === null || total === 0 ? 0 : Math.round((1000 * (total - available)) / total);
}

interface Throttling {
  readonly periods: number;
  readonly throttled: number;
}

function readThrottling(dirs: readonly string[], readText: ReadText): Throttling | null {
  for (const dir of dirs) {
    const text = readText(`${dir}/cpu.stat`) ?? "";
    const periods = numberIn(/^nr_periods (\d+)$/m.exec(text)?.[1]);
    const throttled = numberIn(/^nr_throttled (\d+)$/m.exec(text)?.[1]);
    // The innermost that has a quota.
    if (periods !== null && throttled !== null && periods > 0) return { periods, throttled };
  }
  return null;
}

function throttledShare(before: Throttling | null, now: Throttling | null): number {
  if (before === null || now === null || now.periods <= before.periods) return 0;
  return Math.round((1000 * (now.throttled - before.throttled)) / (now.periods - before.periods));
}

function stalledMilli(dirs: readonly string[], file: string, readText: ReadText): number {
  return Math.max(0, ...dirs.map((dir) => stalledOf(readText(`${dir}/${file}`))));
}

/** PSI's line of those times in which nobody could go on: `full avg10=1.23 ...`, percent. */
function stalledOf(text: string | null): number {
  const percent = /^full avg10=([\d.]+)/m.exec(text ?? "")?.[1];
  return percent === undefined ? 0 : Math.round(10 * Number(percent));
}

function numberIn(text: string | null | undefined): number | null {
  const digits = /^\s*(\d+)\s*$/.exec(text ?? "")?.[1];
  return digits === undefined ? null : Number(digits);
}

function readFile(path: string): string | null {
  try {
    return fs.readFileSync(path, "utf8");
  } catch {
    return null;
  }
}
