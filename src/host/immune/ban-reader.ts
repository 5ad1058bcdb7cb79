/**
 * Reads the memory of bans for those who carry them out, and writes nothing. At first the last word on each range, then what
 * has been added since. An organism that has never banned anybody has no memory: then there is nothing to read, yet.
 *
 * Whatever is wrong with the file is the T cells' to deal with; here it only means that nothing is known from it.
 */
import fs from "node:fs";
import { DatabaseSync } from "node:sqlite";
import type { BanBody } from "../../core/record.ts";
import { migrations } from "./migrations.ts";

/** In one turn of the event loop: some milliseconds. */
export const rowsPerTurn = 1_000;

export class BanReader {
  readonly #file: string;
  #open: { readonly db: DatabaseSync; readonly inode: number } | null = null;
  #seq = 0;

  constructor(file: string) {
    this.#file = file;
  }

  /** What is new since the last call, oldest first, at most `rowsPerTurn`: then there may be more. */
  read(): BanBody[] {
    try {
      const db = this.#database();
      if (db === null) return [];
      const rows = db
        .prepare("SELECT * FROM ban WHERE seq > ? ORDER BY seq LIMIT ?")
        .all(this.#seq, rowsPerTurn) as unknown as BanRow[];
      this.#seq = rows.at(-1)?.seq ?? this.#seq;
      return rows.map(toBan);
    } catch {
      this.close();
      return [];
    }
  }

  /** All of what is in force, the last word on each range, in batches; and from there on `read` tells what is new. */
  *readAll(wallMs: number): Generator<BanBody[]> {
    let from = 0;
    try {
      const db = this.#database();
      if (db === null) return;
      const { seq: end } = db.prepare("SELECT coalesce(max(seq), 0) AS seq FROM ban").get() as { seq: number };
      this.#seq = end;
      for (;;) {
        // Those that are over or lifted have no successor that matters; what was replaced is told before its successor.
        const rows = db
          .prepare("SELECT * FROM ban WHERE seq > ? AND seq <= ? AND until_ms > ? ORDER BY seq LIMIT ?")
          .all(from, end, wallMs, rowsPerTurn) as unknown as BanRow[];
        if (rows.length === 0) return;
        from = rows.at(-1)!.seq;
        yield rows.map(toBan);
      }
    } catch {
      this.close();
    }
  }

  close(): void {
    this.#open?.db.close();
    this.#open = null;
  }

  #database(): DatabaseSync | null {
    const stats = fs.statSync(this.#file, { throwIfNoEntry: false });
    // A damaged memory is set aside and a new one begun: another file, read from its beginning.
    if (this.#open !== null && stats?.ino === this.#open.inode) return this.#open.db;
    this.close();
    this.#seq = 0;
    if (stats === undefined) return null;
    const db = new DatabaseSync(this.#file, { readOnly: true, timeout: 100 });
    const { user_version: version } = db.prepare("PRAGMA user_version").get() as { user_version: number };
    if (version < 1 || version > migrations.length) {
      db.close();
      return null;
    }
    this.#open = { db, inode: stats.ino };
    return db;
  }
}

export interface BanRow {
  readonly seq: number;
  readonly incident: string;
  readonly range: string;
  readonly action: BanBody["action"];
  readonly reason: string;
  readonly offence: number;
  readonly issued_ms: number;
  readonly until_ms: number;
}

export function toBan({
  incident,
  range,
  action,
  reason,
  offence,
  issued_ms: issuedAtMs,
  until_ms: untilMs,
}: BanRow): BanBody {
  return { kind: "ban", range, action, reason, offence, issuedAtMs, untilMs, incident };
}
