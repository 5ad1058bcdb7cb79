// Requests before the guard: what goes on, what is refused, and when. Real sockets, real axons, rules of a few lines.
import assert from "node:assert/strict";
import http2 from "node:http2";
import { describe, test, type TestContext } from "node:test";
import type { Exchange } from "../../src/app/exchange.ts";
import { makeConvey } from "../../src/cells/b-cell/make-convey.ts";
import { Immunity } from "../../src/cells/b-cell/immunity.ts";
import type { HeldBytes } from "../../src/cells/b-cell/held-bytes.ts";
import type { BodyContext } from "../../src/host/body.ts";
import { Counters } from "../../src/host/counters.ts";
import { makeGuard } from "../../src/host/immune/guard.ts";
import { Testimony } from "../../src/host/immune/testimony.ts";
import type { ImmuneFilter } from "../../src/dna/functions.ts";
import { resolveDna } from "../../src/dna/resolve.ts";
import { dnaSchema } from "../../src/dna/schema.ts";
import type { DnaInput } from "../../src/dna/dna.ts";
import { answer, echo, rig, silent, type Rig } from "../support/ingress-rig.ts";
import { until } from "../support/axon-pair.ts";
import { facts, folderWith } from "../dna/support.ts";
import fs from "node:fs";
import path from "node:path";
import { ListenerRecorder } from "../support/axon-pair.ts";

/** Text that is an attack wherever it stands, and what a real rule set would have beside it. */
const rules = `
  SecRule ARGS|REQUEST_BODY "@contains attack" "id:1001,phase:2,deny,log,tag:'attack-sqli',severity:CRITICAL,msg:'found'"
  SecRule REQUEST_HEADERS:User-Agent "@contains scanner" "id:1002,phase:1,deny,log,tag:'attack-reputation-scanner'"
  SecRule ARGS "@contains odd" "id:1003,phase:2,pass,log,msg:'odd'"
  SecRule REQUEST_URI "@beginsWith /teapot" "id:1004,phase:1,deny,status:418,log"
  SecRule REQUEST_URI "@beginsWith /drop" "id:1005,phase:1,drop,log"
  SecRule RESPONSE_BODY "@contains ORA-01756" "id:1006,phase:4,deny,log,tag:'attack-disclosure'"
  SecRule RESPONSE_BODY "@contains core dumped" "id:1008,phase:4,drop,log"
  SecRule REQUEST_PROTOCOL "@streq HTTP/2.0" "id:1007,phase:1,pass,log"`;

interface Watched extends Rig {
  told: Testimony;
  audit: () => Array<Record<string, unknown>>;
  counters: Counters;
  errors: string[];
}

async function watched(
  t: TestContext,
  immune: DnaInput["immune"] = {},
  {
    filters = [],
    protocol = "http/1.1",
    http = {},
  }: { filters?: ImmuneFilter[]; protocol?: "h2" | "http/1.1"; http?: DnaInput["http"] } = {},
): Promise<Watched> {
  const folder = folderWith(t, { "rules.conf": rules });
  const auditFile = path.join(folder, "audit.log");
  const resolution = resolveDna({
    input: {
      app: "a.js",
      http,
      immune: { mode: "block", rules: [path.join(folder, "rules.conf")], audit: auditFile, ...immune },
    },
    schema: dnaSchema(facts),
    later: [],
  });
  assert.ok(resolution.ok);
  const { dna } = resolution;
  const guard = makeGuard(dna.immune, {
    mode: dna.immune.mode === "detect" ? "detect" : "block",
    filters: filters.map((call) => ({ name: call.name, call })),
    facts: path.join(folder, "facts"),
  });
  const told = new Testimony();
  const counters = new Counters();
  const errors: string[] = [];
  const log = {
    error: (_event: string, fields: Record<string, unknown>) => errors.push(String(fields["reason"])),
    warn: () => {},
  };
  const context = { id: "bcell", dna, witness: told, counters, log } as unknown as BodyContext;
  const immunity = new Immunity(context, guard);
  const { convey } = await makeConvey(dna);
  const held: { bytes: HeldBytes | null } = { bytes: null };
  const screened = { convey: immunity.screened(convey, () => held.bytes!), judgeRefused: immunity.judgeRefused };
  const made = await rig(t, screened, {}, protocol);
  held.bytes = made.ingress.held;
  t.after(() => immunity.close());
  const audit = (): Array<Record<string, unknown>> =>
    fs
      .readFileSync(auditFile, "utf8")
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  return { ...made, told, audit, counters, errors };
}

