/**
 * The egg: dormant. It listens, loads no app and has no timer; what it accepts it holds unread, for whoever reads a byte
 * cannot pass the connection on. The first connection wakes the organism. What comes after that waits in the kernel's
 * queue, because the egg closes its own descriptor of the socket and the socket lives on in the others.
 */
import net from "node:net";
import type { Body, BodyContext } from "../../host/body.ts";
import { listenBacklog } from "../../host/listeners.ts";

export async function makeEgg(context: BodyContext): Promise<Body> {
  const servers = await Promise.all(context.listeners.map((_, listener) => listen(context, listener)));
  const close = (): void => {
    for (const server of servers) server.close();
  };
  context.onHandedConnection((connection) => {
    context.hold(connection);
    context.dispatch({ type: "first-connection" });
  });
  return {
    inFlight: () => 0,
    drain: async () => close(),
    release: close,
  };
}

function listen(context: BodyContext, listener: number): Promise<net.Server> {
  return new Promise((resolve, reject) => {
    const server = net.createServer({ pauseOnConnect: true }, (socket) => {
      context.hold({ socket, listener });
      context.dispatch({ type: "first-connection" });
    });
    server.once("error", reject);
    server.listen({ fd: context.listeners[listener]?.workFd, backlog: listenBacklog }, () => resolve(server));
  });
}
