import assert from "node:assert/strict";
import { AsyncLocalStorage } from "node:async_hooks";
import { describe, test } from "node:test";
import type { AppEvent } from "../../src/app/app-event.ts";
import { answerByFetch, type FetchFunction } from "../../src/app/fetch-handler.ts";
import type { ExchangeRequest } from "../../src/app/exchange.ts";
import { FakeExchange, type FakeOptions } from "./fake-exchange.ts";
import { turns, until } from "./hosting.ts";

const KIB = 1024;

interface Run {
  exchange: FakeExchange;
  events: AppEvent[];
  state: { over: boolean };
}

function begin(fetch: FetchFunction, request: Partial<ExchangeRequest> = {}, options: FakeOptions = {}): Run {
  const exchange = new FakeExchange(request, options);
  const events: AppEvent[] = [];
  const state = { over: false };
  answerByFetch(exchange, { fetch, onEvent: (event) => events.push(event), onOver: () => (state.over = true) });
  return { exchange, events, state };
}

async function run(fetch: FetchFunction, request: Partial<ExchangeRequest> = {}): Promise<Run> {
  const begun = begin(fetch, request);
  await begun.exchange.done;
  return begun;
}

const post = (length: number | null): Partial<ExchangeRequest> => ({
  method: "POST",
  hasBody: true,
  headers: [
    "Host",
    "x.test",
    ...(length === null ? ["Transfer-Encoding", "chunked"] : ["Content-Length", `${length}`]),
  ],
});