const post = (body: string, type = "application/x-www-form-urlencoded", more = ""): string =>
  `POST /form HTTP/1.1\r\nHost: a.example\r\nContent-Type: ${type}\r\nContent-Length: ${body.length}\r\n${more}\r\n${body}`;
const get = (target: string, more = ""): string => `GET ${target} HTTP/1.1\r\nHost: a.example\r\n${more}\r\n`;

describe("a request before the guard", () => {
  test("passes where nothing is found, and the app has it whole", async (t) => {
    const { addDrone, connect, told } = await watched(t);
    await addDrone(echo);
    const client = await connect();
    await client.send(post("name=tea&left=right")).until(/name=tea&left=right\r\n0\r\n\r\n$/);
    const { sightings, marks } = told.take();
    assert.equal(marks.length, 0);
    assert.deepEqual(
      sightings.map(({ kind, client: address }) => [kind, address]),
      [["clean", "127.0.0.1"]],
    );
  });

  test("counts as clean also where it is watched: it was let through", async (t) => {
    const odd: ImmuneFilter = () => "watch";
    const { addDrone, connect, told } = await watched(t, {}, { filters: [odd] });
    await addDrone(answer("tea"));
    await (await connect()).send(get("/")).until(/tea$/);
    const { sightings, marks } = told.take();
    assert.deepEqual([marks.length, sightings.map(({ kind }) => kind)], [0, ["clean"]]);
  });

  test("is refused with the status, the request's id and nothing else, and no drone hears of it", async (t) => {
    const { addDrone, connect, told, audit } = await watched(t);
    const drone = await addDrone(echo);
    const client = await connect();
    const text = await client.send(get("/a?q=attack&password=hunter2")).until(/request: \S+\n$/);
    assert.match(text, /^HTTP\/1\.1 403 Forbidden\r\n/);
    const [, id] = /X-Request-Id: (\S+)/.exec(text)!;
    assert.equal(text.split("\r\n\r\n")[1], `403 Forbidden\nrequest: ${id}\n`);
    assert.equal(drone.exchanges.length, 0);
    await until(() => audit().length === 1);
    const [line] = audit();
    assert.deepEqual(
      { ...line, time: undefined },
      {
        time: undefined,
        requestId: id,
        client: "127.0.0.1",
        method: "GET",
        target: "/a?q=attack&password=***",
        verdict: "block",
        score: 0,
        rules: [1001],
        cell: "bcell",
      },
    );
    const [mark] = told.take().marks;
    assert.equal(mark?.attackClass, "sql-injection");
    assert.equal(mark.evidence, "GET /a; 1001 ARGS:q=attack");
    // The connection goes on: the request was whole.
    client.text = "";
    await client.send(get("/b")).until(/^HTTP\/1\.1 200/);
  });

  test("is refused by its head before its body is read, and by its body before the app sees a byte of it", async (t) => {
    const { addDrone, connect } = await watched(t);
    const drone = await addDrone(echo);
    const early = await connect();
    early.send(
      "POST /form HTTP/1.1\r\nHost: a.example\r\nUser-Agent: scanner\r\nContent-Length: 1000\r\nContent-Type: text/plain\r\n\r\n",
    );
    await early.until(/403 Forbidden/);
    const late = await connect();
    late.send(post(`x=1&${"y=2&".repeat(1000)}z=attack`));
    await late.until(/403 Forbidden/);
    assert.equal(drone.exchanges.length, 0);
  });

  test("gets the status that a rule names, or that the DNA does, or no answer at all", async (t) => {
    const { addDrone, connect } = await watched(t, { block: { status: 404 } });
    await addDrone(echo);
    await (await connect()).send(get("/teapot")).until(/^HTTP\/1\.1 418 /);
    await (await connect()).send(get("/?q=attack")).until(/^HTTP\/1\.1 404 /);
    const dropped = await connect();
    assert.equal(await dropped.send(get("/drop")).toEnd(), "");
  });

  test("is only told of in detect mode, with a mark and as watched", async (t) => {
    const { addDrone, connect, audit, told } = await watched(t, { mode: "detect" });
    await addDrone(answer("hello"));
    await (await connect()).send(get("/?q=attack")).until(/hello$/);
    await until(() => audit().length === 1);
    assert.deepEqual([audit()[0]?.["verdict"], audit()[0]?.["rules"]], ["watch", [1001]]);
    assert.equal(told.take().marks.length, 1);
  });

  test("what only watches leaves a line, and no mark", async (t) => {
    const { addDrone, connect, audit, told } = await watched(t);
    await addDrone(answer("hello"));
    await (await connect()).send(get("/?q=odd")).until(/hello$/);
    await until(() => audit().length === 1);
    assert.equal(audit()[0]?.["verdict"], "watch");
    assert.equal(told.take().marks.length, 0);
  });

  test("pipelined requests are judged one by one, and answered in order", async (t) => {
    const { addDrone, connect } = await watched(t);
    await addDrone(answer("hello"));
    const client = await connect();
    client.send(get("/1") + get("/?q=attack") + post("a=1") + post("a=attack") + get("/5"));
    await until(() => client.text.match(/HTTP\/1\.1 \d+/g)?.length === 5);
    assert.deepEqual(
      client.text.match(/HTTP\/1\.1 \d+/g)?.map((line) => line.slice(9)),
      ["200", "403", "200", "403", "200"],
    );
  });

  test("a client that waits to be told so is told to go on once its head has passed, and only then", async (t) => {
    const { addDrone, connect } = await watched(t);
    const drone = await addDrone(echo);
    const head = (more: string): string =>
      post("", "text/plain", `Expect: 100-continue\r\n${more}`).replace("Length: 0", "Length: 5");
    const client = await connect();
    await client.send(head("")).until(/^HTTP\/1\.1 100 Continue\r\n\r\n$/);
    assert.equal(drone.exchanges.length, 0);
    await client.send("hello").until(/hello\r\n0\r\n\r\n$/);
    assert.equal(client.text.match(/100 Continue/g)?.length, 1);
    const bad = await connect();
    assert.doesNotMatch(await bad.send(head("User-Agent: scanner\r\n")).until(/403/), /100 Continue/);
  });

  test("an upgrade is judged by its head, and what follows is nobody's business", async (t) => {
    const { addDrone, connect } = await watched(t);
    await addDrone((exchange: Exchange) => {
      const listener = new ListenerRecorder();
      exchange.listen(listener);
      exchange.tunnel();
      exchange.write(Buffer.from("HTTP/1.1 101 Switching Protocols\r\n\r\n"));
      listener.onBody = (chunk) => {
        exchange.consumed(chunk.length);
        exchange.write(chunk);
      };
    });
    const upgrade = "Connection: Upgrade\r\nUpgrade: x\r\n";
    const client = await connect();
    await client.send(get("/chat", upgrade)).until(/^HTTP\/1\.1 101 /);
    await client.send("attack").until(/\r\n\r\nattack$/);
    await (await connect()).send(get("/chat?q=attack", upgrade)).until(/^HTTP\/1\.1 403 /);
  });

  test("missing paths are sighted, and tries at the login with how they ended", async (t) => {
    const { addDrone, connect, told } = await watched(t, { bans: { loginPaths: ["/login"] } });
    await addDrone((exchange) => {
      const listener = new ListenerRecorder();
      exchange.listen(listener);
      const status = exchange.request.target === "/login" ? 401 : 404;
      const finish = (): void => {
        exchange.respond({ status, reason: "", headers: ["Content-Length", "0"] });
        exchange.finish([]);
      };
      listener.onEnd = finish;
      if (!exchange.request.hasBody) finish();
    });
    const client = await connect();
    await client.send(get("/wp-login.php")).until(/404/);
    await client.send(post("user=a").replace("/form", "/login")).until(/401/);
    assert.deepEqual(
      told.take().sightings.map((sighting) => (sighting.kind === "login" ? ["login", sighting.failed] : sighting.kind)),
      ["missing", ["login", true], "clean"],
    );
  });
});

