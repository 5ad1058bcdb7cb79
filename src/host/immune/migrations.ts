/**
 * The schema of the memory, as the steps that led to it. The number of steps that a file has taken is its `user_version`.
 * A step that was published is never changed: files out there have taken it.
 */
export const migrations: readonly string[] = [
  // 1: bans and who may write.
  `CREATE TABLE ban (
     seq INTEGER PRIMARY KEY AUTOINCREMENT,
     incident TEXT NOT NULL UNIQUE,
     range TEXT NOT NULL,
     action TEXT NOT NULL,
     reason TEXT NOT NULL,
     offence INTEGER NOT NULL,
     issued_ms INTEGER NOT NULL,
     until_ms INTEGER NOT NULL
   ) STRICT;
   CREATE INDEX ban_by_range ON ban (range, seq);
   CREATE INDEX ban_by_end ON ban (until_ms);
   CREATE TABLE lease (
     id INTEGER PRIMARY KEY CHECK (id = 1),
     holder TEXT NOT NULL,
     pid INTEGER NOT NULL,
     start_ticks INTEGER NOT NULL,
     renewed_ms REAL NOT NULL
   ) STRICT`,
  // 2: statistics that a reborn T cell begins with, and the reports' outbox.
  `CREATE TABLE share (
     range TEXT NOT NULL,
     owner TEXT NOT NULL,
     boot TEXT NOT NULL,
     body TEXT NOT NULL,
     PRIMARY KEY (range, owner)
   ) STRICT, WITHOUT ROWID;
   CREATE TABLE outbox (
     incident TEXT NOT NULL,
     channel TEXT NOT NULL,
     state TEXT NOT NULL CHECK (state IN ('waiting', 'sending', 'sent', 'failed', 'uncertain', 'dry-run')),
     attempts INTEGER NOT NULL,
     next_ms INTEGER NOT NULL,
     made_ms INTEGER NOT NULL,
     told TEXT NOT NULL,
     body TEXT NOT NULL,
     PRIMARY KEY (incident, channel)
   ) STRICT;
   CREATE INDEX outbox_by_time ON outbox (state, next_ms)`,
  // 3: statistics that several T cells read from each other; what happened, and how much of it when, for "cellws threats".
  `ALTER TABLE share ADD COLUMN seq INTEGER NOT NULL DEFAULT 0;
   ALTER TABLE share ADD COLUMN at_ms REAL NOT NULL DEFAULT 0;
   CREATE INDEX share_by_seq ON share (seq);
   CREATE TABLE incident (
     seq INTEGER PRIMARY KEY AUTOINCREMENT,
     id TEXT NOT NULL UNIQUE,
     made_ms INTEGER NOT NULL,
     body TEXT NOT NULL
   ) STRICT;
   CREATE TABLE seen (
     minute INTEGER NOT NULL,
     kind TEXT NOT NULL CHECK (kind IN ('class', 'rule')),
     name TEXT NOT NULL,
     count INTEGER NOT NULL,
     PRIMARY KEY (minute, kind, name)
   ) STRICT, WITHOUT ROWID`,
  // 4: the last edition of statistics. It was the highest of those that are kept, which falls when they are forgotten: then
  // whoever had read up to the old one never read another.
  `CREATE TABLE share_edition (
     id INTEGER PRIMARY KEY CHECK (id = 1),
     seq INTEGER NOT NULL
   ) STRICT;
   INSERT INTO share_edition (id, seq) SELECT 1, coalesce(max(seq), 0) FROM share`,
];
