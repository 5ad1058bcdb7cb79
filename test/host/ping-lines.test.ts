import assert from "node:assert/strict";
import fs from "node:fs";
import net from "node:net";
import path from "node:path";
import type { TestContext } from "node:test";
import { test } from "node:test";
import { linesMax, PingLines } from "../../src/host/ping-lines.ts";
import { makeRunBase } from "../support/fake-organism.ts";

const reply = '{"ok":true,"op":"ping"}\n';

test("a cell is asked again and again over one connection, and the preamble is said once", async (t) => {
  const cell = await aCell(t, (connection) => connection.on("data", (chunk) => answerEach(connection, chunk)));
  for (let i = 0; i < 5; i += 1) assert.equal(await cell.lines.ask("a", 1_000), "reply");
  assert.equal(cell.connections.length, 1);
  assert.equal(cell.heard(), `{"cellws":1,"purpose":"control"}\n${'{"op":"ping"}\n'.repeat(5)}`);
});

test("a question that finds another open has a connection and all its time for itself", async (t) => {
  const cell = await aCell(t, (connection) =>
    connection.on("data", () => setTimeout(() => connection.write(reply), 20)),
  );
  assert.deepEqual(await Promise.all([cell.lines.ask("a", 1_000), cell.lines.ask("a", 1_000)]), ["reply", "reply"]);
  assert.equal(cell.connections.length, 2);
});

test("who does not answer in time is silent, and an answer that comes late is none to the next question", async (t) => {
  let isSlow = true;
  const cell = await aCell(t, (connection) =>
    connection.on("data", () => setTimeout(() => connection.write(reply), isSlow ? 80 : 0)),
  );
  assert.equal(await cell.lines.ask("a", 30), "silent");
  assert.equal(cell.lines.size, 0);
  isSlow = false;
  await new Promise((resolve) => setTimeout(resolve, 80));
  assert.equal(await cell.lines.ask("a", 1_000), "reply");
  assert.equal(cell.connections.length, 2);
});

test("a cell that has closed the line is asked anew, and one that is gone is not there", async (t) => {
  const cell = await aCell(t, (connection) => connection.on("data", (chunk) => answerEach(connection, chunk)));
  assert.equal(await cell.lines.ask("a", 1_000), "reply");
  cell.connections[0]?.destroy();
  assert.equal(await cell.lines.ask("a", 1_000), "reply");
  await cell.gone();
  assert.equal(await cell.lines.ask("a", 1_000), "refused");
  assert.equal(cell.lines.size, 0);
});

test("whoever says what was not asked loses the line, and is judged by a question of its own", async (t) => {
  const cell = await aCell(t, (connection) => connection.on("data", () => connection.write(reply + reply)));
  // The way in which a question of its own takes it: the first line counts.
  assert.equal(await cell.lines.ask("a", 1_000), "reply");
  assert.equal(cell.lines.size, 0);
  assert.equal(cell.connections.length, 2);
});

test("there are at most so many lines, and none to those that live no more", async (t) => {
  const cell = await aCell(t, (connection) => connection.on("data", (chunk) => answerEach(connection, chunk)));
  for (let i = 0; i < linesMax + 2; i += 1) assert.equal(await cell.lines.ask(`cell-${i}`, 1_000), "reply");
  assert.equal(cell.lines.size, linesMax);
  cell.lines.keep((id) => id === "cell-3");
  assert.equal(cell.lines.size, 1);
});

interface ACell {
  readonly lines: PingLines;
  readonly connections: net.Socket[];
  heard(): string;
  gone(): Promise<void>;
}

async function aCell(t: TestContext, welcome: (connection: net.Socket) => void): Promise<ACell> {
  const socket = path.join(makeRunBase(t).runtimeDir, "cell.sock");
  const connections: net.Socket[] = [];
  let heard = "";
  const server = net.createServer((connection) => {
    connections.push(connection);
    connection.on("data", (chunk) => (heard += String(chunk)));
    connection.on("error", () => undefined);
    welcome(connection);
  });
  await new Promise<void>((resolve) => server.listen(socket, resolve));
  const lines = new PingLines(() => socket);
  const gone = async (): Promise<void> => {
    for (const connection of connections) connection.destroy();
    await new Promise((resolve) => server.close(resolve));
    fs.rmSync(socket, { force: true });
  };
  t.after(async () => {
    lines.close();
    if (server.listening) await gone();
  });
  return { lines, connections, heard: () => heard, gone };
}

/** As a cell does: a line for each question; the preamble is none. */
function answerEach(connection: net.Socket, chunk: Buffer): void {
  for (const line of String(chunk).split("\n")) if (line.includes('"op"')) connection.write(reply);
}
