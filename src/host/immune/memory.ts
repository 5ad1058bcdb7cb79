/**
 * The memory of the immune system: bans, offences, statistics and reports in one SQLite file, which outlives every cell.
 *
 * **Nothing announced is lost.** A T cell writes first and announces then; `record` returns when the transaction is on the
 * disk (WAL, synchronous=FULL: bans are rare, and a ban that a power cut undoes was announced for nothing). **Nothing is
 * doubled.** Each offence has a name (`incident`), which is unique here; writing it again changes nothing, so whoever is in
 * doubt writes again.
 *
 * **One writer at a time.** SQLite gives a writing transaction to one connection at a time, and for a sentence that is
 * enough, for it is named: whichever T cell writes it, and however often, it is there once. So is a person's word
 * (`cellws bans`), and a T cell's share of the statistics, into which no other writes.
 * What takes more than one transaction needs a *keeper*: delivering reports, forgetting, the kernel's set. A lease, kept in
 * the file itself, says which process that is. It is looked at inside of the writing transaction, so that a holder that was
 * paused for an hour and wakes up writes nothing. It ends when its holder's process is gone, or has not renewed it for `leaseMs`.
 *
 * **Bounded.** Offences are forgotten after offenceMemoryMs, or the oldest of those that are over when there are too many; the
 * file never grows beyond `bytesMax`. **Damage does not stop anybody**: a file that cannot be read is set aside whole, and a
 * new one begun, with a notice; one of a newer cellws is left alone, with an error.
 */
import fs from "node:fs";
import { DatabaseSync, type StatementSync } from "node:sqlite";
import type { BanBody } from "../../core/record.ts";
import { offenceMemoryMs } from "../../immune/bans/sentencing.ts";
import { forgetMs, type SharedShare } from "../../immune/ledger/ledger.ts";
import { CellwsError } from "../../lib/cellws-error.ts";
import { machineNowMs } from "../clock.ts";
import { takeLockFile } from "../lock-file.ts";
import type { ProcessIdentity } from "../proc.ts";
import { ownIdentity, processLives } from "../proc.ts";
import { type BanRow, toBan } from "./ban-reader.ts";
import { migrations } from "./migrations.ts";

export interface MemoryOptions {
  readonly file: string;
  /** Whose lease it is: a cell's id, or what a command calls itself. */
  readonly holder: string;
  readonly process?: ProcessIdentity;
  readonly bytesMax?: number;
  readonly bansMax?: number;
  /** For tests of leases and ends. */
  readonly clock?: MemoryClock;
}
export interface MemoryClock {
  /** Of the machine, the same in all processes. */
  monotonicMs(): number;
  wallMs(): number;
}

/** What there is to say about the opening: for the log. */
export interface MemoryNotice {
  readonly code: `CELLWS_W_${string}`;
  readonly message: string;
}

/** Why something was not written. None of them is an error: the caller tries again, or lets the holder do it. */
export type NotWritten = "not-ours" | "busy" | "full";

export const leaseMs = 10_000;
/** How long a statement waits for another process's transaction: each takes milliseconds. */
const busyMsMax = 2_000;
const bytesMaxInitially = 64 * 1024 * 1024;
export const bansMaxInitially = 100_000;
/** Above it the log is folded into the file, so that it stays small. */
const walPagesMax = 256;
/** Of statistics: at half a kilobyte each a sixth of the file. */
const sharesMax = 20_000;
const lockAgeMsMax = 30_000;
/** New bans after which the old ones are looked through: counting them takes longer than writing one. */
const forgetEvery = 100;

const systemClock: MemoryClock = {
  monotonicMs: machineNowMs,
  wallMs: () => Date.now(),
};

