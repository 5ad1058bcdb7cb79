import assert from "node:assert/strict";
import { once } from "node:events";
import net from "node:net";
import { test, type TestContext } from "node:test";
import type { AdminAnswers } from "../../src/host/admin/answers.ts";
import { AdminFront, type AdminLimits } from "../../src/host/admin/front.ts";
import type { CellLog } from "../../src/host/log.ts";
import { until } from "../e2e/wait.ts";

/** Enough of each for what the front asks. */
const answers = {
  health: () => "alive",
  readiness: async () => await Promise.reject(new Error("the survey broke")),
} as unknown as AdminAnswers;

async function openFront(t: TestContext, limits: Partial<AdminLimits>): Promise<{ port: number; logged: string[] }> {
  const logged: string[] = [];
  const log = { error: (event: string) => logged.push(event) } as unknown as CellLog;
  const front = new AdminFront({ answers, tokenFile: "/nowhere", log, limits });
  const door = net.createServer({ pauseOnConnect: true }, (socket) => front.accept(socket));
  door.listen(0, "127.0.0.1");
  await once(door, "listening");
  t.after(() => door.close());
  return { port: (door.address() as net.AddressInfo).port, logged };
}

function connect(t: TestContext, port: number): net.Socket {
  const socket = net.connect(port, "127.0.0.1");
  t.after(() => socket.destroy());
  socket.on("error", () => undefined);
  return socket;
}

async function all(socket: net.Socket): Promise<string> {
  let text = "";
  socket.setEncoding("utf8").on("data", (piece: string) => (text += piece));
  // Not events.once, which fails where a last piece of ours crosses the end and is answered by a reset: that is an end too.
  if (!socket.closed) await new Promise((resolve) => socket.once("close", resolve));
  return text;
}

test("who says nothing, or a little now and then, is let go when its time is over", async (t) => {
  const { port } = await openFront(t, { connectionMsMax: 200 });
  const silent = connect(t, port);
  const slow = connect(t, port);
  slow.write("GET /healthz HTTP/1.1\r\n");
  const drip = setInterval(() => slow.write("X-Drip: 1\r\n"), 20);
  t.after(() => clearInterval(drip));
  assert.deepEqual(await Promise.all([all(silent), all(slow)]), ["", ""]);
});

test("there are only so many callers at a time, and a place that is left is free again", async (t) => {
  const { port } = await openFront(t, { connectionsMax: 2 });
  const [first, second] = [connect(t, port), connect(t, port)];
  await Promise.all([once(first, "connect"), once(second, "connect")]);
  assert.equal(await all(connect(t, port)), "", "closed without a word");
  first.end("GET /healthz HTTP/1.0\r\n\r\n");
  assert.match(await all(first), /^HTTP\/1\.1 200 OK[^]*alive\n$/, "without a Host, as simple health checks ask");
  await until("a place to be free again", async () => {
    const next = connect(t, port);
    next.end("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n");
    return (await all(next)).startsWith("HTTP/1.1 200 ");
  });
});

test("a second request on a connection is not answered", async (t) => {
  const { port } = await openFront(t, {});
  const socket = connect(t, port);
  const asking = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n";
  socket.write(asking + asking);
  assert.equal((await all(socket)).match(/HTTP\/1\.1 200/g)?.length, 1);
});

test("without a token file nobody is let in, whatever they bring", async (t) => {
  const { port } = await openFront(t, {});
  for (const authorization of ["Bearer ", "Bearer x", "Basic eDp4"]) {
    const socket = connect(t, port);
    socket.end(`GET /metrics HTTP/1.1\r\nHost: localhost\r\nAuthorization: ${authorization}\r\n\r\n`);
    assert.match(await all(socket), /^HTTP\/1\.1 401 /);
  }
});

test("what cannot be found out is a 500, and told in the log", async (t) => {
  const { port, logged } = await openFront(t, {});
  const socket = connect(t, port);
  socket.end("GET /readyz HTTP/1.1\r\nHost: localhost\r\n\r\n");
  assert.match(await all(socket), /^HTTP\/1\.1 500 /);
  assert.deepEqual(logged, ["admin-failed"]);
});
