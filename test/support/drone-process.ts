/**
 * A drone as a process of its own, for tests that kill it: connects to the socket in argv[2], notes every POST that it is
 * given in the file argv[3] before it does anything else, and answers each request with its target.
 */
import { appendFileSync } from "node:fs";
import net from "node:net";
import type { Exchange } from "../../src/app/exchange.ts";
import { AxonServer } from "../../src/host/axon-link.ts";

const [, , socketPath = "", notesPath = ""] = process.argv;
const socket = net.connect(socketPath);
socket.on("close", () => process.exit());

function exchange(exchange: Exchange): void {
  const { method, target, hasBody } = exchange.request;
  if (method === "POST") appendFileSync(notesPath, `${target}\n`);
  const finish = (): void => {
    exchange.respond({ status: 200, reason: "OK", headers: ["Content-Length", String(target.length)] });
    exchange.write(Buffer.from(target));
    exchange.finish([]);
  };
  exchange.listen({
    body: (chunk) => exchange.consumed(chunk.length),
    end: () => setTimeout(finish, 1),
    cancel: () => {},
    writable: () => {},
  });
  if (!hasBody) setTimeout(finish, 1);
}

new AxonServer(socket, { exchange }).sendStatus({ load: 0, inFlight: 0, draining: false, app: { state: "ready" } });
