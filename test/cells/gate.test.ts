import assert from "node:assert/strict";
import { once } from "node:events";
import fs from "node:fs";
import http2 from "node:http2";
import net from "node:net";
import os from "node:os";
import path from "node:path";
import { test, type TestContext } from "node:test";
import { Gate, gateLimits, type GateOptions } from "../../src/cells/b-cell/gate.ts";
import type { BanBody } from "../../src/core/record.ts";
import { openMemory } from "../../src/host/immune/memory.ts";
import type { ExchangeRequest } from "../../src/http/message.ts";
import { defaultBanPolicy } from "../../src/immune/bans/policy.ts";
import { answer, rig } from "../support/ingress-rig.ts";
import { ListenerRecorder, until } from "../support/axon-pair.ts";

const wallMs = Date.now();
const ban = (range: string, changes: Partial<BanBody> = {}): BanBody => ({
  kind: "ban",
  range,
  action: "ban",
  reason: "other",
  offence: 1,
  issuedAtMs: wallMs,
  untilMs: wallMs + 3_600_000,
  incident: `${range}#1`,
  ...changes,
});
const from = (remoteAddress: string): ExchangeRequest => ({ remoteAddress }) as ExchangeRequest;

function gateOf(t: TestContext, options: Partial<GateOptions> = {}) {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), "cellws-gate-"));
  t.after(() => fs.rmSync(dir, { recursive: true, force: true }));
  const memoryFile = path.join(dir, "immune.db");
  const told = { bans: 0, unlawful: [] as string[] };
  const gate = new Gate({
    policy: defaultBanPolicy,
    memoryFile,
    tarpitMs: 30,
    limitPerSecond: 2,
    onBans: () => (told.bans += 1),
    onUnlawful: ({ range }) => told.unlawful.push(range),
    ...options,
  });
  t.after(() => gate.close());
  return { gate, memoryFile, told };
}

test("what was remembered before it was born holds, the last word on each range; and what comes later, when it looks", (t) => {
  const { gate, memoryFile } = gateOf(t);
  gate.open([]);
  assert.ok(!gate.isBanned("192.0.2.1"), "nobody has been banned yet, and there is no memory");
  const { memory } = openMemory({ file: memoryFile, holder: "t" });
  t.after(() => memory.close());
  const lifted = { action: "lifted", issuedAtMs: wallMs + 1, incident: "192.0.2.2#1-lifted" } as const;
  memory.record([ban("192.0.2.1"), ban("192.0.2.2"), ban("192.0.2.2", lifted)]);
  gate.recall();
  assert.ok(gate.isBanned("192.0.2.1"));
  assert.ok(!gate.isBanned("192.0.2.2"));
  memory.record(Array.from({ length: 1_500 }, (_, i) => ban(`10.0.${i >> 8}.${i & 255}`)));
  const { gate: newborn } = gateOf(t, { memoryFile });
  newborn.open([]);
  assert.ok(newborn.isBanned("10.0.5.219"));
  assert.ok(!newborn.isBanned("192.0.2.2"));
  assert.equal(newborn.size, 1_501);
});

test("a ban that comes round again after it was lifted stays lifted, a new one holds", (t) => {
  const { gate } = gateOf(t);
  gate.take([ban("192.0.2.1"), ban("192.0.2.1", { action: "lifted", issuedAtMs: wallMs + 5 })]);
  gate.take([ban("192.0.2.1")]);
  assert.ok(!gate.isBanned("192.0.2.1"));
  gate.take([ban("192.0.2.1", { issuedAtMs: wallMs + 6, offence: 2 })]);
  assert.ok(gate.isBanned("192.0.2.1"));
});

test("what the DNA does not allow is told and not carried out", (t) => {
  const { gate, told } = gateOf(t);
  gate.take([ban("127.0.0.1"), ban("10.0.0.0/8")]);
  assert.deepEqual(told.unlawful, ["127.0.0.1", "10.0.0.0/8"]);
  assert.deepEqual(gate.judge(from("10.1.2.3")), { action: "pass" });
});

test("requests of a banned client are refused, those of a limited one when there are too many", (t) => {
  const { gate } = gateOf(t);
  gate.take([
    ban("192.0.2.0/24"),
    ban("198.51.100.1", { action: "rate-limit" }),
    ban("198.51.100.2", { action: "watch" }),
  ]);
  const judge = (client: string) => {
    const verdict = gate.judge(from(client));
    return verdict.action === "refuse" ? verdict.code : verdict.action;
  };
  assert.equal(judge("192.0.2.200"), "CELLWS_HTTP_BANNED");
  const limited = Array.from({ length: 6 }, () => judge("198.51.100.1"));
  assert.deepEqual(limited.slice(0, 4), Array(4).fill("pass"));
  assert.equal(limited[5], "CELLWS_HTTP_RATE_LIMITED");
  assert.equal(judge("198.51.100.2"), "pass");
  assert.equal(judge("203.0.113.1"), "pass");
});