describe("large bodies", () => {
  const limits = { formBytesMax: 8192, textBytesMax: 4096 } as const;

  test("go on once their beginning has passed, and are not held", async (t) => {
    const { addDrone, connect, ingress, counters } = await watched(t, { body: limits });
    const drone = await addDrone(silent);
    const client = await connect();
    client.send(`${post("", "application/octet-stream").replace("Length: 0", "Length: 100000000")}${"x".repeat(5000)}`);
    // The app has it while the client is still sending.
    await until(() => drone.exchanges.length === 1);
    await until(() => ingress.held.bytes <= 300_000);
    assert.equal(counters.counter("cellws_immune_judged_total", { verdict: "pass" }).value, 1);
    assert.equal(counters.counter("cellws_immune_unseen_bodies_total", {}).value, 1);
  });

  test("are passed on whole and in order, however the pieces fall", async (t) => {
    const { addDrone, connect } = await watched(t, { body: limits });
    await addDrone(echo);
    const body = Array.from({ length: 60_000 }, (_, i) => String(i)).join(",");
    const client = await connect();
    client.send(post(body, "text/plain", "Connection: close\r\n"));
    const text = await client.toEnd();
    const answered = text.slice(text.indexOf("\r\n\r\n") + 4);
    assert.equal(dechunk(answered), body);
  });

  test("are refused by what stands in their beginning", async (t) => {
    const { addDrone, connect } = await watched(t, { body: limits });
    const drone = await addDrone(silent);
    const client = await connect();
    client.send(`${post("", "text/plain").replace("Length: 0", "Length: 100000")}attack${"x".repeat(5000)}`);
    await client.until(/403/);
    assert.equal(drone.exchanges.length, 0);
  });

  test("are answered with 413 where the DNA wants nothing unseen", async (t) => {
    const { addDrone, connect } = await watched(t, { body: { ...limits, overLimit: "reject" } });
    const drone = await addDrone(silent);
    const client = await connect();
    client.send(`${post("", "text/plain").replace("Length: 0", "Length: 100000")}${"x".repeat(5000)}`);
    await client.until(/^HTTP\/1\.1 413 /);
    assert.equal(drone.exchanges.length, 0);
  });
});

