// Bans carried out on the connections themselves: over plain TCP and TLS, HTTP/1.1 and HTTP/2, idle, busy, upgraded and in the
// middle of a handshake. In a network of its own, for loopback is never banned (network.ts).
import assert from "node:assert/strict";
import http2 from "node:http2";
import net from "node:net";
import { once } from "node:events";
import { test } from "node:test";
import tls from "node:tls";
import { certificateFolder, makeCertificate, opensslMissing } from "../support/certificates.ts";
import { type Address, RawConnection, request } from "./client.ts";
import { networkMissing, startInNetwork } from "./network.ts";
import { ofClass, type Organism } from "./organism.ts";
import { within } from "./wait.ts";

const missing = networkMissing();

/** "/stream" goes on and on; an upgrade becomes a tunnel that echoes. */
const app = `
import http from "node:http";
const server = http.createServer((request, response) => {
  if (request.url === "/stream") {
    const timer = setInterval(() => response.write("on."), 50);
    response.on("close", () => clearInterval(timer));
    return;
  }
  response.statusCode = request.url === "/" ? 200 : 404;
  response.end("served");
});
server.on("upgrade", (_request, socket) => {
  socket.write("HTTP/1.1 101 Switching Protocols\\r\\nConnection: Upgrade\\r\\nUpgrade: echo\\r\\n\\r\\n");
  socket.on("data", (chunk) => socket.write(chunk));
  socket.on("end", () => socket.end());
  socket.on("error", () => undefined);
});
server.listen(3000);
`;
const cells = { bCell: { min: 2, max: 2 }, drone: { min: 1, max: 1 }, tCell: { min: 0, max: 2 } };
/** More than there are B cells by far, each on a connection of its own: each cell takes some. */
const tries = 12;