test("a client in the tarpit is answered later, and one that leaves meanwhile costs nothing", async (t) => {
  const { gate } = gateOf(t, { policy: defaultBanPolicy, tarpitMs: 1_000 });
  gate.take([ban("203.0.113.9", { action: "tarpit" })]);
  const convey = gate.delaying((_request, client, carry) => carry(client));
  const { addDrone, connect, ingress } = await rig(t, { trustedProxies: ["127.0.0.0/8"], convey });
  const drone = await addDrone(answer("late"));
  const get = "GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 203.0.113.9\r\n\r\n";
  const [one, other] = [await connect(), await connect()];
  one.send(get);
  other.send(get);
  await until(() => gate.counters.delayed === 2);
  assert.equal(drone.exchanges.length, 0);
  other.socket.resetAndDestroy();
  await until(() => ingress.connectionCount === 1);
  await one.until(/late/);
  assert.equal(drone.exchanges.length, 1);
});

test("the tarpit holds no more than so many", async (t) => {
  const { gate } = gateOf(t, { tarpitMs: 60_000 });
  gate.take([ban("203.0.113.9", { action: "tarpit" })]);
  const failed: string[] = [];
  const inner = { start: () => undefined } as never;
  const client = { fail: (code: string) => failed.push(code) } as never;
  const convey = gate.delaying(() => inner);
  for (let i = 0; i < gateLimits.tarpitMax + 2; i += 1)
    convey(from("203.0.113.9"), client, undefined as never, undefined as never).start();
  assert.deepEqual(failed, ["CELLWS_HTTP_RATE_LIMITED", "CELLWS_HTTP_RATE_LIMITED"]);
});

test("a banned client's connection is reset at accept, with nothing of it read and nothing said", async (t) => {
  const { gate } = gateOf(t);
  gate.take([ban("203.0.113.9")]);
  const accepted: net.Socket[] = [];
  let admitted = 0;
  const server = net.createServer((socket) => {
    accepted.push(socket);
    // As if the connection had come from there: loopback is never banned.
    Object.defineProperty(socket, "remoteAddress", { value: accepted.length === 1 ? "203.0.113.9" : "203.0.113.8" });
    gate.admit(socket, () => (admitted += 1));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    server.close();
    for (const socket of accepted) socket.destroy();
  });
  const open = (): { socket: net.Socket; error: () => string | undefined } => {
    const socket = net.connect((server.address() as net.AddressInfo).port, "127.0.0.1");
    t.after(() => socket.destroy());
    let error: string | undefined;
    socket.on("error", ({ code }: NodeJS.ErrnoException) => (error = code));
    socket.write("GET / HTTP/1.1\r\n");
    socket.resume();
    return { socket, error: () => error };
  };
  const banned = open();
  await until(() => banned.error() !== undefined);
  assert.equal(banned.error(), "ECONNRESET");
  assert.deepEqual([banned.socket.bytesRead, accepted[0]?.bytesRead, admitted], [0, 0, 0]);
  open();
  await until(() => admitted === 1);
  assert.equal(gate.counters.refused, 1);
});

test("over a proxy's HTTP/2 connection a banned client's requests are refused one by one, and others' are answered", async (t) => {
  const { gate } = gateOf(t);
  const { port, addDrone, ingress } = await rig(t, { trustedProxies: ["127.0.0.0/8"], judge: gate.judge }, {}, "h2");
  await addDrone(answer("hello"));
  const session = http2.connect(`http://127.0.0.1:${port}`);
  t.after(() => session.destroy());
  session.on("error", () => {});
  const ask = async (client: string): Promise<unknown> => {
    const stream = session.request({ ":path": "/", "x-forwarded-for": client });
    stream.resume();
    const [headers] = (await once(stream, "response")) as [http2.IncomingHttpHeaders];
    return headers[":status"];
  };
  assert.equal(await ask("203.0.113.9"), 200);
  gate.take([ban("203.0.113.0/24")]);
  assert.equal(
    ingress.cutWhere((address) => gate.isBanned(address)),
    0,
    "it is the proxy's",
  );
  assert.deepEqual(await Promise.all(["203.0.113.9", "192.0.2.1", "203.0.113.8"].map(ask)), [403, 200, 403]);
  assert.equal(session.closed, false);
});

test("a banned client's tunnel through a proxy is cut, and no other connection of the proxy's", async (t) => {
  const { gate } = gateOf(t);
  const { addDrone, connect, ingress } = await rig(t, { trustedProxies: ["127.0.0.0/8"], judge: gate.judge });
  await addDrone((exchange) => {
    exchange.listen(new ListenerRecorder());
    if (exchange.request.upgrade) exchange.tunnel();
    exchange.write(Buffer.from("HTTP/1.1 101 Switching Protocols\r\n\r\n"));
  });
  const tunnelOf = async (client: string) => {
    const opened = await connect();
    opened.send(`GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: x\r\nX-Forwarded-For: ${client}\r\n\r\n`);
    await opened.until(/101/);
    return opened;
  };
  const [his, another] = [await tunnelOf("203.0.113.9"), await tunnelOf("203.0.113.8")];
  const idle = await connect();
  await until(() => ingress.connectionCount === 3);
  gate.take([ban("203.0.113.9")]);
  assert.equal(
    ingress.cutWhere((address) => gate.isBanned(address)),
    1,
  );
  await his.toEnd();
  assert.deepEqual([another.state, idle.state, ingress.connectionCount], ["open", "open", 2]);
});
