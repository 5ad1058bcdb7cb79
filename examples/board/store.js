/**
 * The board's memory: one SQLite file and a folder of pictures, shared by every process that serves the board.
 *
 * SQLite in WAL mode lets readers go on while one process writes; a second writer waits for the first
 * (`timeout`) instead of failing. Pictures are named by their content, so the same one is kept once and
 * its address can be cached for ever.
 */
import { createHash } from "node:crypto";
import { mkdirSync } from "node:fs";
import { rename, stat, writeFile } from "node:fs/promises";
import { tmpdir, userInfo } from "node:os";
import { join, resolve } from "node:path";
import { DatabaseSync } from "node:sqlite";

export const imageBytesMax = 2 * 1024 * 1024;
const threadsPerPage = 20;
const writerWaitMsMax = 5_000;

const schema = `
  CREATE TABLE IF NOT EXISTS threads (
    id INTEGER PRIMARY KEY,
    title TEXT NOT NULL,
    lastPostId INTEGER NOT NULL DEFAULT 0,
    postCount INTEGER NOT NULL DEFAULT 0
  ) STRICT;
  CREATE TABLE IF NOT EXISTS posts (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    threadId INTEGER NOT NULL REFERENCES threads (id),
    author TEXT NOT NULL,
    body TEXT NOT NULL,
    image TEXT,
    createdAt INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX IF NOT EXISTS postsByThread ON posts (threadId, id);
  CREATE INDEX IF NOT EXISTS threadsByActivity ON threads (lastPostId DESC);
`;

export function openStore() {
  const dir = resolve(process.env.BOARD_DATA ?? join(tmpdir(), `board-${userInfo().username}`));
  const imageDir = join(dir, "images");
  mkdirSync(imageDir, { recursive: true, mode: 0o700 });

  const file = join(dir, "board.sqlite");
  const db = new DatabaseSync(file, { timeout: writerWaitMsMax });
  db.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = ON;");

  const transaction = (work) => {
    // IMMEDIATE: take the writer's turn at once and wait for it there, rather than fail half-way.
    db.exec("BEGIN IMMEDIATE");
    try {
      const result = work();
      db.exec("COMMIT");
      return result;
    } catch (error) {
      db.exec("ROLLBACK");
      throw error;
    }
  };
  transaction(() => db.exec(schema));

  const q = {
    threads: db.prepare(`
      SELECT t.id, t.title, t.postCount, first.author, last.author AS lastAuthor, last.createdAt AS lastAt, t.lastPostId
      FROM threads t
      JOIN posts last ON last.id = t.lastPostId
      JOIN posts first ON first.id = (SELECT min(id) FROM posts WHERE threadId = t.id)
      ORDER BY t.lastPostId DESC LIMIT ? OFFSET ?`),
    thread: db.prepare("SELECT id, title, postCount, lastPostId FROM threads WHERE id = ?"),
    posts: db.prepare("SELECT id, threadId, author, body, image, createdAt FROM posts WHERE threadId = ? ORDER BY id"),
    postsSince: db.prepare(`
      SELECT p.id, p.threadId, p.author, p.body, p.image, p.createdAt, t.title
      FROM posts p JOIN threads t ON t.id = p.threadId WHERE p.id > ? ORDER BY p.id LIMIT ?`),
    lastPostId: db.prepare("SELECT coalesce(max(id), 0) AS id FROM posts"),
    count: db.prepare("SELECT (SELECT count(*) FROM threads) AS threads, (SELECT count(*) FROM posts) AS posts"),
    insertThread: db.prepare("INSERT INTO threads (title) VALUES (?) RETURNING id"),
    insertPost: db.prepare(
      "INSERT INTO posts (threadId, author, body, image, createdAt) VALUES (?, ?, ?, ?, ?) RETURNING *",
    ),
    bump: db.prepare("UPDATE threads SET lastPostId = ?, postCount = postCount + 1 WHERE id = ?"),
    // Changes whenever another connection to the file, in this process or not, has committed.
    version: db.prepare("PRAGMA data_version"),
  };

  const addPost = (threadId, { author, body, image = null }) => {
    const post = q.insertPost.get(threadId, author, body, image, Date.now());
    q.bump.run(post.id, threadId);
    return { ...post };
  };

  const addThread = ({ title, ...post }) => {
    const { id } = q.insertThread.get(title);
    addPost(id, post);
    return { ...q.thread.get(id) };
  };

  transaction(() => {
    if (q.count.get().threads === 0) for (const thread of firstThreads) addThread(thread);
  });

  return {
    dir,
    imageDir,
    addThread: (thread) => transaction(() => addThread(thread)),
    addPost: (threadId, post) => transaction(() => addPost(threadId, post)),

    /** The most recently answered threads first. `more` says whether another page follows. */
    listThreads(page) {
      const rows = q.threads.all(threadsPerPage + 1, (page - 1) * threadsPerPage).map((row) => ({ ...row }));
      return { threads: rows.slice(0, threadsPerPage), more: rows.length > threadsPerPage };
    },

    /** @returns {undefined | { thread: object, posts: object[] }} */
    readThread(id) {
      if (!Number.isSafeInteger(id)) return undefined;
      const thread = q.thread.get(id);
      return thread && { thread: { ...thread }, posts: q.posts.all(id).map((post) => ({ ...post })) };
    },

    /** What was posted after `id`, oldest first, at most `max`. */
    postsSince: (id, max) => q.postsSince.all(id, max),
    lastPostId: () => q.lastPostId.get().id,
    version: () => q.version.get().data_version,
    count: () => ({ ...q.count.get() }),

    /** The name under which the picture can be had at /images; null when the bytes are no picture that we serve. */
    async keepImage(bytes) {
      const extension = imageExtension(bytes);
      if (extension === null) return null;
      const name = `${createHash("sha256").update(bytes).digest("hex").slice(0, 32)}.${extension}`;
      const path = join(imageDir, name);
      const known = await stat(path).catch(() => null);
      if (known !== null) return name;
      // Written aside and renamed, so that nobody is ever served half a picture.
      const aside = `${path}.${process.pid}.part`;
      await writeFile(aside, bytes);
      await rename(aside, path);
      return name;
    },

    close: () => db.close(),
  };
}

/** By the first bytes and not by what the browser claims: a page of HTML named .png must not be served from here. */
function imageExtension(bytes) {
  const starts = (text, at = 0) => bytes.subarray(at, at + text.length).equals(Buffer.from(text, "latin1"));
  if (starts("\x89PNG\r\n\x1a\n")) return "png";
  if (starts("\xff\xd8\xff")) return "jpg";
  if (starts("GIF87a") || starts("GIF89a")) return "gif";
  if (starts("RIFF") && starts("WEBP", 8)) return "webp";
  return null;
}

/** So that a new board is not an empty page. */
const firstThreads = [
  {
    title: "Found: one green mitten by the lime trees",
    author: "Noor",
    body: "Left hand, wool, with a white button. It hangs on the railing of number 12.",
  },
  {
    title: "Repair café on Saturday: what should we bring tools for?",
    author: "Ilse",
    body: "The hall is ours from ten to four.\n\nSo far: two toasters, a bicycle with a mind of its own, and a radio that only knows one station. Tell us what you bring, so that we bring the right screws.",
  },
  {
    title: "Welcome to the board",
    author: "The keepers",
    body: "Ask, offer, lend, find. Start a thread or answer one; a picture may come along.\n\nKeep a thread open in two windows: what one writes appears in the other.",
  },
];
