/**
 * The egg: dormant. It listens, loads no app and has no timer; what it accepts it holds unread, for whoever reads a byte
 * cannot pass the connection on. The first connection wakes the organism. What comes after that waits in the kernel's
 * queue, because the egg closes its own descriptor of the socket and the socket lives on in the others.
 *
 * An egg that is laid by an organism which is falling asleep listens only once no B cell does: what a B cell would answer at
 * once must not wake it up.
 */
import net from "node:net";
import type { Body, BodyContext, OrganismView } from "../../host/body.ts";
import { listenBacklog } from "../../host/listeners.ts";

export async function makeEgg(context: BodyContext): Promise<Body> {
  const egg = new Egg(context);
  if (!isAttended(context.view())) await egg.listen();
  return egg;
}

class Egg implements Body {
  readonly #context: BodyContext;
  #servers: net.Server[] | null = null;
  #isReleased = false;

  constructor(context: BodyContext) {
    this.#context = context;
    context.onHandedConnection((connection) => {
      context.hold(connection);
      context.dispatch({ type: "first-connection" });
    });
  }

  async listen(): Promise<void> {
    this.#servers = [];
    // One after the other, so that a release in between leaves none open.
    for (const listener of this.#context.listeners.keys()) {
      const server = await this.#listenOn(listener);
      this.#servers.push(server);
      if (this.#isReleased) server.close();
    }
  }

  inform(view: OrganismView): void {
    if (this.#servers !== null || this.#isReleased || isAttended(view)) return;
    this.listen().catch((error: unknown) => {
      const reason = error instanceof Error ? error.message : String(error);
      this.#context.dispatch({ type: "body-failed", class: "egg", reason });
    });
  }

  inFlight(): number {
    return 0;
  }

  async drain(): Promise<void> {
    this.release();
  }

  release(): void {
    this.#isReleased = true;
    for (const server of this.#servers ?? []) server.close();
  }

  #listenOn(listener: number): Promise<net.Server> {
    const { hold, dispatch, listeners } = this.#context;
    return new Promise((resolve, reject) => {
      const server = net.createServer({ pauseOnConnect: true }, (socket) => {
        hold({ socket, listener });
        dispatch({ type: "first-connection" });
      });
      server.once("error", reject);
      server.listen({ fd: listeners[listener]?.workFd, backlog: listenBacklog }, () => resolve(server));
    });
  }
}

/** Whether a B cell listens, or is about to. One that leaves has closed. */
function isAttended({ alive }: OrganismView): boolean {
  return [...alive.values()].some((cell) => cell.class === "b-cell" && cell.state !== "draining");
}
