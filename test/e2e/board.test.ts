/** The example app, as a visitor uses it: the same walk under plain Node and through an organism with two drones. */
import assert from "node:assert/strict";
import { execFile, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { WebSocket } from "ws";
import { type Address, request } from "./client.ts";
import { repository, startOrganism } from "./organism.ts";
import { startPlain } from "./plain.ts";
import { until, within } from "./wait.ts";

const board = join(repository, "examples", "board");
const server = join(board, "server.js");
const execFileAsync = promisify(execFile);

test("the board works under plain Node", async (t) => {
  const dir = mkdtempSync(join(tmpdir(), "cw-board-"));
  const app = await startPlain(server, { BOARD_DATA: dir });
  t.after(async () => {
    await app.end();
    rmSync(dir, { recursive: true });
  });
  await walkThroughBoard(app);
});

test("the board works through an organism, though two drones share its work", async (t) => {
  const dna = { cells: { drone: { min: 2 } } };
  const organism = await startOrganism(t, { app: server, dna, scratchEnv: { BOARD_DATA: "data" } });
  await organism.request();
  await organism.grown({ drone: 2 });
  await walkThroughBoard(organism.at());
});

test("every command of the board's README can be pasted", { skip: curlMissing() }, async (t) => {
  // Two, since one of the commands crashes the drone that gets it.
  const dna = { cells: { drone: { min: 2 } } };
  const organism = await startOrganism(t, { app: server, dna, scratchEnv: { BOARD_DATA: "data" } });
  const blocks = curlCommands(readFileSync(join(board, "README.md"), "utf8"));
  assert.ok(blocks.length >= 5, "the README has its commands in ```sh blocks");
  for (const block of blocks) {
    const script = block.replaceAll("http://127.0.0.1:8080", organism.url).replaceAll("curl ", "curl --max-time 30 ");
    // Without blocking: this process may have to see to the organism meanwhile.
    const { stdout } = await execFileAsync("sh", ["-euc", script], { cwd: repository });
    assert.notEqual(stdout, "", block);
  }
});

function curlCommands(markdown: string): string[] {
  return [...markdown.matchAll(/^```sh\n(.*?)^```/gms)]
    .map((match) => match[1] ?? "")
    .filter((block) => block.startsWith("curl "));
}

function curlMissing(): string | false {
  return spawnSync("curl", ["--version"]).status === 0
    ? false
    : "curl is not installed: see what `npm test` says of it";
}

async function walkThroughBoard(at: Address): Promise<void> {
  const front = await request(at);
  assert.equal(front.status, 200);
  assert.match(front.text, /Welcome to the board/);
  for (const path of ["/style.css", "/live.js", "/favicon.svg", "/new", "/lab", "/health"]) {
    assert.equal((await request(at, { path })).status, 200, path);
  }

  // Two readers of the thread. With two drones, one of them sits at another than the writer's soon enough.
  const readers = await Promise.all(Array.from({ length: 6 }, () => watch(at, 1)));
  try {
    const reply = new FormData();
    reply.set("author", "Ann <b>");
    reply.set("body", "Look & see.");
    reply.set("image", new Blob([readFileSync(join(board, "board.png"))], { type: "image/png" }), "board.png");
    const posted = await postForm(at, "/threads/1/posts", reply);
    assert.equal(posted.status, 303);
    assert.match(posted.headers.location ?? "", /^\/threads\/1#post-\d+$/);

    for (const reader of readers) {
      const post = await until("the reply to reach each reader", () => reader.posts[0]);
      assert.match(post.html, /Ann &lt;b&gt;/);
      assert.match(post.html, /Look &amp; see\./);
    }
  } finally {
    for (const reader of readers) reader.socket.terminate();
  }

  const thread = await request(at, { path: "/threads/1" });
  assert.match(thread.text, /Ann &lt;b&gt;/);
  const image = /src="(\/images\/[0-9a-f]+\.png)"/.exec(thread.text)?.[1] ?? assert.fail("the picture is on the page");
  assert.ok((await request(at, { path: image })).body.equals(readFileSync(join(board, "board.png"))));

  const incomplete = await postForm(at, "/threads", new FormData());
  assert.equal(incomplete.status, 422);
  assert.match(incomplete.text, /A thread needs a title\./);

  const tooLarge = new FormData();
  for (const name of ["author", "title", "body"]) tooLarge.set(name, `some ${name}`);
  tooLarge.set("image", new Blob([Buffer.alloc(3 * 1024 * 1024)]), "big.png");
  const refused = await postForm(at, "/threads", tooLarge);
  assert.equal(refused.status, 422);
  assert.match(refused.text, /too large/);
  assert.match(refused.text, /some body/, "what was written is not lost");

  const json = { "Content-Type": "application/json" };
  const created = await request(at, {
    method: "POST",
    path: "/api/threads",
    headers: json,
    body: JSON.stringify({ author: "Sam", title: "Who has a ladder?", body: "Three metres." }),
  });
  assert.equal(created.status, 201);
  const found = await request(at, { path: created.headers.location ?? "" });
  assert.equal((JSON.parse(found.text) as { thread: { title: string } }).thread.title, "Who has a ladder?");
  assert.equal((await request(at, { path: "/api/threads/999" })).status, 404);
}

interface Reader {
  socket: WebSocket;
  posts: Array<{ html: string }>;
}

async function watch({ host, port }: Address, thread: number): Promise<Reader> {
  const socket = new WebSocket(`ws://${host}:${port}/live?thread=${thread}`);
  const posts: Reader["posts"] = [];
  socket.on("message", (data) => posts.push(JSON.parse((data as Buffer).toString()) as Reader["posts"][number]));
  await within(
    "a live connection",
    new Promise((resolve, reject) => socket.once("open", resolve).once("error", reject)),
  );
  return { socket, posts };
}

async function postForm(at: Address, path: string, form: FormData) {
  // Only to have the form encoded: Request knows how, and our client does not.
  const encoded = new Request("http://form.invalid", { method: "POST", body: form });
  const headers = { "Content-Type": encoded.headers.get("content-type") ?? "" };
  return request(at, { method: "POST", path, headers, body: Buffer.from(await encoded.arrayBuffer()) });
}