describe("filters of the user's", () => {
  const noCats: ImmuneFilter = ({ query, body, headers }) => {
    if (query["pet"]?.includes("cat")) return { verdict: "block", reason: "cats are not served", score: 7 };
    if (Buffer.from(body).includes("cat")) return "block";
    return headers["x-pet"] === "cat" ? "watch" : undefined;
  };

  test("are asked about each request, and block or watch", async (t) => {
    const { addDrone, connect, audit, told } = await watched(t, {}, { filters: [noCats] });
    await addDrone(answer("hello"));
    await (await connect()).send(get("/?pet=cat")).until(/403/);
    await (await connect()).send(post("a=cat")).until(/403/);
    await (await connect()).send(get("/", "X-Pet: cat\r\n")).until(/hello/);
    await (await connect()).send(get("/?pet=dog")).until(/hello/);
    await until(() => audit().length === 3);
    assert.deepEqual(
      audit().map(({ verdict, filters, score }) => [verdict, filters, score]),
      [
        ["block", ["noCats"], 7],
        ["block", ["noCats"], 5],
        ["watch", ["noCats"], 0],
      ],
    );
    assert.equal(told.take().marks[0]?.evidence, "GET /; noCats: cats are not served");
  });

  test("one that throws, never ends or answers later refuses the request, and the log says why", async (t) => {
    const filters: Record<string, ImmuneFilter> = {
      throws: () => {
        throw new Error("no such table");
      },
      endless: () => {
        for (;;);
      },
      // @ts-expect-error It must answer at once.
      promises: async () => "pass",
    };
    for (const [name, expected] of [
      ["throws", /filter throws .*no such table/],
      ["endless", /more than 50 ms of the processor/],
      ["promises", /neither "pass"/],
    ] as const) {
      const { addDrone, connect, errors, counters } = await watched(t, {}, { filters: [filters[name]!] });
      await addDrone(answer("hello"));
      await (await connect()).send(get("/")).until(/^HTTP\/1\.1 403/);
      assert.match(errors[0] ?? "", expected);
      assert.equal(counters.counter("cellws_immune_overrun_total", {}).value, 1);
    }
  });
});

