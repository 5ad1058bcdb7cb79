/**
 * The kinds of attack that statistics are kept by, and how much of each is too much from one source.
 *
 * A table and not code: each line is a bucket that fills with what is seen and empties by half in `halfLifeMs`. Filling up
 * to `full` is a *pressure* of 1; pressures of several kinds add up, so that somebody who tries a little of everything
 * is no better off than a specialist.
 */
export const attackClasses = [
  "sql-injection",
  "cross-site-scripting",
  "file-inclusion",
  "code-execution",
  "scanner",
  "protocol",
  "other",
  "probing",
  "credentials",
  "slow",
  "protocol-error",
  "crawling",
  "flood",
] as const;
export type AttackClass = (typeof attackClasses)[number];

/** What is done to a source at a pressure of `at`, the strongest last. */
export type Remedy = "watch" | "rate-limit" | "tarpit" | "ban";

export interface ClassTraits {
  readonly halfLifeMs: number;
  /** What makes a pressure of 1. */
  readonly full: number;
  /** What `full` counts. Distinct things are counted in sketches and need no bucket. */
  readonly counts: "weights" | "distinct paths" | "requests a client";
  readonly remedies: ReadonlyArray<{ readonly at: number; readonly remedy: Remedy }>;
}

const minuteMs = 60_000;
const ban = [{ at: 1, remedy: "ban" }] as const;
/** What a clumsy program also does: slowed down at first. */
const slowThenBan = [
  { at: 1, remedy: "tarpit" },
  { at: 2, remedy: "ban" },
] as const;
/** No harm but volume: limited, never banned, for behind one address there may be a whole office. */
const limit = [{ at: 1, remedy: "rate-limit" }] as const;

export const classTraits: Readonly<Record<AttackClass, ClassTraits>> = {
  // Five certain attacks within ten minutes: fail2ban's habit. A request counts by its score, see `weightOf`.
  "sql-injection": { halfLifeMs: 10 * minuteMs, full: 5, counts: "weights", remedies: ban },
  "cross-site-scripting": { halfLifeMs: 10 * minuteMs, full: 5, counts: "weights", remedies: ban },
  "file-inclusion": { halfLifeMs: 10 * minuteMs, full: 5, counts: "weights", remedies: ban },
  // Nobody mistypes a shell command into a form three times.
  "code-execution": { halfLifeMs: 10 * minuteMs, full: 3, counts: "weights", remedies: ban },
  scanner: { halfLifeMs: 10 * minuteMs, full: 3, counts: "weights", remedies: ban },
  // Odd clients break the protocol without meaning harm.
  protocol: { halfLifeMs: 10 * minuteMs, full: 10, counts: "weights", remedies: slowThenBan },
  other: { halfLifeMs: 10 * minuteMs, full: 5, counts: "weights", remedies: ban },
  // A broken link or a moved site makes a handful of missing paths, a list of known holes makes hundreds.
  probing: { halfLifeMs: 10 * minuteMs, full: 20, counts: "distinct paths", remedies: ban },
  // People mistype a password four times and then ask for a new one.
  credentials: { halfLifeMs: 10 * minuteMs, full: 10, counts: "weights", remedies: slowThenBan },
  slow: { halfLifeMs: 10 * minuteMs, full: 10, counts: "weights", remedies: ban },
  "protocol-error": { halfLifeMs: 10 * minuteMs, full: 20, counts: "weights", remedies: slowThenBan },
  crawling: { halfLifeMs: 10 * minuteMs, full: 1_000, counts: "distinct paths", remedies: limit },
  // 100 a second, kept up: a half-life of 10 s sums to rate * 14.4.
  flood: { halfLifeMs: 10_000, full: 1_440, counts: "requests a client", remedies: limit },
};

/** A class as some other part names it ("attack-sqli", "xss"); what is not known is "other". */
export function attackClassOf(name: string): AttackClass {
  const plain = name.toLowerCase().replace(/^attack-/, "");
  if ((attackClasses as readonly string[]).includes(plain)) return plain as AttackClass;
  return synonyms[plain] ?? "other";
}

/** What the Core Rule Set's tags say. */
const synonyms: Readonly<Record<string, AttackClass>> = {
  sqli: "sql-injection",
  xss: "cross-site-scripting",
  lfi: "file-inclusion",
  rfi: "file-inclusion",
  traversal: "file-inclusion",
  rce: "code-execution",
  "injection-php": "code-execution",
  "injection-java": "code-execution",
  "injection-generic": "code-execution",
  "reputation-scanner": "scanner",
  "reputation-crawler": "scanner",
  multipart: "protocol",
  "http-smuggling": "protocol",
};