/** Throws CELLWS_E_MEMORY where the file cannot be had, CELLWS_E_MEMORY_NEWER where a newer cellws has made it. */
export function openMemory(options: MemoryOptions): { memory: Memory; notices: MemoryNotice[] } {
  try {
    return { memory: new Memory(options), notices: [] };
  } catch (error) {
    if (!isDamage(error)) throw openError(options.file, error);
    const aside = setAside(options.file);
    try {
      const message = `the immune system's memory could not be read (${(error as Error).message}): a new one is begun; the old one lies in ${aside}`;
      return { memory: new Memory(options), notices: [{ code: "CELLWS_W_MEMORY_CORRUPT", message }] };
    } catch (again) {
      throw openError(options.file, again);
    }
  }
}

export class Memory {
  readonly #db: DatabaseSync;
  readonly #holder: string;
  readonly #process: ProcessIdentity;
  readonly #clock: MemoryClock;
  readonly #bansMax: number;
  /** Begins as if much had been written: what an earlier process left over is looked at with the first ban. */
  #sinceForgetting = forgetEvery;
  readonly #statements = new Map<string, StatementSync>();

  /** Use `openMemory`, which deals with damage. */
  constructor({ file, holder, process: own = ownIdentity(), bytesMax, bansMax, clock = systemClock }: MemoryOptions) {
    this.#holder = holder;
    this.#process = own;
    this.#clock = clock;
    this.#bansMax = bansMax ?? bansMaxInitially;
    this.#db = new DatabaseSync(file, { timeout: busyMsMax });
    try {
      // Before anything is changed in it.
      const version = this.#version();
      if (version > migrations.length) throw new Newer(version);
      fs.chmodSync(file, 0o600);
      this.#db.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;");
      this.#db.exec(
        `PRAGMA wal_autocheckpoint = ${walPagesMax}; PRAGMA journal_size_limit = ${4 * walPagesMax * 4_096};`,
      );
      const { page_size: pageBytes } = this.#get("PRAGMA page_size") as { page_size: number };
      this.#db.exec(`PRAGMA max_page_count = ${Math.floor((bytesMax ?? bytesMaxInitially) / pageBytes)}`);
      const { quick_check: verdict } = this.#get("PRAGMA quick_check(1)") as { quick_check: string };
      if (verdict !== "ok") throw new Damage(verdict);
      this.#migrate();
    } catch (error) {
      this.#db.close();
      throw error;
    }
  }

  close(): void {
    if (!this.#db.isOpen) return;
    this.#inTransaction(() =>
      this.#run("DELETE FROM lease WHERE holder = ? AND pid = ?", this.#holder, this.#process.pid),
    );
    this.#db.close();
  }

  /** Whether this process may write from now on. To be called again within leaseMs: it renews. */
  takeLease(): boolean {
    const taken = this.#inTransaction(() => {
      const lease = this.#lease();
      if (lease !== null && !this.#isOurs(lease) && this.#isHeld(lease)) return false;
      this.#run(
        `INSERT INTO lease (id, holder, pid, start_ticks, renewed_ms) VALUES (1, ?, ?, ?, ?)
         ON CONFLICT (id) DO UPDATE SET holder = excluded.holder, pid = excluded.pid,
           start_ticks = excluded.start_ticks, renewed_ms = excluded.renewed_ms`,
        this.#holder,
        this.#process.pid,
        this.#process.startTicks,
        this.#clock.monotonicMs(),
      );
      return true;
    });
    return taken === true;
  }

  /** Who may write now, if anybody. */
  leaseHolder(): string | null {
    const lease = this.#lease();
    return lease !== null && this.#isHeld(lease) ? lease.holder : null;
  }

  /** Writes sentences; those that are known by their incident are left as they are. Returns how many were new. */
  record(bans: readonly BanBody[]): number | NotWritten {
    return this.write(() => this.insert(bans));
  }

  /** The same, within a `write` that writes more. */
  insert(bans: readonly BanBody[]): number {
    let count = 0;
    for (const { incident, range, action, reason, offence, issuedAtMs, untilMs } of bans) {
      const { changes } = this.#run(
        `INSERT INTO ban (incident, range, action, reason, offence, issued_ms, until_ms)
         VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (incident) DO NOTHING`,
        incident,
        range,
        action,
        reason,
        offence,
        issuedAtMs,
        untilMs,
      );
      count += Number(changes);
    }
    this.#sinceForgetting += count;
    if (this.#sinceForgetting >= forgetEvery) this.#forget();
    return count;
  }

  /** The last row of bans. */
  get seq(): number {
    return (this.#get("SELECT coalesce(max(seq), 0) AS seq FROM ban") as { seq: number }).seq;
  }

  /** What was written about bans after a row, oldest first: for whoever has read up to there. */
  bansSince(seq: number, rowsMax: number): { readonly seq: number; readonly bans: BanBody[] } {
    const rows = this.#all("SELECT * FROM ban WHERE seq > ? ORDER BY seq LIMIT ?", seq, rowsMax);
    return { seq: rows.at(-1)?.seq ?? seq, bans: rows.map(toBan) };
  }

  /** The last word on each range, where it restricts and is not over. */
  bansInForce(): BanBody[] {
    const rows = this.#all(
      `SELECT ban.* FROM ban JOIN (SELECT max(seq) AS seq FROM ban GROUP BY range) AS last USING (seq)
       WHERE until_ms > ? AND action <> 'lifted' ORDER BY seq`,
      this.#clock.wallMs(),
    );
    return rows.map(toBan);
  }

  /** All that is remembered, oldest first: what a new T cell learns before it judges. */
  *allBans(): Generator<BanBody> {
    for (const row of this.#prepare("SELECT * FROM ban ORDER BY seq").iterate()) yield toBan(row as unknown as BanRow);
  }

  /** The highest number of an offence of this range and kind; 0: none is remembered. */
  offencesOf(range: string, action: BanBody["action"]): number {
    const row = this.#get("SELECT max(offence) AS count FROM ban WHERE range = ? AND action = ?", range, action);
    return (row as { count: number | null }).count ?? 0;
  }

  /** Keeps a T cell's own shares of the statistics, each in the place of its earlier edition: for the others, and for its heirs. */
  keepShares(shares: readonly SharedShare[]): number | NotWritten {
    if (shares.length === 0) return 0;
    return this.write(() => {
      const boot = bootId();
      // Never one that was there before, also when all of them are forgotten: others have read up to it.
      const { seq } = this.#get("UPDATE share_edition SET seq = seq + 1 RETURNING seq") as { seq: number };
      for (const share of shares) {
        this.#run(
          `INSERT INTO share (range, owner, boot, body, seq, at_ms) VALUES (?, ?, ?, ?, ?, ?)
           ON CONFLICT (range, owner) DO UPDATE SET boot = excluded.boot, body = excluded.body,
             seq = excluded.seq, at_ms = excluded.at_ms`,
          share.range,
          share.owner,
          boot,
          JSON.stringify(share),
          seq,
          share.atMs,
        );
      }
      return shares.length;
    });
  }

  /** Shares of this boot that were kept after `seq`, oldest first: what several T cells know of each other by. */
  sharesSince(seq: number, rowsMax: number): { readonly seq: number; readonly shares: SharedShare[] } {
    const rows = this.#all(
      "SELECT seq, body FROM share WHERE boot = ? AND seq > ? ORDER BY seq LIMIT ?",
      bootId(),
      seq,
      rowsMax,
    ) as unknown as Array<{ seq: number; body: string }>;
    // A whole edition at a time: the rest of one that is cut off would never be asked for.
    const last = rows.length < rowsMax ? Infinity : rows.at(-1)!.seq;
    const whole = rows.filter((row) => row.seq < last || rows[0]!.seq === last);
    return {
      seq: whole.at(-1)?.seq ?? seq,
      shares: whole.map(({ body }) => JSON.parse(body) as SharedShare),
    };
  }

  /** For the keeper: forgets statistics that have faded, those of another boot, and the oldest of too many. */
  forgetShares(): number | NotWritten {
    return this.keep(() => {
      const since = this.#clock.monotonicMs() - forgetMs;
      const { changes } = this.#run("DELETE FROM share WHERE boot <> ? OR at_ms < ?", bootId(), since);
      const { changes: more } = this.#run(
        "DELETE FROM share WHERE (range, owner) IN (SELECT range, owner FROM share ORDER BY at_ms DESC LIMIT -1 OFFSET ?)",
        sharesMax,
      );
      return Number(changes) + Number(more);
    });
  }

  /**
   * Statistics of this boot. Those of an earlier one are of a clock that is gone, and were decaying meanwhile: they are
   * left out.
   */
  loadStatistics(): SharedShare[] {
    const rows = this.#all("SELECT body FROM share WHERE boot = ?", bootId()) as unknown as Array<{ body: string }>;
    return rows.map(({ body }) => JSON.parse(body) as SharedShare);
  }

  /** For those who keep other tables here (outbox.ts, chronicle.ts): within one transaction, and only while the lease is ours. */
  keep<T>(work: () => T): T | NotWritten {
    return this.write(() => {
      const lease = this.#lease();
      return lease !== null && this.#isOurs(lease) ? work() : "not-ours";
    });
  }

  /** The same for what anybody may write, because it is named. */
  write<T>(work: () => T): T | Exclude<NotWritten, "not-ours"> {
    const once = (): T | "busy" => this.#inTransaction(work);
    try {
      return once();
    } catch (error) {
      if (sqliteCode(error) !== SQLITE_FULL) throw error;
    }
    try {
      // What is over makes room for what is not.
      this.#inTransaction(() => this.#run("DELETE FROM ban WHERE until_ms <= ?", this.#clock.wallMs()));
      return once();
    } catch (error) {
      if (sqliteCode(error) !== SQLITE_FULL) throw error;
      return "full";
    }
  }

  run(sql: string, ...values: Value[]): number {
    return Number(this.#run(sql, ...values).changes);
  }

  all<Row>(sql: string, ...values: Value[]): Row[] {
    return this.#all(sql, ...values) as unknown as Row[];
  }

  wallMs(): number {
    return this.#clock.wallMs();
  }

  #forget(): void {
    this.#sinceForgetting = 0;
    const now = this.#clock.wallMs();
    this.#run("DELETE FROM ban WHERE until_ms <= ? AND issued_ms < ?", now, now - offenceMemoryMs);
    const { count } = this.#get("SELECT count(*) AS count FROM ban") as { count: number };
    if (count <= this.#bansMax) return;
    // Those that are over first, the oldest first; one in force only when all are.
    this.#run(
      "DELETE FROM ban WHERE seq IN (SELECT seq FROM ban ORDER BY until_ms > ?, seq LIMIT ?)",
      now,
      count - this.#bansMax,
    );
  }

  #migrate(): void {
    for (const [index, sql] of migrations.entries()) {
      this.#inTransaction(() => {
        // Another process may have migrated it meanwhile.
        if (this.#version() === index) this.#db.exec(`${sql}; PRAGMA user_version = ${index + 1}`);
      });
    }
  }

  #version(): number {
    return (this.#get("PRAGMA user_version") as { user_version: number }).user_version;
  }

  #lease(): Lease | null {
    return (this.#get("SELECT * FROM lease WHERE id = 1") as Lease | undefined) ?? null;
  }

  #isOurs({ holder, pid, start_ticks: startTicks }: Lease): boolean {
    return holder === this.#holder && pid === this.#process.pid && startTicks === this.#process.startTicks;
  }

  #isHeld({ pid, start_ticks: startTicks, renewed_ms: renewedMs }: Lease): boolean {
    const ageMs = this.#clock.monotonicMs() - renewedMs;
    // A renewal in the future is of an earlier boot.
    return ageMs >= 0 && ageMs < leaseMs && processLives({ pid, startTicks });
  }

  #inTransaction<T>(work: () => T): T | "busy" {
    try {
      this.#db.exec("BEGIN IMMEDIATE");
    } catch (error) {
      if (sqliteCode(error) === SQLITE_BUSY) return "busy";
      throw error;
    }
    try {
      const result = work();
      this.#db.exec("COMMIT");
      return result;
    } catch (error) {
      // SQLite has rolled back by itself where the disk or the file is full.
      if (this.#db.isTransaction) this.#db.exec("ROLLBACK");
      throw error;
    }
  }

  #prepare(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (statement === undefined) this.#statements.set(sql, (statement = this.#db.prepare(sql)));
    return statement;
  }

  #run(sql: string, ...values: Value[]) {
    return this.#prepare(sql).run(...values);
  }

  #get(sql: string, ...values: Value[]): unknown {
    return this.#prepare(sql).get(...values);
  }

  #all(sql: string, ...values: Value[]): BanRow[] {
    return this.#prepare(sql).all(...values) as unknown as BanRow[];
  }
}

