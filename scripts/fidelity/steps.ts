/**
 * What a client does to an app, and what it sees: a transcript that can be compared. The same steps run against plain Node
 * and against an organism.
 *
 * Left out of a transcript is what no two servers agree on and no client should mind: dates, request ids, and how the
 * connection and the message are framed.
 */
import { once } from "node:events";
import http from "node:http";
import net from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

export interface At {
  host: string;
  port: number;
}

/** JSON of what was seen. */
export type Step = { name: string; run: (at: At) => Promise<unknown> };

export interface Asked {
  method?: string;
  headers?: http.OutgoingHttpHeaders;
  body?: string | Buffer;
}

const stepMsMax = 20_000;

/** One request, with its status, fields and body. */
export function ask(path: string, asked: Asked = {}): Step {
  return { name: `${asked.method ?? "GET"} ${path}`, run: (at) => exchange(at, path, asked) };
}

/** Requests one after the other, with the cookies that the answers set. */
export function visit(...paths: string[]): Step {
  return {
    name: `visit ${paths.join(" ")}`,
    async run(at) {
      const jar = new Map<string, string>();
      const seen: unknown[] = [];
      for (const path of paths) {
        const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join("; ");
        const answer = await exchange(at, path, cookie === "" ? {} : { headers: { cookie } });
        for (const line of answer.rawCookies()) {
          const [pair = ""] = line.split(";");
          jar.set(pair.slice(0, pair.indexOf("=")), pair.slice(pair.indexOf("=") + 1));
        }
        // A session's id is another each time.
        seen.push({ status: answer.status, body: answer.body, cookies: answer.cookies.length });
      }
      return seen;
    },
  };
}

/** Whether the first piece of an answer comes before the last is written, which the app does half a second later. */
export function streamed(path: string): Step {
  return {
    name: `stream ${path}`,
    async run(at) {
      const request = http.get({ ...at, path, agent: false });
      const [response] = (await limited(once(request, "response"))) as [http.IncomingMessage];
      const startedAt = performance.now();
      let firstAt = 0;
      let body = "";
      response.on("data", (chunk: Buffer) => {
        firstAt ||= performance.now() - startedAt;
        body += chunk.toString("latin1");
      });
      await limited(once(response, "end"));
      return { status: response.statusCode, body: plainBody(body), firstCameEarly: firstAt < 300 };
    },
  };
}

/** A client that goes away in the middle; `told` is where the app says what it noticed. */
export function aborted(path: string, told: string): Step {
  return {
    name: `abort ${path}`,
    async run(at) {
      const request = http.get({ ...at, path, agent: false });
      request.on("error", () => {});
      const [response] = (await limited(once(request, "response"))) as [http.IncomingMessage];
      response.on("error", () => {});
      await limited(once(response, "data"));
      request.destroy();
      for (let turn = 0; turn < 100; turn += 1) {
        const { body } = await exchange(at, told, {});
        if (!/"aborts":0/.test(body)) return body;
        await sleep(50);
      }
      return "never noticed";
    },
  };
}

/** A WebSocket that says something and is answered. */
export function webSocket(path: string, ...messages: string[]): Step {
  return {
    name: `websocket ${path}`,
    async run({ host, port }) {
      const socket = new WebSocket(`ws://${host}:${port}${path}`);
      const got: unknown[] = [];
      const opened = new Promise((resolve, reject) => {
        socket.addEventListener("open", resolve);
        socket.addEventListener("error", () => reject(new Error("the WebSocket failed")));
      });
      await limited(opened);
      for (const message of messages) {
        const answered = new Promise((resolve) =>
          socket.addEventListener("message", (event) => resolve(event.data), { once: true }),
        );
        socket.send(message);
        got.push(await limited(answered));
      }
      const closed = new Promise((resolve) => socket.addEventListener("close", (event) => resolve(event.code)));
      socket.close(1000);
      return { got, closed: await limited(closed) };
    },
  };
}

/** A form with fields and a file of `bytes`. */
export function upload(path: string, bytes: number): Step {
  const boundary = "fidelity-boundary";
  const head = `--${boundary}\r\nContent-Disposition: form-data; name="title"\r\n\r\nhello\r\n--${boundary}\r\nContent-Disposition: form-data; name="file"; filename="a.bin"\r\nContent-Type: application/octet-stream\r\n\r\n`;
  const body = Buffer.concat([Buffer.from(head), Buffer.alloc(bytes, "x"), Buffer.from(`\r\n--${boundary}--\r\n`)]);
  const step = ask(path, {
    method: "POST",
    headers: { "content-type": `multipart/form-data; boundary=${boundary}` },
    body,
  });
  return { ...step, name: `upload ${bytes} bytes to ${path}` };
}

/** 103 before the answer, and 100 before the body. */
export function informed(path: string): Step {
  return {
    name: `informational ${path}`,
    async run(at) {
      const request = http.request({
        ...at,
        path,
        method: "POST",
        headers: { expect: "100-continue", "content-length": 2 },
        agent: false,
      });
      const informations: unknown[] = [];
      request.on("information", ({ statusCode, headers }) => {
        informations.push({ statusCode, link: headers["link"] ?? null });
      });
      request.flushHeaders();
      await limited(once(request, "continue"));
      request.end("ok");
      const [response] = (await limited(once(request, "response"))) as [http.IncomingMessage];
      let body = "";
      for await (const chunk of response) body += String(chunk);
      return { status: response.statusCode, informations, body: plainBody(body) };
    },
  };
}

export interface Seen {
  status: number | undefined;
  headers: Record<string, string>;
  cookies: string[];
  body: string;
  /** As they were, for sending them back; no part of a transcript. */
  rawCookies: () => string[];
}

export async function exchange(at: At, path: string, { method = "GET", headers = {}, body }: Asked): Promise<Seen> {
  const request = http.request({ ...at, path, method, headers, agent: false });
  request.end(body);
  const [response] = (await limited(once(request, "response"))) as [http.IncomingMessage];
  const chunks: Buffer[] = [];
  response.on("data", (chunk: Buffer) => chunks.push(chunk));
  await limited(once(response, "end"));
  const whole = Buffer.concat(chunks).toString("latin1");
  return {
    status: response.statusCode,
    headers: plainHeaders(response.headers),
    // A session's id is another each time.
    cookies: (response.headers["set-cookie"] ?? []).map((line) => line.replace(/^(connect\.sid)=[^;]*/, "$1=...")),
    body: plainBody(whole),
    rawCookies: () => response.headers["set-cookie"] ?? [],
  };
}

const framing = new Set([
  "date",
  "connection",
  "keep-alive",
  "transfer-encoding",
  "x-request-id",
  "set-cookie",
  "etag",
]);

function plainHeaders(headers: http.IncomingHttpHeaders): Record<string, string> {
  const kept = Object.entries(headers).filter(([name]) => !framing.has(name));
  return Object.fromEntries(kept.map(([name, value]) => [name, String(value)]));
}

/** Ports differ, and so do the ids and hashes of builds and answers. */
function plainBody(body: string): string {
  const text = body.replaceAll(/(127\.0\.0\.1|localhost):\d+/g, "HOST");
  return text.length <= 2_000 ? text : `${text.slice(0, 1_000)}... ${text.length} characters`;
}

async function limited<T>(promise: Promise<T>): Promise<T> {
  const late = sleep(stepMsMax, undefined, { ref: false }).then(() => {
    throw new Error(`nothing for ${stepMsMax} ms`);
  });
  return Promise.race([promise, late]);
}

export async function accepts(at: At): Promise<boolean> {
  const socket = net.connect(at);
  try {
    await once(socket, "connect");
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
