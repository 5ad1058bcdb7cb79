// How near to its limits an organism is, read from the kernel's files: of either version of cgroups, and of none.
import assert from "node:assert/strict";
import { test } from "node:test";
import { makePressureGauge } from "../../src/host/pressure.ts";

const mib = 1_048_576;
const meminfo = "MemTotal:       1000 kB\nMemFree:        100 kB\nMemAvailable:   600 kB\n";

type Files = Readonly<Record<string, string>>;

/** The gauge's second look, one second after its first with other counters. */
function look(files: Files, after: Files = {}): ReturnType<ReturnType<typeof makePressureGauge>> {
  let nowMs = 0;
  let present: Files = files;
  const gauge = makePressureGauge(
    (path) => present[path] ?? null,
    () => nowMs,
  );
  gauge();
  nowMs = 1_000;
  present = { ...files, ...after };
  return gauge();
}

test("the machine's memory counts where there is no cgroup", () => {
  assert.deepEqual(look({ "/proc/meminfo": meminfo }), { memoryMilli: 400, throttledMilli: 0 });
  assert.deepEqual(look({}), { memoryMilli: 0, throttledMilli: 0 });
});

test("the tightest limit counts, of the cgroup or of those that it lies in, less what can be taken back", () => {
  const files = {
    "/proc/self/cgroup": "0::/pod/web\n",
    "/proc/meminfo": meminfo,
    "/sys/fs/cgroup/pod/web/memory.current": `${300 * mib}\n`,
    "/sys/fs/cgroup/pod/web/memory.max": "max\n",
    "/sys/fs/cgroup/pod/memory.current": `${500 * mib}\n`,
    "/sys/fs/cgroup/pod/memory.max": `${512 * mib}\n`,
    "/sys/fs/cgroup/pod/memory.stat": `anon 1\ninactive_file ${116 * mib}\nslab 2\n`,
  };
  assert.equal(look(files).memoryMilli, 750);
});

test("cgroups of version 1 are read too, and their absurd number is no limit", () => {
  const files = {
    "/proc/self/cgroup": "4:memory:/docker/a\n1:cpu,cpuacct:/docker/a\n0::/\n",
    "/sys/fs/cgroup/memory/docker/a/memory.usage_in_bytes": `${90 * mib}\n`,
    "/sys/fs/cgroup/memory/docker/a/memory.limit_in_bytes": `${100 * mib}\n`,
    "/sys/fs/cgroup/memory/docker/a/memory.stat": `total_inactive_file ${10 * mib}\n`,
    "/sys/fs/cgroup/memory/memory.usage_in_bytes": `${900 * mib}\n`,
    "/sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n",
  };
  assert.equal(look(files).memoryMilli, 800);
});

test("a fifth of the time at a standstill for want of memory counts as if all were in use", () => {
  const psi = (percent: string): string =>
    `some avg10=50.00 avg60=1 avg300=1 total=1\nfull avg10=${percent} avg60=1 avg300=1 total=1\n`;
  assert.equal(look({ "/proc/meminfo": meminfo, "/proc/pressure/memory": psi("19.90") }).memoryMilli, 400);
  assert.equal(look({ "/proc/meminfo": meminfo, "/proc/pressure/memory": psi("20.10") }).memoryMilli, 1000);
});

test("throttled is the share of the quota's periods since the last look in which it was used up", () => {
  const stat = (periods: number, throttled: number): string =>
    `usage_usec 1\nnr_periods ${periods}\nnr_throttled ${throttled}\n`;
  const files = { "/proc/self/cgroup": "0::/web\n", "/sys/fs/cgroup/web/cpu.stat": stat(1_000, 900) };
  assert.equal(look(files, { "/sys/fs/cgroup/web/cpu.stat": stat(1_010, 906) }).throttledMilli, 600);
  assert.equal(look(files).throttledMilli, 0, "what was before it began does not count");
});

test("it looks at most once a second", () => {
  let reads = 0;
  const gauge = makePressureGauge(
    () => {
      reads += 1;
      return null;
    },
    () => 0,
  );
  gauge();
  const once = reads;
  gauge();
  assert.equal(reads, once);
});

test("on this very machine it reads something, or nothing, and never what cannot be", () => {
  const { memoryMilli, throttledMilli } = makePressureGauge()();
  assert.ok(memoryMilli >= 0 && memoryMilli <= 1000);
  assert.ok(throttledMilli >= 0 && throttledMilli <= 1000);
});