describe("answers", () => {
  const leak = (body: string) => answer(body, ["Content-Type", "text/html"]);

  test("are not looked at unless the DNA asks for it", async (t) => {
    const { addDrone, connect } = await watched(t);
    await addDrone(leak("ORA-01756: quoted string not properly terminated"));
    await (await connect()).send(get("/")).until(/ORA-01756/);
  });

  test("that leak are refused, with a mark and a line", async (t) => {
    const { addDrone, connect, audit, told } = await watched(t, { responses: true });
    await addDrone(leak("ORA-01756: quoted string not properly terminated"));
    const text = await (await connect()).send(get("/")).until(/request: \S+\n$/);
    assert.match(text, /^HTTP\/1\.1 403 /);
    await until(() => audit().length === 1);
    assert.deepEqual(audit()[0]?.["rules"], [1006]);
    assert.equal(told.take().marks.length, 1);
  });

  test("that are refused get the status that the DNA names, or nothing at all, also where answers are compressed", async (t) => {
    for (const on of [false, true]) {
      const options = { http: { compression: { on } } };
      const { addDrone, connect } = await watched(t, { responses: true, block: { status: 404 } }, options);
      await addDrone((exchange) =>
        leak(exchange.request.target === "/core" ? "core dumped" : "ORA-01756: quoted string")(exchange),
      );
      const accepts = "Accept-Encoding: gzip\r\n";
      await (await connect()).send(get("/", accepts)).until(/^HTTP\/1\.1 404 /);
      assert.equal(await (await connect()).send(get("/core", accepts)).toEnd(), "");
    }
  });

  test("that leak nothing arrive as they are, whatever their length and kind", async (t) => {
    const { addDrone, connect } = await watched(t, { responses: true });
    const long = "<p>hello</p>".repeat(100_000);
    const drone = await addDrone((exchange) =>
      exchange.request.target === "/long"
        ? leak(long)(exchange)
        : answer("ORA-01756", ["Content-Type", "image/png"])(exchange),
    );
    const client = await connect();
    client.send(get("/long", "Connection: close\r\n"));
    assert.equal((await client.toEnd()).split("\r\n\r\n")[1], long);
    await (await connect()).send(get("/picture")).until(/ORA-01756$/);
    assert.equal(drone.exchanges.length, 2);
  });
});

test("over HTTP/2 the same is judged, and the same is answered", async (t) => {
  const { addDrone, port, audit } = await watched(t, {}, { protocol: "h2" });
  await addDrone(echo);
  const session = http2.connect(`http://127.0.0.1:${port}`);
  t.after(() => session.destroy());
  const ask = (headers: http2.OutgoingHttpHeaders, body?: string): Promise<{ status: number; text: string }> =>
    new Promise((resolve, reject) => {
      const stream = session.request(headers, { endStream: body === undefined });
      let status = 0;
      let text = "";
      stream.setEncoding("utf8");
      stream.on("response", (fields) => (status = Number(fields[":status"])));
      stream.on("data", (chunk: string) => (text += chunk));
      stream.on("end", () => resolve({ status, text }));
      stream.on("error", reject);
      if (body !== undefined) stream.end(body);
    });
  assert.equal((await ask({ ":path": "/?q=attack" })).status, 403);
  const form = { ":path": "/", ":method": "POST", "content-type": "application/x-www-form-urlencoded" };
  assert.deepEqual(await ask(form, "a=tea"), { status: 200, text: "a=tea" });
  const refused = await ask(form, "a=attack");
  assert.equal(refused.status, 403);
  assert.match(refused.text, /^403 Forbidden\nrequest: \S+\n$/);
  await until(() => audit().length === 3);
  assert.deepEqual(
    audit().map((line) => line["rules"]),
    [[1007, 1001], [1007], [1007, 1001]],
  );
});

