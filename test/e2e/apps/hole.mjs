// An app with holes that real apps have had: a command line made of a parameter, a path that is taken as it comes, an address
// to fetch from a stranger. And what comes in through them: a shell, a program that mines. For the tests of the membrane.
import { exec, spawn } from "node:child_process";
import { readFile, open } from "node:fs/promises";
import http from "node:http";
import net from "node:net";
import { Worker } from "node:worker_threads";

const kept = [];

const holes = {
  "/pid": () => String(process.pid),
  // The classic: `?host=;sleep 30`.
  "/ping": ({ host }) => run(`echo pinging ${host}`),
  "/leave-running": ({ command }) => {
    kept.push(spawn("sh", ["-c", command], { stdio: "ignore" }));
    return "started";
  },
  "/file": async ({ path }) => (await readFile(path, "utf8")).slice(0, 100),
  "/hold": async ({ path, flags }) => {
    kept.push(await open(path, flags));
    return "held";
  },
  "/fetch": async ({ host, port }) => {
    const socket = net.connect({ host, port: Number(port) });
    kept.push(socket);
    await new Promise((resolve, reject) => socket.once("connect", resolve).once("error", reject));
    return "connected";
  },
  // A shell that obeys whoever listens there, as attackers write it.
  "/reverse-shell": async ({ port }) => {
    const socket = net.connect({ host: "127.0.0.1", port: Number(port) });
    await new Promise((resolve, reject) => socket.once("connect", resolve).once("error", reject));
    kept.push(spawn("sh", [], { stdio: [socket, socket, "ignore"] }));
    return "yours";
  },
  "/listen": async () => {
    const server = net.createServer();
    kept.push(server);
    await new Promise((resolve, reject) => server.listen(0, "127.0.0.1", resolve).once("error", reject));
    return "listening";
  },
  "/mine": ({ threads }) => {
    for (let i = 0; i < Number(threads); i += 1) kept.push(new Worker("for (;;);", { eval: true }));
    return "mining";
  },
  "/signal": ({ pid }) => {
    try {
      process.kill(Number(pid), 0);
      return "signalled";
    } catch (error) {
      return error.code;
    }
  },
  "/become": ({ program }) => process.execve(program, [program, "60"], {}),
};

http
  .createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url, "http://localhost");
    const hole = holes[pathname] ?? (() => "hello");
    Promise.resolve()
      .then(() => hole(Object.fromEntries(searchParams)))
      .then((text) => response.end(text))
      .catch((error) => response.writeHead(500).end(String(error.code ?? error.message)));
  })
  .listen(Number(process.env.PORT ?? 3000));

function run(command) {
  return new Promise((resolve, reject) => {
    exec(command, (error, stdout) => (error === null ? resolve(stdout) : reject(error)));
  });
}
