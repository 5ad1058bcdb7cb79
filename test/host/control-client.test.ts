import assert from "node:assert/strict";
import fs from "node:fs";
import net from "node:net";
import path from "node:path";
import type { TestContext } from "node:test";
import { test } from "node:test";
import { askCell, mapBounded, socketAccepts } from "../../src/host/control-client.ts";
import { makeRunBase } from "../support/fake-organism.ts";

test("a question is a preamble line and a request line, the answer one line", async (t) => {
  let heard = "";
  const socket = await listen(t, (connection) => {
    connection.on("data", (chunk) => {
      heard += String(chunk);
      if (heard.split("\n").length === 3) connection.write('{"ok":true,"op":"stop"}\n');
    });
  });
  assert.deepEqual(await askCell(socket, { op: "stop", drainMs: 7 }), {
    kind: "reply",
    reply: { ok: true, op: "stop" },
  });
  assert.equal(heard, '{"cellws":1,"purpose":"control"}\n{"op":"stop","drainMs":7}\n');
});

test("an answer may come in pieces, and what follows it is ignored", async (t) => {
  const socket = await listen(t, (connection) => {
    connection.on("data", () => {
      connection.write('{"ok":true,');
      setTimeout(() => connection.write('"op":"stop"}\n{"more":1}\n'), 20);
    });
  });
  assert.equal((await askCell(socket, { op: "stop" })).kind, "reply");
});

test("each way of failing is told apart", async (t) => {
  const dir = makeRunBase(t).runtimeDir;
  const refused = path.join(dir, "file.sock");
  fs.writeFileSync(refused, "");
  assert.equal((await askCell(refused, { op: "vitals" })).kind, "refused", "no socket");
  assert.equal((await askCell(path.join(dir, "none"), { op: "vitals" })).kind, "refused", "no file");

  const silent = await listen(t, () => undefined);
  assert.equal((await askCell(silent, { op: "vitals" }, { timeoutMs: 50 })).kind, "silent");

  const hangsUp = await listen(t, (connection) => connection.end('{"ok":true'));
  assert.equal((await askCell(hangsUp, { op: "vitals" })).kind, "garbled", "half a reply");

  for (const line of [
    "HTTP/1.1 400 Bad Request",
    "[]",
    "null",
    '{"ok":true,"op":"dance"}',
    '{"ok":true,"op":"vitals"}',
  ]) {
    const babbles = await listen(t, (connection) => connection.on("data", () => connection.write(`${line}\n`)));
    assert.equal((await askCell(babbles, { op: "vitals" })).kind, "garbled", line);
  }
});

test("a cell that never stops answering is cut off", async (t) => {
  const block = Buffer.alloc(1024 * 1024, "x");
  const socket = await listen(t, (connection) => {
    const write = (): void => void (connection.writable && connection.write(block, write));
    write();
  });
  const outcome = await askCell(socket, { op: "vitals" }, { timeoutMs: 30_000 });
  assert.equal(outcome.kind, "garbled");
});

test("whether somebody listens is told without a word", async (t) => {
  let heard = 0;
  const socket = await listen(t, (connection) => connection.on("data", (chunk) => (heard += chunk.length)));
  assert.equal(await socketAccepts(socket), true);
  assert.equal(await socketAccepts(`${socket}-not`), false);
  assert.equal(heard, 0);
});

test("many questions are asked a few at a time, and the answers keep their order", async () => {
  let running = 0;
  let runningMax = 0;
  const results = await mapBounded([5, 3, 1, 4, 2], 2, async (item) => {
    runningMax = Math.max(runningMax, (running += 1));
    await new Promise((resolve) => setTimeout(resolve, item));
    running -= 1;
    return item * 10;
  });
  assert.deepEqual(results, [50, 30, 10, 40, 20]);
  assert.equal(runningMax, 2);
});

let serial = 0;
async function listen(t: TestContext, onConnection: (connection: net.Socket) => void): Promise<string> {
  const socketPath = path.join(makeRunBase(t).runtimeDir, `${(serial += 1)}.sock`);
  const connections = new Set<net.Socket>();
  const server = net.createServer((connection) => {
    connections.add(connection);
    connection.on("error", () => connection.destroy());
    onConnection(connection);
  });
  await new Promise<void>((resolve) => server.listen(socketPath, resolve));
  t.after(() => {
    for (const connection of connections) connection.destroy();
    server.close();
  });
  return socketPath;
}
