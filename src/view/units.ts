/** Numbers as a person reads them: three digits or so, and the unit. Exact values are what --json is for. */

const UNITS_OF_TIME = [
  { unit: "d", ms: 86_400_000 },
  { unit: "h", ms: 3_600_000 },
  { unit: "m", ms: 60_000 },
  { unit: "s", ms: 1_000 },
] as const;

/** One unit, rounded down, as one tells an age: `59s`, `3m`, `2h`, `12d`. */
export function formatAge(ms: number): string {
  const found = UNITS_OF_TIME.find((one) => ms >= one.ms);
  return found === undefined ? "0s" : `${Math.floor(ms / found.ms)}${found.unit}`;
}

/** Two units, for sentences: `2h 5m`, `45s`. */
export function formatDuration(ms: number): string {
  const index = UNITS_OF_TIME.findIndex((one) => ms >= one.ms);
  const big = UNITS_OF_TIME[index];
  if (big === undefined) return `${Math.max(0, Math.round(ms))}ms`;
  const small = UNITS_OF_TIME[index + 1];
  const rest = small === undefined ? 0 : Math.floor((ms % big.ms) / small.ms);
  const first = `${Math.floor(ms / big.ms)}${big.unit}`;
  return rest === 0 || small === undefined ? first : `${first} ${rest}${small.unit}`;
}

/** `512K`, `61M`, `1.4G`, in powers of 1024 as `ps` and `top` do. */
export function formatBytes(bytes: number): string {
  let value = bytes;
  let unit = "B";
  for (const next of ["K", "M", "G", "T"]) {
    if (value < 1_000) break;
    value /= 1_024;
    unit = next;
  }
  return `${value < 9.95 && unit !== "B" ? value.toFixed(1) : Math.round(value)}${unit}`;
}

/** A share of one: `0%` to `100%`. */
export function formatShare(share: number): string {
  return `${Math.round(share * 100)}%`;
}

export function formatCount(count: number, singular: string, plural = `${singular}s`): string {
  return `${count} ${count === 1 ? singular : plural}`;
}

/** An address as one types it into a browser. A host that stands for every address becomes `localhost`. */
export function formatUrl({ host, port, tls }: { host: string; port: number; tls: boolean }): string {
  const scheme = tls ? "https" : "http";
  const name = isEveryAddress(host) ? "localhost" : host.includes(":") ? `[${host}]` : host;
  const usual = tls ? 443 : 80;
  return `${scheme}://${name}${port === usual ? "" : `:${port}`}/`;
}

export function isEveryAddress(host: string): boolean {
  return host === "0.0.0.0" || host === "::" || host === "";
}

/** `10m`, `90s`, `2h`, `1d`, `1500ms`, or a bare number of seconds. Null: none of these. */
export function parseDurationMs(text: string): number | null {
  const match = /^(\d{1,9}(?:\.\d{1,3})?)(ms|s|m|h|d)?$/.exec(text.trim());
  if (match === null) return null;
  const unitMs = UNITS_OF_TIME.find((one) => one.unit === (match[2] ?? "s"))?.ms ?? 1;
  return Number(match[1]) * unitMs;
}