function dechunk(text: string): string {
  let rest = text;
  let body = "";
  for (;;) {
    const end = rest.indexOf("\r\n");
    const size = Number.parseInt(rest.slice(0, end), 16);
    if (!(size > 0)) return body;
    body += rest.slice(end + 2, end + 2 + size);
    rest = rest.slice(end + 2 + size + 2);
  }
}

test("a head that is no HTTP is refused, and judged all the same: the mark and the line say what it was", async (t) => {
  const { connect, told, audit } = await watched(t);
  const client = await connect();
  const text = await client.send("GET /a b HTTP/1.1\r\nHost: a\r\nUser-Agent: scanner\r\n\r\n").toEnd();
  assert.match(text, /^HTTP\/1\.1 400 /);
  const [, id] = /X-Request-Id: (\S+)/.exec(text)!;
  await until(() => audit().length === 1);
  const { requestId, target, verdict, rules: fired } = audit()[0]!;
  assert.deepEqual([requestId, target, verdict, fired], [id, "/a b", "block", [1002]]);
  assert.equal(told.take().marks[0]?.attackClass, "scanner");
});

describe("the built-in filters", () => {
  const alone = { rules: [] } as const;

  test("run where no rules are named, with ids, a score and a mark", async (t) => {
    const { addDrone, connect, audit, told } = await watched(t, alone);
    await addDrone(answer("hello"));
    await (await connect()).send(get("/?name=O%27Brien&q=select+a+seat+from+the+map")).until(/hello/);
    await (await connect()).send(get("/?id=1%27+OR+1=1--+-")).until(/^HTTP\/1\.1 403/);
    await (await connect()).send(post("a=<script>alert(1)</script>")).until(/^HTTP\/1\.1 403/);
    await until(() => audit().length === 2);
    assert.ok(audit().every(({ score, rules: fired }) => Number(score) >= 5 && (fired as number[]).length > 0));
    assert.deepEqual(
      told.take().marks.map(({ attackClass }) => attackClass),
      ["sql-injection", "cross-site-scripting"],
    );
  });

  test("leave out what the DNA excludes, and do not run where rules are named, unless they are asked to", async (t) => {
    const sqlInId = get("/?id=1%27+OR+1=1--+-");
    const excluded = await watched(t, { ...alone, exclude: [{ filter: "*", parameter: "id" }] });
    await excluded.addDrone(answer("hello"));
    await (await excluded.connect()).send(sqlInId).until(/hello/);
    const withRules = await watched(t);
    await withRules.addDrone(answer("hello"));
    await (await withRules.connect()).send(sqlInId).until(/hello/);
    const both = await watched(t, { builtin: true });
    await both.addDrone(answer("hello"));
    await (await both.connect()).send(sqlInId).until(/^HTTP\/1\.1 403/);
  });

  test("judge a large body in turns, and find what stands at its end", async (t) => {
    const { addDrone, connect } = await watched(t, alone);
    await addDrone(answer("hello"));
    const text = "Long is the way, and the weather was fine. ".repeat(2_500);
    await (await connect()).send(post(JSON.stringify({ text }), "application/json")).until(/hello/);
    const bad = JSON.stringify({ text, id: "1' OR 1=1-- -" });
    await (await connect()).send(post(bad, "application/json")).until(/^HTTP\/1\.1 403/);
  });
});

test("where only built-in filters run, a body that says it is no text goes on as it comes", async (t) => {
  const { addDrone, connect } = await watched(t, { rules: [] });
  const drone = await addDrone(silent);
  const client = await connect();
  client.send(post("", "application/octet-stream").replace("Length: 0", "Length: 1000"));
  client.send("a piece");
  await until(() => drone.exchanges.length === 1);
});