describe("the request", () => {
  const urls: Array<[Partial<ExchangeRequest>, string]> = [
    [{ target: "/a%20b/../c?d=e", headers: ["Host", "example.test:8080"] }, "http://example.test:8080/c?d=e"],
    [{ target: "/", encrypted: true }, "https://example.test/"],
    [{ target: "/x", headers: [] }, "http://192.0.2.1:8080/x"],
    [{ target: "/x", headers: [], localAddress: "::1" }, "http://[::1]:8080/x"],
    [{ target: "http://other.test/y?z" }, "http://other.test/y?z"],
    [{ target: "//double/slash" }, "http://example.test//double/slash"],
    [{ target: "*", method: "OPTIONS" }, "http://example.test/*"],
  ];
  for (const [request, url] of urls) {
    test(`to ${request.target} of ${JSON.stringify(request.headers ?? "its host")} is for ${url}`, async () => {
      const { exchange } = await run(({ url }) => new Response(url), request);
      assert.equal(exchange.text, url);
    });
  }

  test("whose Host would move the rest of the URL is refused", async () => {
    for (const host of ["a/b", "a?b", "user@host", "a b", "a:b:c"]) {
      const { exchange } = await run(() => assert.fail("not called"), { headers: ["Host", host] });
      assert.equal(exchange.head?.status, 400, host);
    }
  });

  test("is a true Request, with its headers in all their number", async () => {
    const headers = ["Host", "x", "Accept", "a", "Accept", "b", "Cookie", "c=1", "X-Latin", "\u00e9"];
    const { exchange } = await run(
      (request) => {
        assert(request instanceof Request);
        assert(new Request(request, { method: "PUT" }) instanceof Request);
        const { method, headers } = request.clone();
        return Response.json([method, headers.get("accept"), headers.get("cookie"), headers.get("x-latin")]);
      },
      { method: "DELETE", headers },
    );
    assert.deepEqual(JSON.parse(exchange.text), ["DELETE", "a, b", "c=1", "\u00e9"]);
  });

  test("with a method that Request forbids is answered 501", async () => {
    const { exchange } = await run(() => assert.fail("not called"), { method: "TRACE" });
    assert.equal(exchange.head?.status, 501);
  });

  test("knows the client in the ways of Deno and Bun", async () => {
    const { exchange } = await run((request, info) => Response.json([info.remoteAddr, info.requestIP(request)]));
    assert.deepEqual(JSON.parse(exchange.text), [
      { transport: "tcp", hostname: "203.0.113.7", port: 51234 },
      { address: "203.0.113.7", port: 51234, family: "IPv4" },
    ]);
  });

  test("with a small body of known length has it whole", async () => {
    const begun = begin(async (request) => new Response((await request.text()).toUpperCase()), post(10));
    begun.exchange.send("hello");
    await turns();
    begun.exchange.send("world");
    begun.exchange.end();
    await begun.exchange.done;
    assert.equal(begun.exchange.text, "HELLOWORLD");
    assert.equal(begun.exchange.consumedBytes, 10);
  });

  test("with a large body streams it, granting only what is read", async () => {
    let reader: ReadableStreamDefaultReader<Uint8Array> | undefined;
    const { exchange } = begin(
      (request) => {
        reader = request.body?.getReader();
        return new Promise(() => {});
      },
      post(null),
      { bodyWindowBytes: 16 * KIB },
    );
    exchange.send(Buffer.alloc(64 * KIB));
    await turns(20);
    assert(reader !== undefined);
    assert.equal(exchange.consumedBytes, 0);
    const { value } = await reader.read();
    await turns(20);
    assert.equal(exchange.consumedBytes, value?.length);
    exchange.cancel();
  });

  test("with a body can be proxied on, and comes through whole", async () => {
    const begun = begin((request) => new Response(request.body), post(null));
    for (let i = 0; i < 20; i += 1) begun.exchange.send(Buffer.alloc(10 * KIB, i));
    begun.exchange.end();
    await begun.exchange.done;
    assert.equal(begun.exchange.body.length, 200 * KIB);
    assert.equal(begun.exchange.consumedBytes, 200 * KIB);
    await until(() => begun.state.over);
  });

  test("whose body nobody reads is answered, and the body taken off the client", async () => {
    const begun = begin(() => new Response("no"), post(null));
    begun.exchange.send(Buffer.alloc(500 * KIB));
    begun.exchange.end();
    await until(() => begun.state.over);
    assert.equal(begun.exchange.consumedBytes, 500 * KIB);
  });

  test("that expects 100-continue is told to go on", async () => {
    const headers = ["Host", "x", "Content-Length", "2", "Expect", "100-continue"];
    const begun = begin(async (request) => new Response(await request.text()), {
      method: "POST",
      hasBody: true,
      headers,
    });
    assert.deepEqual(
      begun.exchange.informed.map(({ status }) => status),
      [100],
    );
    begun.exchange.send("ok");
    begun.exchange.end();
    await begun.exchange.done;
    assert.equal(begun.exchange.text, "ok");
  });

  test("is aborted when the client goes, by its signal and in its body", async () => {
    const seen: string[] = [];
    const { exchange, state } = begin(async (request) => {
      request.signal.addEventListener("abort", () => seen.push(`signal ${(request.signal.reason as Error).name}`));
      await request.text().catch((error: Error) => seen.push(`body ${error.name}`));
      assert(request.signal.aborted);
      return new Response("late");
    }, post(null));
    exchange.send("begun");
    await turns();
    exchange.cancel();
    await turns();
    assert.deepEqual(seen, ["signal AbortError", "body AbortError"]);
    assert.equal(state.over, true);
    assert.equal(exchange.head, null);
  });

  test("runs in an async context of its own", async () => {
    const storage = new AsyncLocalStorage<string>();
    const seen: unknown[] = [];
    const fetch: FetchFunction = (request) => {
      seen.push(storage.getStore());
      storage.enterWith(request.url);
      return new Response("ok");
    };
    const runs = [begin(fetch), begin(fetch)];
    await Promise.all(runs.map(({ exchange }) => exchange.done));
    assert.deepEqual(seen, [undefined, undefined]);
  });
});

