/**
 * The same handler under plain Node and under hosting: the client sees the same, and so does the handler.
 * What is known to differ has a test of its own in conversation.test.ts and a line in docs/COMPATIBILITY.md.
 */
import assert from "node:assert/strict";
import { once } from "node:events";
import * as http from "node:http";
import { finished, pipeline, Readable } from "node:stream";
import { test } from "node:test";
import { type Client, type Log, observeHosted, observePlain, type Scene } from "./differential.ts";

const KIB = 1024;

function watchAll(req: http.IncomingMessage, res: http.ServerResponse, log: Log): void {
  log.watch("req", req, "end", "aborted", "error", "close");
  log.watch("res", res, "prefinish", "finish", "error", "close");
}

function codeOf(act: () => unknown): string {
  try {
    act();
    return "nothing was thrown";
  } catch (error) {
    return String(Reflect.get(error as Error, "code"));
  }
}

function waitMs(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

const upload = (...chunks: Array<string | Buffer>): Pick<Scene, "method" | "headers" | "hasBody" | "client"> => ({
  method: "POST",
  headers: ["Content-Length", String(chunks.reduce((sum, chunk) => sum + Buffer.byteLength(chunk), 0))],
  hasBody: true,
  client: async (client: Client) => {
    for (const chunk of chunks) {
      client.write(chunk);
      await waitMs(5);
    }
    client.end();
  },
});

const scenes: Record<string, Scene> = {
  "a string ends the response": { handler: (_req, res) => res.end("hello") },
  "bytes end the response": { handler: (_req, res) => res.end(Buffer.from([0, 255, 10, 13])) },
  "a Uint8Array ends the response": { handler: (_req, res) => res.end(new Uint8Array([1, 2, 3])) },
  "nothing ends the response": { handler: (_req, res) => res.end() },
  "an encoded string ends the response": { handler: (_req, res) => res.end("68656c6c6f", "hex") },
  "latin1 text is written in its own encoding": {
    handler: (_req, res) => {
      res.write("é", "latin1");
      res.end("é", "utf8");
    },
  },
  "pieces make a body of unknown length": {
    handler: (_req, res) => {
      res.write("one ");
      res.write(Buffer.from("two "));
      res.end("three");
    },
  },
  "writeHead with an object": {
    handler: (_req, res) => res.writeHead(201, { "X-A": "1", "Set-Cookie": ["a=1", "b=2"], "X-N": 5 }).end("made"),
  },
  "writeHead with a reason and a flat list, duplicates kept": {
    handler: (_req, res) => res.writeHead(200, "Fine", ["X-A", "1", "X-A", "2", "x-b", "3"]).end("ok"),
  },
  "writeHead with pairs": {
    handler: (_req, res) => {
      const headers = [
        ["X-A", "1"],
        ["X-A", "2"],
      ];
      res.writeHead(200, headers as never).end("ok");
    },
  },
  "writeHead goes over setHeader": {
    handler: (_req, res) => {
      res.setHeader("X-A", "old");
      res.setHeader("X-B", "kept");
      res.writeHead(200, { "x-a": "new" }).end("ok");
    },
  },
  "writeHead with a list goes over setHeader": {
    handler: (_req, res) => {
      res.setHeader("X-A", "old");
      res.writeHead(200, ["X-A", "1", "X-A", "2"]).end("ok");
    },
  },
  "setHeaders with a Map and with Headers": {
    handler: (_req, res) => {
      res.setHeaders(new Map([["X-A", "1"]]));
      const more = new Headers({ "x-b": "2" });
      more.append("set-cookie", "a=1");
      more.append("set-cookie", "b=2");
      res.setHeaders(more);
      res.end("ok");
    },
  },
  "appendHeader and removeHeader": {
    handler: (_req, res, log) => {
      res.appendHeader("X-A", "1").appendHeader("x-a", ["2", "3"]);
      res.setHeader("X-Gone", "1");
      res.removeHeader("x-gone");
      log.add("names", res.getHeaderNames().join());
      log.add("raw", (res as unknown as { getRawHeaderNames(): string[] }).getRawHeaderNames().join());
      log.add("all", JSON.stringify(res.getHeaders()));
      res.end("ok");
    },
  },
  "a cookie list is joined, others are repeated": {
    handler: (_req, res) => {
      res.setHeader("Cookie", ["a=1", "b=2"]);
      res.setHeader("Link", ["<a>", "<b>"]);
      res.end();
    },
  },
  "uniqueHeaders are joined": {
    options: { uniqueHeaders: ["x-list"] },
    handler: (_req, res) => {
      res.setHeader("X-List", ["a", "b"]);
      res.end();
    },
  },
  "a status message of the app's own": {
    handler: (_req, res) => {
      res.statusCode = 404;
      res.statusMessage = "Nowhere";
      res.end();
    },
  },
  "a status that Node does not know": { handler: (_req, res) => res.writeHead(599).end("odd") },
  "no Date when it is not wanted": {
    handler: (_req, res) => {
      res.sendDate = false;
      res.end("ok");
    },
  },
  "Date removed, and Date of the app's own": {
    handler: (_req, res) => {
      res.removeHeader("Date");
      res.setHeader("date", "today");
      res.end("ok");
    },
  },
  "an explicit length": {
    handler: (_req, res) => {
      res.setHeader("Content-Length", 5);
      res.write("he");
      res.end("llo");
    },
  },
  "a length removed": {
    handler: (_req, res) => {
      res.removeHeader("content-length");
      res.end("hello");
    },
  },
  "chunked asked for": {
    handler: (_req, res) => {
      res.setHeader("Transfer-Encoding", "chunked");
      res.end("hello");
    },
  },
  "HEAD has no body and keeps its length": {
    method: "HEAD",
    handler: (_req, res, log) => {
      res.setHeader("Content-Length", "5");
      log.add("res", String(res.write("hello")));
      res.end("hello");
    },
  },
  "HEAD without a length": { method: "HEAD", handler: (_req, res) => res.end("hello") },
  "204 has no body": { handler: (_req, res) => res.writeHead(204).end("hello") },
  "304 has no body": {
    handler: (_req, res) => {
      res.statusCode = 304;
      res.setHeader("ETag", '"x"');
      res.end("hello");
    },
  },
  "non-ASCII header values with text": {
    handler: (_req, res) => {
      res.setHeader("X-Name", "é");
      res.end("text");
    },
  },
  "non-ASCII header values with bytes": {
    handler: (_req, res) => {
      res.setHeader("X-Name", "é");
      res.end(Buffer.from("bytes"));
    },
  },
  "a file name in UTF-8": {
    handler: (_req, res) => {
      res.setHeader("Content-Disposition", `attachment; filename="${Buffer.from("né.txt").toString("latin1")}"`);
      res.end("text");
    },
  },
  "flushHeaders sends the head early": {
    handler: async (_req, res, log) => {
      res.setHeader("X-A", "1");
      res.flushHeaders();
      log.add("res", String(res.headersSent));
      await waitMs(10);
      res.end("later");
    },
  },
  "trailers follow a body of unknown length": {
    handler: (_req, res) => {
      res.setHeader("Trailer", "X-Sum");
      res.write("data");
      res.addTrailers({ "X-Sum": "42", "X-Two": "2" });
      res.end();
    },
  },
  "trailers are dropped after a body of known length": {
    handler: (_req, res) => {
      res.setHeader("Content-Length", "4");
      res.addTrailers({ "X-Sum": "42" });
      res.end("data");
    },
  },
  "a Trailer header with a known length is refused": {
    handler: (_req, res, log) => {
      res.setHeader("Trailer", "X-Sum");
      res.setHeader("Content-Length", "4");
      log.add(
        "res",
        codeOf(() => res.writeHead(200)),
      );
      res.removeHeader("Trailer");
      res.end("data");
    },
  },
  "strictContentLength refuses too much and too little": {
    handler: (_req, res, log) => {
      res.strictContentLength = true;
      res.writeHead(200, { "Content-Length": "4" });
      log.add(
        "res",
        codeOf(() => res.write("too much")),
      );
      res.write("ab");
      log.add(
        "res",
        codeOf(() => res.end()),
      );
      res.write("cd");
      res.end();
    },
  },
  "Expect: 100-continue is answered by itself": {
    ...upload("hello"),
    headers: ["Content-Length", "5", "Expect", "100-continue"],
    handler: async (req, res) => {
      let text = "";
      for await (const chunk of req) text += String(chunk);
      res.end(text);
    },
  },
  "Expect: 100-continue is the app's to answer": {
    ...upload("hello"),
    headers: ["Content-Length", "5", "Expect", "100-continue"],
    setUp: (server, log) => {
      server.on("checkContinue", (req, res) => {
        log.add("server", "checkContinue");
        res.writeContinue();
        req.resume().on("end", () => res.end("went on"));
      });
    },
    handler: (_req, res) => res.end("not reached"),
  },
  "another expectation gets 417": {
    headers: ["Expect", "miracles"],
    handler: (_req, res) => res.end("not reached"),
  },
  "another expectation is the app's to answer": {
    headers: ["Expect", "miracles"],
    setUp: (server) => server.on("checkExpectation", (_req, res) => res.end("a miracle")),
    handler: (_req, res) => res.end("not reached"),
  },
  "early hints and processing come first": {
    handler: async (_req, res, log) => {
      await new Promise<void>((resolve) => {
        res.writeEarlyHints({ link: ["</a.css>; rel=preload", "</b.js>; rel=preload"], "x-id": "7" }, resolve);
      });
      log.add("res", "hinted");
      res.writeProcessing();
      res.end("ok");
    },
  },
  "what is false, what is thrown": {
    handler: (_req, res, log) => {
      const writeAny = res.write.bind(res) as (chunk: unknown) => boolean;
      log.add(
        "res",
        codeOf(() => res.setHeader("bad name", "x")),
      );
      log.add(
        "res",
        codeOf(() => res.setHeader("X", "a\nb")),
      );
      log.add(
        "res",
        codeOf(() => res.setHeader("X", undefined as never)),
      );
      log.add(
        "res",
        codeOf(() => res.writeHead(99)),
      );
      log.add(
        "res",
        codeOf(() => res.writeHead(200, { "bad name": "x" })),
      );
      log.add(
        "res",
        codeOf(() => res.writeHead(200, "bad\nreason")),
      );
      log.add(
        "res",
        codeOf(() => res.writeHead(200, ["odd"])),
      );
      log.add(
        "res",
        codeOf(() => writeAny(null)),
      );
      log.add(
        "res",
        codeOf(() => writeAny(5)),
      );
      res.statusMessage = "OK";
      res.writeHead(200);
      log.add(
        "res",
        codeOf(() => res.setHeader("X", "late")),
      );
      log.add(
        "res",
        codeOf(() => res.removeHeader("X")),
      );
      log.add(
        "res",
        codeOf(() => res.writeHead(200)),
      );
      log.add(
        "res",
        codeOf(() => res.writeContinue()),
      );
      res.end("ok");
    },
  },
  "flags from beginning to end": {
    handler: (req, res, log) => {
      const state = (): string =>
        JSON.stringify({
          sent: res.headersSent,
          ended: res.writableEnded,
          finished: res.writableFinished,
          writable: res.writable,
          destroyed: res.destroyed,
          closed: res.closed,
          socket: res.socket === null ? null : res.socket === req.socket,
          length: res.writableLength,
        });
      log.add("res", state());
      res.on("finish", () => log.add("res", `finish ${state()}`));
      res.on("close", () => log.add("res", `close ${state()}`));
      res.write("a");
      res.end("b", () => log.add("res", `ended ${state()}`));
      log.add("res", String(res.writableEnded));
    },
  },
  "callbacks of write and end": {
    handler: (_req, res, log) => {
      res.on("finish", () => log.add("res", "finish"));
      res.write("a", () => log.add("res", "wrote a"));
      res.write("b", "utf8", () => log.add("res", "wrote b"));
      res.end("c", () => log.add("res", "ended"));
    },
  },
  "writing after the end": {
    handler: (_req, res, log) => {
      log.watch("res", res, "error", "finish", "close");
      res.end("done");
      res.write("more", (error) => log.add("callback", String(Reflect.get(error ?? {}, "code"))));
      res.end("more");
    },
  },
  "ending twice": {
    handler: (_req, res, log) => {
      res.end("once", () => log.add("res", "first"));
      res.end(() => log.add("res", "second"));
    },
  },
  "a stream piped into the response": {
    handler: (_req, res) => Readable.from(["a", "b", "c"]).pipe(res),
  },
  "a pipeline into the response": {
    handler: (_req, res, log) => {
      const source = Readable.from([Buffer.alloc(100 * KIB, "x"), Buffer.alloc(50 * KIB, "y")]);
      pipeline(source, res, (error) => log.add("pipeline", String(error)));
    },
  },
  "a pipeline whose source fails": {
    handler: (_req, res, log) => {
      const source = new Readable({ read() {} });
      source.push("begun");
      pipeline(source, res, (error) => log.add("pipeline", String(error)));
      setTimeout(() => source.destroy(new Error("broken")), 10);
    },
  },
  "a large response is written with backpressure": {
    handler: async (_req, res, log) => {
      let waited = false;
      for (let i = 0; i < 40; i += 1) {
        if (!res.write(Buffer.alloc(100 * KIB, i))) {
          waited = true;
          if (res.writableNeedDrain) await once(res, "drain");
        }
      }
      log.add("res", `waited ${waited}`);
      res.end();
    },
  },
  "cork and uncork": {
    handler: (_req, res, log) => {
      res.cork();
      res.write("a");
      res.write("b");
      log.add("res", String(res.writableCorked));
      res.uncork();
      res.end("c");
    },
  },
  "finished() on the response and the request": {
    handler: (req, res, log) => {
      finished(res, (error) => log.add("finished res", String(error)));
      finished(req, (error) => log.add("finished req", String(error)));
      res.end("ok");
    },
  },
  "events of a request without a body": {
    handler: (req, res, log) => {
      watchAll(req, res, log);
      log.add("req", `complete ${req.complete}`);
      setTimeout(() => log.add("req", `complete ${req.complete}`), 5);
      setTimeout(() => res.end("ok"), 15);
    },
  },
  "events of a request that is read": {
    ...upload("one", "two"),
    handler: (req, res, log) => {
      watchAll(req, res, log);
      req.on("data", (chunk: Buffer) => log.append("data", String(chunk)));
      req.on("end", () => {
        log.add("req", `complete ${req.complete} ended ${req.readableEnded}`);
        res.end("ok");
      });
    },
  },
  "a body as text": {
    ...upload("gr\u00fc\u00dfe"),
    handler: (req, res) => {
      let text = "";
      req.setEncoding("utf8");
      req.on("data", (chunk: string) => (text += chunk.toUpperCase()));
      req.on("end", () => res.end(text));
    },
  },
  "a body by 'readable' and read()": {
    ...upload("one", "two", "three"),
    handler: (req, res) => {
      const chunks: Buffer[] = [];
      req.on("readable", () => {
        for (let chunk = req.read() as Buffer | null; chunk !== null; chunk = req.read() as Buffer | null) {
          chunks.push(chunk);
        }
      });
      req.on("end", () => res.end(Buffer.concat(chunks)));
    },
  },
  "a body read late, and slowly": {
    ...upload(Buffer.alloc(200 * KIB, "a"), Buffer.alloc(200 * KIB, "b")),
    handler: async (req, res) => {
      await waitMs(20);
      let length = 0;
      for await (const chunk of req) {
        length += (chunk as Buffer).length;
        await waitMs(1);
      }
      res.end(String(length));
    },
  },
  "a body paused and resumed": {
    ...upload("one", "two"),
    handler: (req, res, log) => {
      req.once("data", () => {
        req.pause();
        log.add("req", `paused ${req.isPaused()}`);
        setTimeout(() => req.resume(), 15);
      });
      req.on("end", () => res.end("ok"));
    },
  },
  "trailers of a request": {
    method: "POST",
    headers: ["Transfer-Encoding", "chunked", "Trailer", "X-Sum"],
    hasBody: true,
    client: (client) => {
      client.write("data");
      client.end(["X-Sum", "42", "X-Sum", "43"]);
    },
    handler: (req, res, log) => {
      req.resume();
      req.on("end", () => {
        log.add("trailers", JSON.stringify([req.trailers, req.trailersDistinct, req.rawTrailers]));
        res.end("ok");
      });
    },
  },
  "a body that nobody reads": {
    ...upload(Buffer.alloc(300 * KIB), Buffer.alloc(300 * KIB)),
    handler: (req, res, log) => {
      watchAll(req, res, log);
      res.end("no thanks");
    },
  },
  "a response first, the rest of the body read after it": {
    ...upload("one", "two"),
    handler: (req, res, log) => {
      req.on("data", (chunk: Buffer) => log.append("data", String(chunk)));
      watchAll(req, res, log);
      res.end("early");
    },
  },
  "headers and their rules": {
    headers: [
      // Names that are joined, that are kept once, that are lists, in several spellings.
      "Accept, a, accept, b, Cookie, a=1, cookie, b=2, User-Agent, one, User-Agent, two",
      "X-Many, 1, x-many, 2, Content-Type, a/b, Content-Type, c/d, Referer, r, From, f",
    ].flatMap((line) => line.split(", ")),
    handler: (req, res, log) => {
      const { connection: _, ...headers } = req.headers;
      log.add("headers", JSON.stringify(headers));
      log.add("distinct", JSON.stringify({ ...req.headersDistinct, connection: undefined }));
      log.add("raw", JSON.stringify(req.rawHeaders.filter((text) => !/^(connection|close|keep-alive)$/i.test(text))));
      res.end();
    },
  },
  joinDuplicateHeaders: {
    options: { joinDuplicateHeaders: true },
    headers: ["User-Agent", "one", "User-Agent", "two"],
    handler: (req, res) => res.end(req.headers["user-agent"]),
  },
  "the request line": {
    method: "PATCH",
    path: "/a%20b/../c?d=e&f",
    handler: (req, res, log) => {
      log.add(
        "req",
        JSON.stringify([req.method, req.url, req.httpVersion, req.httpVersionMajor, req.httpVersionMinor]),
      );
      res.end();
    },
  },
  "an absolute target": { path: "http://other.test/x?y", handler: (req, res) => res.end(req.url) },
  "what the objects are": {
    handler: (req, res, log) => {
      log.add("is", String(req instanceof http.IncomingMessage && res instanceof http.ServerResponse));
      log.add(
        "is",
        String(req.socket === res.socket && req.connection === req.socket && res.connection === req.socket),
      );
      log.add("is", String(res.req === req));
      log.add(
        "is",
        JSON.stringify([Reflect.get(req, "upgrade"), req.aborted, req.destroyed, req.readable, req.errored]),
      );
      log.add(
        "is",
        JSON.stringify([req.socket.readable, req.socket.writable, req.socket.destroyed, req.socket.pending]),
      );
      log.add("is", JSON.stringify([req.socket.readyState, req.socket.connecting, req.socket.allowHalfOpen]));
      log.add("is", JSON.stringify([res.chunkedEncoding, res.shouldKeepAlive, res.useChunkedEncodingByDefault]));
      res.end();
    },
  },
  "classes of the app's own": {
    options: {
      IncomingMessage: class extends http.IncomingMessage {
        get hello(): string {
          return "hello";
        }
      },
      ServerResponse: class<R extends http.IncomingMessage> extends http.ServerResponse<R> {
        override end(...args: unknown[]): this {
          this.setHeader("X-Mine", "yes");
          return super.end(...(args as [string]));
        }
      },
    },
    handler: (req, res) => res.end(Reflect.get(req, "hello")),
  },
  "the prototype of the response exchanged, as Express does": {
    handler: (req, res) => {
      Object.setPrototypeOf(req, Object.create(http.IncomingMessage.prototype) as object);
      const prototype = Object.create(http.ServerResponse.prototype) as { send: unknown };
      prototype.send = function send(this: http.ServerResponse, text: string) {
        this.end(text);
      };
      Object.setPrototypeOf(res, prototype);
      (res as unknown as { send(text: string): void }).send("sent");
    },
  },
  "writeHead, write and end wrapped, as libraries do": {
    handler: (_req, res) => {
      const writeHead = res.writeHead.bind(res);
      const end = res.end.bind(res);
      Reflect.set(res, "writeHead", (status: number) => {
        res.setHeader("X-Late", "1");
        return writeHead(status);
      });
      Reflect.set(res, "end", (chunk: string) => end(`<${chunk}>`));
      res.end("x");
    },
  },
  "the app destroys the request": {
    ...upload("one"),
    client: (client) => client.write("one"),
    handler: (req, res, log) => {
      watchAll(req, res, log);
      req.once("data", () => req.destroy());
    },
  },
  "the app destroys the request with an error": {
    ...upload("one"),
    client: (client) => client.write("one"),
    setUp: (server, log) => log.watch("server", server, "clientError"),
    handler: (req, res, log) => {
      watchAll(req, res, log);
      req.once("data", () => req.destroy(Object.assign(new Error("too much"), { code: "E_TOO_MUCH" })));
    },
  },
  "the app destroys the response before it began": {
    handler: (req, res, log) => {
      watchAll(req, res, log);
      res.destroy();
      res.write("lost", (error) => log.add("callback", String(Reflect.get(error ?? {}, "code"))));
    },
  },
  "the app destroys the response in the middle": {
    handler: async (req, res, log) => {
      watchAll(req, res, log);
      res.write("begun");
      await waitMs(10);
      res.destroy();
      log.add("res", String(res.destroyed));
    },
  },
  "the app destroys the socket": {
    handler: (req, res, log) => {
      watchAll(req, res, log);
      req.socket.destroy();
      log.add("socket", String(req.socket.destroyed));
    },
  },
  "the app ends the socket instead of the response": {
    handler: (req, res, log) => {
      watchAll(req, res, log);
      req.socket.end();
    },
  },
  "the client goes while the app thinks": {
    unanswered: true,
    client: async (client) => {
      client.end();
      await waitMs(20);
      client.abort();
    },
    handler: async (req, res, log) => {
      watchAll(req, res, log);
      log.watch("socket", req.socket, "close");
      await waitMs(45);
      log.add("late", JSON.stringify([req.aborted, req.destroyed, res.destroyed, res.writableEnded, res.closed]));
      log.add(
        "late",
        String(res.write("lost", (error) => log.add("callback", String(Reflect.get(error ?? {}, "code"))))),
      );
      res.end("lost");
    },
  },
  "the client goes in the middle of its body": {
    ...upload("one"),
    headers: ["Content-Length", "100"],
    unanswered: true,
    client: async (client) => {
      client.write("one");
      await waitMs(20);
      client.abort();
    },
    handler: (req, res, log) => {
      watchAll(req, res, log);
      req.on("data", (chunk: Buffer) => log.append("data", String(chunk)));
      finished(req, (error) => log.add("finished req", String(Reflect.get(error ?? {}, "code"))));
    },
  },
  "the client goes while the app awaits its body": {
    ...upload("one"),
    headers: ["Content-Length", "100"],
    unanswered: true,
    client: async (client) => {
      client.write("one");
      await waitMs(20);
      client.abort();
    },
    handler: async (req, _res, log) => {
      try {
        for await (const chunk of req) log.append("data", String(chunk));
      } catch (error) {
        log.add("caught", String(Reflect.get(error as Error, "code")));
      }
    },
  },
  "the client goes in the middle of the response": {
    unanswered: true,
    client: async (client) => {
      client.end();
      await waitMs(20);
      client.abort();
    },
    handler: (req, res, log) => {
      watchAll(req, res, log);
      const source = new Readable({ read() {} });
      source.push("begun");
      pipeline(source, res, (error) => log.add("pipeline", String(Reflect.get(error ?? {}, "code"))));
    },
  },
  "the client goes after the response, in the middle of its body": {
    ...upload("one"),
    headers: ["Content-Length", "100"],
    client: async (client) => {
      client.write("one");
      await waitMs(20);
      client.abort();
    },
    unanswered: true,
    handler: (req, res, log) => {
      watchAll(req, res, log);
      res.end("early");
    },
  },
  "a request's signal is not aborted by the end of the exchange": {
    handler: (req, res, log) => {
      const signal = Reflect.get(req, "signal") as AbortSignal | undefined;
      setTimeout(() => log.add("signal", String(signal?.aborted)), 30);
      res.end("ok");
    },
  },
  "a request's signal is aborted when the client goes": {
    unanswered: true,
    client: async (client) => {
      client.end();
      await waitMs(20);
      client.abort();
    },
    handler: (req, _res, log) => {
      const signal = Reflect.get(req, "signal") as AbortSignal | undefined;
      signal?.addEventListener("abort", () => log.add("signal", "aborted"));
    },
  },
  "a rejection that the server captures": {
    setUp: (server) => {
      Reflect.set(server, Symbol.for("nodejs.rejection"), (_error: Error, _event: string, ...args: unknown[]) => {
        const [, res] = args as [unknown, http.ServerResponse];
        res.writeHead(500).end("captured");
      });
      server.removeAllListeners("request");
      // The option has to be set before the first listener is.
      Object.getOwnPropertySymbols(server)
        .filter(({ description }) => description === "kCapture")
        .forEach((symbol) => Reflect.set(server, symbol, true));
      server.on("request", () => Promise.reject(new Error("in a handler")));
    },
    handler: () => {},
  },
  "a request's timeout": {
    handler: (req, res, log) => {
      req.setTimeout(15, () => log.add("callback", "called"));
      log.watch("res", res, "timeout", "close");
      res.setTimeout(15, () => {
        log.add("callback", "response");
        res.end("timed out");
      });
    },
  },
  "a timeout that nobody hears cuts the connection": {
    handler: (req, res, log) => {
      watchAll(req, res, log);
      req.socket.setTimeout(15);
    },
  },
  "the server's timeout": {
    setUp: (server, log) => {
      server.setTimeout(15, (socket) => {
        log.add("server", "timeout");
        socket.destroy();
      });
    },
    handler: (req, res, log) => watchAll(req, res, log),
  },
};

test("a handler and its client see the same under hosting as under plain Node", { concurrency: 6 }, async (t) => {
  const running = Object.entries(scenes).map(([name, scene]) =>
    t.test(name, async () => {
      assert.deepEqual(await observeHosted(scene), await observePlain(scene));
    }),
  );
  await Promise.all(running);
});
