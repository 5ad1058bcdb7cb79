// Connections that read into one buffer: that this Node has what it takes, and that they are sockets like others otherwise.
import assert from "node:assert/strict";
import { once } from "node:events";
import net from "node:net";
import { test, type TestContext } from "node:test";
import { lendReads, lent } from "../../src/cells/b-cell/lent-reads.ts";
import { until } from "../support/axon-pair.ts";

interface Pair {
  server: net.Server;
  accepted: net.Socket;
  socket: net.Socket;
  client: net.Socket;
}

async function connect(t: TestContext, server: net.Server): Promise<Pair> {
  if (!server.listening) await once(server.listen(0, "127.0.0.1"), "listening");
  const client = net.connect((server.address() as net.AddressInfo).port, "127.0.0.1");
  t.after(() => client.destroy());
  const [accepted] = (await once(server, "connection")) as [net.Socket];
  const socket = lendReads(accepted);
  socket.on("error", () => {});
  t.after(() => socket.destroy());
  return { server, accepted, socket, client };
}

function makeServer(t: TestContext, pauseOnConnect = true): net.Server {
  const server = net.createServer({ pauseOnConnect });
  t.after(() => server.close());
  return server;
}

test("all connections read into one buffer, of which each has its bytes until it returns", async (t) => {
  const server = makeServer(t);
  const heard = new Map<string, string>();
  const buffers = new Set<ArrayBufferLike>();
  for (const name of ["one", "two"]) {
    const { socket, accepted, client } = await connect(t, server);
    assert.notEqual(socket, accepted, "this Node has what it takes");
    assert.match(String(socket.remoteAddress), /^127\./);
    socket.on("data", () => assert.fail("nothing comes as a chunk of its own"));
    socket.on(lent, (chunk: Buffer) => {
      buffers.add(chunk.buffer);
      heard.set(name, (heard.get(name) ?? "") + chunk.latin1Slice());
    });
    client.write(`I am ${name}`);
    await until(() => heard.get(name) === `I am ${name}`);
  }
  assert.equal(buffers.size, 1);
});

test("a pause holds what comes, and the end comes after it", async (t) => {
  const { socket, client } = await connect(t, makeServer(t));
  let text = "";
  let hasEnded = false;
  socket.on(lent, (chunk: Buffer) => {
    text += chunk.latin1Slice();
    socket.pause();
  });
  socket.on("end", () => (hasEnded = true));
  socket.resume();
  client.write("first");
  await until(() => text === "first");
  client.end("second");
  await new Promise((resolve) => setTimeout(resolve, 50));
  assert.deepEqual([text, hasEnded], ["first", false]);
  socket.resume();
  await until(() => text === "firstsecond");
  socket.resume();
  await until(() => hasEnded);
});

test("a server counts them until they close, and closes after them", async (t) => {
  const { server, socket, client } = await connect(t, makeServer(t));
  const isClosed = new Promise((resolve) => server.close(resolve));
  const connections = await new Promise((resolve) => server.getConnections((_error, count) => resolve(count)));
  assert.equal(connections, 1);
  client.resume();
  socket.end("farewell");
  client.end();
  socket.resume();
  await isClosed;
});

test("a connection of which something may have been read stays as it is", async (t) => {
  const { socket, accepted, client } = await connect(t, makeServer(t, false));
  assert.equal(socket, accepted);
  let text = "";
  socket.on("data", (chunk: Buffer) => (text += chunk.latin1Slice()));
  client.write("as ever");
  await until(() => text === "as ever");
});