describe("the response", () => {
  test("carries status, reason and headers, each Set-Cookie by itself, and its length", async () => {
    const { exchange } = await run(() => {
      const headers = new Headers({ "x-a": "1", connection: "close", "transfer-encoding": "chunked" });
      headers.append("set-cookie", "a=1; Path=/");
      headers.append("set-cookie", "b=2");
      return new Response("h\u00e9", { status: 201, statusText: "Made", headers });
    });
    assert.equal(exchange.head?.status, 201);
    assert.equal(exchange.head.reason, "Made");
    const sent = [
      ["content-type", "text/plain;charset=UTF-8"],
      ["set-cookie", "a=1; Path=/"],
      ["set-cookie", "b=2"],
      ["x-a", "1"],
      ["content-length", "3"],
    ];
    assert.deepEqual(exchange.head.headers, sent.flat());
    assert.equal(exchange.text, "h\u00e9");
  });

  test("without a body has length 0; with a status that has none, no length", async () => {
    assert.deepEqual((await run(() => new Response(null))).exchange.header("content-length"), ["0"]);
    assert.deepEqual((await run(() => new Response(""))).exchange.header("content-length"), ["0"]);
    assert.deepEqual((await run(() => new Response(null, { status: 204 }))).exchange.header("content-length"), []);
    const { exchange } = await run(() => Response.redirect("http://x.test/y", 303));
    assert.deepEqual([exchange.head?.status, exchange.header("location")], [303, ["http://x.test/y"]]);
  });

  test("to HEAD sends no body", async () => {
    const { exchange } = await run(() => new Response("long", { headers: { "content-length": "4" } }), {
      method: "HEAD",
    });
    assert.deepEqual([exchange.text, exchange.header("content-length")], ["", ["4"]]);
  });

  test("that streams is sent piece by piece, at once", async () => {
    let controller: ReadableStreamDefaultController<Uint8Array> | undefined;
    const body = new ReadableStream<Uint8Array>({ start: (given) => void (controller = given) });
    const begun = begin(() => new Response(body));
    controller?.enqueue(Buffer.from("one"));
    await until(() => begun.exchange.text === "one");
    assert.deepEqual(begun.exchange.header("content-length"), []);
    controller?.enqueue(Buffer.from("two"));
    await until(() => begun.exchange.text === "onetwo");
    controller?.close();
    await begun.exchange.done;
    assert.equal(begun.state.over, true);
  });

  test("is read no faster than the client reads", async () => {
    let pulled = 0;
    const body = new ReadableStream<Uint8Array>(
      {
        pull: (controller) => {
          pulled += 1;
          controller.enqueue(Buffer.alloc(KIB));
        },
      },
      { highWaterMark: 0 },
    );
    const { exchange } = begin(() => new Response(body), {}, { windowBytes: 4 * KIB, reads: false });
    await turns(50);
    assert(pulled <= 6, `pulled ${pulled} KiB with a window of 4`);
    exchange.drain();
    await turns(50);
    assert(pulled > 6 && pulled <= 12, `pulled ${pulled} KiB with two windows`);
    exchange.cancel();
  });

  test("whose client goes is cancelled", async () => {
    let reason: unknown;
    const body = new ReadableStream<Uint8Array>({
      pull: (controller) => controller.enqueue(Buffer.alloc(KIB)),
      cancel: (given) => void (reason = given),
    });
    const { exchange, state } = begin(() => new Response(body), {}, { windowBytes: 4 * KIB, reads: false });
    await turns();
    exchange.cancel();
    await until(() => reason !== undefined);
    assert.equal((reason as Error).name, "AbortError");
    assert.equal(state.over, true);
  });
});

describe("a handler that fails", () => {
  const failures: Array<[string, FetchFunction, RegExp]> = [
    ["throws", () => assert.fail("thrown"), /failed on GET \/: thrown/],
    ["rejects", () => Promise.reject(new Error("rejected")), /rejected/],
    ["returns nothing", () => undefined, /returned undefined where a Response is needed/],
    ["returns text", () => "text", /returned a string where/],
    ["returns an object", () => ({ status: 200 }), /returned an object \(Object\)/],
    ["returns an error", () => Response.error(), /status 0/],
    [
      "returns a used body",
      async () => {
        const response = new Response("x");
        await response.text();
        return response;
      },
      /used before/,
    ],
    [
      "has a body that fails before its first byte",
      () => new Response(new ReadableStream({ pull: () => assert.fail("no bytes") })),
      /no bytes/,
    ],
  ];
  for (const [name, fetch, message] of failures) {
    test(`because it ${name} is answered 500, and the log has the stack`, async () => {
      const { exchange, events, state } = await run(fetch);
      assert.equal(exchange.head?.status, 500);
      assert.equal(exchange.text, "Internal Server Error");
      assert.equal(events.length, 1);
      assert.equal(events[0]?.code, "APP_HANDLER_FAILED");
      assert.match(events[0].message, message);
      assert.match(events[0].stack ?? "", /\n {4}at /);
      assert.equal(state.over, true);
    });
  }

  test("in the middle of its body cuts the answer", async () => {
    let pulls = 0;
    const body = new ReadableStream<Uint8Array>({
      pull: async (controller) => {
        await turns(2);
        if ((pulls += 1) > 2) throw new Error("broken");
        controller.enqueue(Buffer.from("x"));
      },
    });
    const { exchange, events } = await run(() => new Response(body));
    assert.equal(exchange.resetCode, "APP_BODY_FAILED");
    assert.match(events[0]?.message ?? "", /broken/);
  });

  test("in waitUntil only logs", async () => {
    const { exchange, events } = await run((_request, _info, context) => {
      context.passThroughOnException();
      context.waitUntil(Promise.reject(new Error("later")));
      return new Response("ok");
    });
    await turns();
    assert.equal(exchange.text, "ok");
    assert.match(events[0]?.message ?? "", /waitUntil failed: later/);
  });
});
