/**
 * Asks a drone as a B cell does: over an axon of its own, which is opened for one question and closed again, so that any cell can
 * ask and have evidence of its own. To the app it is a client of this machine.
 */
import type { CellId } from "../../core/cell.ts";
import type { ResponseHead } from "../../http/message.ts";
import { AxonClient } from "../axon-link.ts";
import type { OpenAxon } from "../body.ts";
import type { CanaryAnswer, CanaryRequest } from "./canary.ts";
import { canaryAnswer } from "./canary.ts";

export interface AskerOptions {
  readonly openAxon: (drone: CellId) => Promise<OpenAxon>;
  /** The `host` field of the requests. */
  readonly host: string;
  readonly makeId: () => string;
}

/** With handshake and answer. A page that takes longer is none for this. */
const answerMsMax = 2_000;
const bodyBytesMax = 1024 * 1024;

/** Null: no answer that could be compared, for whatever reason. */
export async function askDrone(
  { openAxon, host, makeId }: AskerOptions,
  drone: CellId,
  request: CanaryRequest,
): Promise<CanaryAnswer> {
  const { promise, resolve } = Promise.withResolvers<CanaryAnswer>();
  const timer = setTimeout(() => resolve(null), answerMsMax);
  let client: AxonClient | null = null;
  try {
    const { socket, rest } = await openAxon(drone);
    let head: ResponseHead | null = null;
    const chunks: Buffer[] = [];
    let bytes = 0;
    const give = (): void => {
      client?.request(
        {
          method: "GET",
          target: request.path,
          versionMinor: 1,
          headers: ["Host", host, "Accept", "*/*"],
          remoteAddress: "127.0.0.1",
          remotePort: 0,
          localAddress: "127.0.0.1",
          localPort: 0,
          encrypted: false,
          listener: 0,
          requestId: makeId(),
          hasBody: false,
          upgrade: false,
        },
        {
          begun: () => undefined,
          inform: () => undefined,
          respond: (told) => void (head = told),
          body: (chunk) => {
            bytes += chunk.length;
            if (bytes > bodyBytesMax) resolve(null);
            chunks.push(chunk);
          },
          end: () => resolve(head === null ? null : canaryAnswer(request, { ...head, body: Buffer.concat(chunks) })),
          tunnel: () => resolve(null),
          writable: () => undefined,
          reset: () => resolve(null),
          lost: () => resolve(null),
        },
      );
    };
    let isGiven = false;
    client = new AxonClient(
      socket,
      {
        // The drone's first word is how its app does.
        status: ({ app, draining }) => {
          if (isGiven) return;
          isGiven = true;
          if (app.state === "ready" && !draining) give();
          else resolve(null);
        },
        closed: () => resolve(null),
      },
      { leftover: rest },
    );
    // The handshake has left it paused.
    socket.resume();
    return await promise;
  } catch {
    // It is away, or refuses us: that is for others to find out.
    return null;
  } finally {
    clearTimeout(timer);
    client?.close("asked and answered");
  }
}
