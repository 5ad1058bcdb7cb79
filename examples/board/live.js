/**
 * New posts, sent over WebSocket to whoever looks at the board.
 *
 * A post may be written by another process than the one that holds the reader's connection, and
 * processes do not know each other: they share the database file only. While somebody is watching,
 * its `data_version` is read a few times a second, which costs microseconds and touches no table;
 * only when it has changed are the new posts read.
 *
 * A reader says which post it saw last, so a connection that was lost and made anew misses nothing.
 */
import { WebSocket, WebSocketServer } from "ws";
import { postArticle } from "./pages.js";

const pollMs = 250;
const pingMs = 30_000;
/** A reader who was away for longer is told to load the page again. */
const catchUpPostsMax = 200;
/** A reader that takes nothing is cut off before its unread messages fill our memory. */
const bufferedBytesMax = 1024 * 1024;

export function createLive(server, store) {
  const sockets = new WebSocketServer({ noServer: true, maxPayload: 1024 });
  let lastPostId = 0;
  let version = 0;
  let poll;
  let ping;

  server.on("upgrade", (req, socket, head) => {
    const url = new URL(req.url, "http://board.invalid");
    if (url.pathname !== "/live") {
      socket.end("HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
      return;
    }
    sockets.handleUpgrade(req, socket, head, (watcher) => welcome(watcher, url.searchParams));
  });

  function welcome(watcher, params) {
    const since = Number(params.get("since") ?? Number.NaN);
    watcher.threadId = Number(params.get("thread")) || null;
    watcher.lastPostId = Number.isSafeInteger(since) && since >= 0 ? since : store.lastPostId();
    watcher.answered = true;
    watcher.on("pong", () => (watcher.answered = true));
    watcher.on("error", () => watcher.terminate());
    watcher.on("close", () => {
      if (sockets.clients.size === 0) sleep();
    });
    if (poll === undefined) wake();
    catchUp(watcher);
  }

  function wake() {
    lastPostId = store.lastPostId();
    version = store.version();
    poll = setInterval(() => {
      const now = store.version();
      if (now !== version) announce();
      version = now;
    }, pollMs);
    ping = setInterval(dropSilent, pingMs);
  }

  function sleep() {
    clearInterval(poll);
    clearInterval(ping);
    poll = undefined;
  }

  function catchUp(watcher) {
    const missed = store.postsSince(watcher.lastPostId, catchUpPostsMax + 1);
    if (missed.length > catchUpPostsMax) send(watcher, JSON.stringify({ type: "reload" }));
    else for (const post of missed) tell(watcher, post);
  }

  /** Tells everybody who is connected here what was posted since the last time, here or elsewhere. */
  function announce() {
    if (poll === undefined) return;
    for (const post of store.postsSince(lastPostId, catchUpPostsMax)) {
      lastPostId = post.id;
      for (const watcher of sockets.clients) tell(watcher, post);
    }
  }

  function dropSilent() {
    for (const watcher of sockets.clients) {
      if (!watcher.answered) watcher.terminate();
      watcher.answered = false;
      watcher.ping();
    }
  }

  return {
    announce,
    count: () => sockets.clients.size,
    close() {
      sleep();
      // 1012, service restart: readers connect again, to whoever serves the board then.
      for (const watcher of sockets.clients) watcher.close(1012, "restarting");
    },
  };
}

/** Once to each, and only what concerns the page that they look at. */
function tell(watcher, post) {
  if (post.id <= watcher.lastPostId) return;
  watcher.lastPostId = post.id;
  if (watcher.threadId !== null && watcher.threadId !== post.threadId) return;
  const { id, threadId, title, author } = post;
  send(watcher, JSON.stringify({ type: "post", id, threadId, title, author, html: String(postArticle(post)).trim() }));
}

function send(watcher, text) {
  if (watcher.readyState !== WebSocket.OPEN) return;
  if (watcher.bufferedAmount > bufferedBytesMax) watcher.terminate();
  else watcher.send(text);
}