type Value = string | number | null;

interface Lease {
  readonly holder: string;
  readonly pid: number;
  readonly start_ticks: number;
  readonly renewed_ms: number;
}

const SQLITE_BUSY = 5;
const SQLITE_CORRUPT = 11;
const SQLITE_FULL = 13;
const SQLITE_NOTADB = 26;

class Damage extends Error {}

class Newer extends Error {
  readonly version: number;
  constructor(version: number) {
    super(`schema version ${version}`);
    this.version = version;
  }
}

function sqliteCode(error: unknown): number | null {
  const code = (error as { errcode?: unknown } | null)?.errcode;
  // Extended codes carry the primary one in their lowest byte.
  return typeof code === "number" ? code & 0xff : null;
}

function isDamage(error: unknown): boolean {
  const code = sqliteCode(error);
  return error instanceof Damage || code === SQLITE_CORRUPT || code === SQLITE_NOTADB;
}

/** Only one process moves a damaged file away; another that saw the damage too finds the new one. */
function setAside(file: string): string {
  const lock = takeLockFile(`${file}.lock`, lockAgeMsMax);
  const aside = `${file}.corrupt-${new Date().toISOString().replaceAll(/[:.]/g, "-")}`;
  try {
    // With its log and index: without them it is another file.
    if (lock !== null) for (const end of ["", "-wal", "-shm"]) moveIfThere(`${file}${end}`, `${aside}${end}`);
  } finally {
    lock?.release();
  }
  return aside;
}

function moveIfThere(from: string, to: string): void {
  try {
    fs.renameSync(from, to);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
}

function openError(file: string, error: unknown): CellwsError {
  if (error instanceof Newer) {
    return new CellwsError("CELLWS_E_MEMORY_NEWER", 1, "the immune system's memory was made by a newer cellws", {
      found: `${file}, schema version ${error.version}`,
      expected: `at most ${migrations.length}`,
      hint: "Use that version, or move the file away to begin with an empty memory.",
    });
  }
  return new CellwsError("CELLWS_E_MEMORY", 1, `cannot open the immune system's memory ${file}`, {
    found: (error as Error).message,
    hint: "Look at the folder's owner, its mode and the space on its disk.",
    cause: error,
  });
}

let bootIdCached: string | undefined;
/** Tells one run of the machine's monotonic clock from the next. */
function bootId(): string {
  if (bootIdCached === undefined) {
    try {
      bootIdCached = fs.readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
    } catch {
      // macOS: development only. Statistics of an earlier boot would count as old or as new; both fade in minutes.
      bootIdCached = "unknown";
    }
  }
  return bootIdCached;
}