test(
  "who attacks is reset at accept before a byte of his is read, and what he has open is cut",
  { skip: missing },
  async (t) => {
    const { network, organism } = await startInNetwork(t, ({ host }) => ({
      app: "app.mjs",
      files: { "app.mjs": app },
      dna: { cells, immune: { mode: "block" } },
      args: ["--host", host],
    }));
    const [attacker, neighbour] = network.clients;
    const his = { ...organism.at(), localAddress: attacker };
    assert.equal((await request(his)).status, 200);
    const idle = await RawConnection.open(his);
    idle.write("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    await idle.until("an answer", (text) => text.endsWith("served"));
    for (let i = 0; i < 40; i += 1) await request(his, { path: `/hole-${i}` }).catch(() => undefined);
    await idle.ended();
    await refusedUnread(organism, his);
    assert.equal((await request({ ...his, localAddress: neighbour })).status, 200);
    const { stdout } = await organism.cli("bans", "--json");
    const { bans } = JSON.parse(stdout) as { bans: Array<{ range: string }> };
    assert.deepEqual(
      bans.map(({ range }) => range),
      [attacker],
    );
  },
);

test(
  "a ban cuts all that its address has open, over TLS and HTTP/2 and upgraded too, and no handshake of his is answered",
  { skip: missing || opensslMissing() },
  async (t) => {
    // Before anything else: answers that never end would hold up the end of the organism.
    const closings: Array<() => void> = [];
    t.after(() => closings.forEach((close) => close()));
    const scope = { after: (close: () => void) => void closings.push(close) };
    const certificate = makeCertificate(certificateFolder(t));
    const { network, organism } = await startInNetwork(t, ({ host }) => ({
      app: "app.mjs",
      files: { "app.mjs": app },
      listenInDna: true,
      dna: {
        listen: [
          { port: 0, host },
          { port: 0, host, tls: certificate },
        ],
        cells,
        immune: { mode: "block" },
      },
    }));
    const [banned, neighbour] = network.clients;
    const [plain, secure] = [organism.at(0), organism.at(1)];
    await request({ ...plain, localAddress: neighbour });
    await organism.grown({ "b-cell": 2 });
    const open = (from: string): Promise<Held[]> => holdAll(scope, { plain, secure, from });
    const [his, others] = [await open(banned), await open(neighbour)];

    assert.equal((await organism.cli("bans", "add", banned)).code, 0);
    for (const { what, over } of his) await within(`${what} to be cut`, over);
    await refusedUnread(organism, { ...plain, localAddress: banned });
    await unshaken(organism, { ...secure, localAddress: banned });
    for (const { what, lives } of others) assert.ok(await lives(), `the neighbour's ${what} was cut`);

    // Cells that are born later know of it before they listen.
    for (const cell of ofClass(await organism.ps(), "b-cell")) organism.kill(cell);
    for (const { what, over } of others) await within(`${what} to end with its cell`, over);
    await organism.grown({ "b-cell": 2 });
    assert.equal((await request({ ...plain, localAddress: neighbour })).status, 200);
    await refusedUnread(organism, { ...plain, localAddress: banned });
    await unshaken(organism, { ...secure, localAddress: banned });

    assert.equal((await organism.cli("bans", "remove", banned)).code, 0);
    await organism.until("him to be served again", async () => {
      for (const { lives } of await open(banned)) if (!(await lives())) return false;
      return true;
    });
  },
);

interface Closing {
  readonly after: (close: () => void) => void;
}

/** A connection that is kept open. */
interface Held {
  readonly what: string;
  /** Resolves when it has ended. */
  readonly over: Promise<unknown>;
  /** Whether it still does what it is there for. */
  readonly lives: () => Promise<boolean>;
}

/** One of each kind. Rejects where one cannot be opened. */
async function holdAll(
  scope: Closing,
  { plain, secure, from }: { plain: Address; secure: Address; from: string },
): Promise<Held[]> {
  const overTcp = async (): Promise<RawConnection> => {
    const connection = await RawConnection.open({ ...plain, localAddress: from });
    scope.after(() => connection.close());
    return connection;
  };
  const overTls = async (): Promise<RawConnection> => {
    const options = { ...secure, localAddress: from, rejectUnauthorized: false };
    const socket = tls.connect(options);
    scope.after(() => socket.destroy());
    await within("a handshake", once(socket, "secureConnect"));
    return new RawConnection(socket);
  };
  const held: Held[] = [];
  for (const [name, connect] of [
    ["plain", overTcp],
    ["TLS", overTls],
  ] as const) {
    held.push(await idle(`${name} connection that is idle`, await connect()));
    held.push(await busy(`${name} connection with an answer under way`, await connect()));
    held.push(await upgraded(`${name} tunnel`, await connect()));
  }
  held.push(await session(scope, "HTTP/2 connection that is idle", { ...secure, localAddress: from }, "/"));
  held.push(
    await session(scope, "HTTP/2 connection with an answer under way", { ...secure, localAddress: from }, "/stream"),
  );
  const silent = await RawConnection.open({ ...secure, localAddress: from });
  scope.after(() => silent.close());
  held.push({ what: "handshake", over: ended(silent), lives: () => Promise.resolve(silent.ending === null) });
  return held;
}

async function idle(what: string, connection: RawConnection): Promise<Held> {
  const ask = async (): Promise<boolean> => {
    connection.received = "";
    connection.write("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    return (await connection.until("an answer", (text) => text.endsWith("served"))).startsWith("HTTP/1.1 200");
  };
  await ask();
  return { what, over: ended(connection), lives: ask };
}

async function busy(what: string, connection: RawConnection): Promise<Held> {
  connection.write("GET /stream HTTP/1.1\r\nHost: a\r\n\r\n");
  const lives = async (): Promise<boolean> => {
    connection.received = "";
    return (await connection.until("more of an answer", (text) => text.includes("on."))) !== "";
  };
  await lives();
  return { what, over: ended(connection), lives };
}

async function upgraded(what: string, connection: RawConnection): Promise<Held> {
  connection.write("GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n");
  await connection.until("101", (text) => text.includes("\r\n\r\n"));
  const lives = async (): Promise<boolean> => {
    connection.write("ping");
    return (await connection.until("its echo", (text) => text.endsWith("ping"))) !== "";
  };
  await lives();
  return { what, over: ended(connection), lives };
}

async function session(scope: Closing, what: string, at: Address, path: string): Promise<Held> {
  const opened = http2.connect(`https://${at.host}:${at.port}`, {
    rejectUnauthorized: false,
    ...(at.localAddress === undefined ? {} : { localAddress: at.localAddress }),
  });
  scope.after(() => opened.destroy());
  opened.on("error", () => undefined);
  const over = new Promise((resolve) => opened.once("close", resolve));
  const ask = async (wanted: string): Promise<boolean> => {
    const stream = opened.request({ ":path": wanted });
    stream.on("error", () => undefined);
    stream.resume();
    const [headers] = (await within("an answer over HTTP/2", once(stream, "response"))) as [
      http2.IncomingHttpStatusHeader,
    ];
    return headers[":status"] === 200;
  };
  await ask(path);
  return { what, over, lives: () => ask("/") };
}

const ended = (connection: RawConnection): Promise<string> => connection.ended();

/** Until every connection from there is reset, and nothing was said to any. */
async function refusedUnread(organism: Organism, at: Address): Promise<void> {
  await organism.until("connections to be reset without a word", async () => {
    const told = await Promise.all(Array.from({ length: tries }, () => knock(at, "GET / HTTP/1.1\r\nHost: a\r\n\r\n")));
    assert.deepEqual([...new Set(told)], ["ECONNRESET, 0 bytes"]);
    return true;
  });
}

/** The same of handshakes: no ServerHello, no alert. */
async function unshaken(organism: Organism, at: Address): Promise<void> {
  const hello = await clientHello();
  await organism.until("handshakes to be reset without a word", async () => {
    const told = await Promise.all(Array.from({ length: tries }, () => knock(at, hello)));
    assert.deepEqual([...new Set(told)], ["ECONNRESET, 0 bytes"]);
    return true;
  });
}

function knock(at: Address, bytes: string | Buffer): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  const socket = net.connect(at);
  let error = "closed";
  socket.on("error", ({ code }: NodeJS.ErrnoException) => (error = String(code)));
  // Whoever is served is answered, or spoken to in the handshake.
  socket.on("data", () => socket.destroy());
  socket.on("close", () => resolve(`${error}, ${socket.bytesRead} bytes`));
  socket.write(bytes);
  return within("the end of a connection", promise);
}

/** What a TLS client says first. */
async function clientHello(): Promise<Buffer> {
  const server = net.createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const client = tls.connect({ port: (server.address() as net.AddressInfo).port, host: "127.0.0.1" });
  client.on("error", () => undefined);
  const [socket] = (await once(server, "connection")) as [net.Socket];
  const [hello] = (await once(socket, "data")) as [Buffer];
  client.destroy();
  server.close();
  return hello;
}
