// Reports to real receivers on this machine: HTTP servers and an SMTP server of a few lines.
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { once } from "node:events";
import fs from "node:fs";
import http from "node:http";
import net from "node:net";
import os from "node:os";
import path from "node:path";
import { describe, test, type TestContext } from "node:test";
import { openMemory, type Memory } from "../../src/host/immune/memory.ts";
import { abuseIpdbChannel } from "../../src/host/immune/report/abuse-ipdb.ts";
import type { Delivery, ReportChannel } from "../../src/host/immune/report/channel.ts";
import { attemptsMax, backoffMsMin, Outbox, waitingMax } from "../../src/host/immune/report/outbox.ts";
import { smtpChannel } from "../../src/host/immune/report/smtp.ts";
import { webhookChannel } from "../../src/host/immune/report/webhook.ts";
import type { Incident } from "../../src/immune/report/incident.ts";
import type { XarfReport } from "../../src/immune/report/xarf.ts";

const reporter = { org: "Example Shop", contact: "abuse@shop.example", domain: "shop.example" };
const incident: Incident = {
  id: "192.0.2.7#1",
  range: "192.0.2.7",
  source: "192.0.2.7",
  sources: 1,
  attackClass: "sql-injection",
  requests: 12,
  firstSeen: "2026-11-22T10:00:00.000Z",
  lastSeen: "2026-11-22T10:05:00.000Z",
  rules: [942_100],
  evidence: ["GET /search?q=[value]"],
};
const secret = `whsec_${Buffer.from("a secret of some length").toString("base64")}`;

interface Got {
  readonly url: string;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: string;
}

async function receiver(t: TestContext, answer: (response: http.ServerResponse, count: number) => void) {
  const got: Got[] = [];
  const server = http.createServer((request, response) => {
    let body = "";
    request.on("data", (chunk) => (body += String(chunk)));
    request.on("end", () => {
      got.push({ url: request.url ?? "", headers: request.headers, body });
      answer(response, got.length);
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as net.AddressInfo).port}/hook`, got };
}

function memoryOf(t: TestContext, clock: { wallMs: number }, file?: string): { memory: Memory; file: string } {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), "cellws-outbox-"));
  const at = file ?? path.join(dir, "immune.db");
  const { memory } = openMemory({
    file: at,
    holder: "t",
    clock: { wallMs: () => clock.wallMs, monotonicMs: () => clock.wallMs },
  });
  assert.ok(memory.takeLease());
  t.after(() => {
    memory.close();
    fs.rmSync(dir, { recursive: true, force: true });
  });
  return { memory, file: at };
}

const states = (outbox: Outbox): string[] => outbox.entries().map(({ channel, state }) => `${channel}: ${state}`);

describe("a webhook", () => {
  test("gets XARF, signed as Standard Webhooks has it, by each secret", async (t) => {
    const { url, got } = await receiver(t, (response) => response.end("thanks"));
    const other = `whsec_${Buffer.from("the next secret").toString("base64")}`;
    const channel = webhookChannel({ url, secrets: [secret, other], reporter, wallMs: () => 1_700_000_000_500 });
    assert.deepEqual(await channel.send(incident), { outcome: "delivered", told: "200 thanks" });
    const [{ headers, body } = assert.fail()] = got;
    const xarf = JSON.parse(body) as XarfReport;
    assert.deepEqual([xarf.source_identifier, xarf.type], ["192.0.2.7", "sql_injection"]);
    assert.match(xarf.report_id, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    assert.equal(headers["webhook-id"], `msg_${xarf.report_id}`);
    assert.equal(headers["webhook-timestamp"], "1700000000");
    const signed = `msg_${xarf.report_id}.1700000000.${body}`;
    const expected = ["a secret of some length", "the next secret"].map(
      (key) => `v1,${createHmac("sha256", key).update(signed).digest("base64")}`,
    );
    assert.deepEqual(String(headers["webhook-signature"]).split(" "), expected);
  });

  for (const [status, headers, outcome] of [
    [429, { "retry-after": "120" }, { outcome: "again", afterMs: 120_000 }],
    [503, {}, { outcome: "again" }],
    [400, {}, { outcome: "never" }],
    [302, { location: "http://127.0.0.1:1/" }, { outcome: "never" }],
  ] as const) {
    test(`that answers ${status} is tried ${outcome.outcome === "again" ? "again later" : "no more"}`, async (t) => {
      const { url, got } = await receiver(t, (response) => response.writeHead(status, headers).end("no"));
      const { told, ...found } = await webhookChannel({ url, secrets: [secret], reporter }).send(incident);
      assert.deepEqual(found, outcome);
      assert.match(told, new RegExp(`^${status} `));
      assert.equal(got.length, 1);
    });
  }

  test("that hangs up after it has read may have got it; one that is not there has not", async (t) => {
    const { url } = await receiver(t, (response) => response.socket?.destroy());
    assert.equal((await webhookChannel({ url, secrets: [secret], reporter }).send(incident)).outcome, "perhaps");
    const nobody = net.createServer().listen(0, "127.0.0.1");
    await once(nobody, "listening");
    const { port } = nobody.address() as net.AddressInfo;
    nobody.close();
    await once(nobody, "close");
    const gone = webhookChannel({ url: `http://127.0.0.1:${port}/`, secrets: [secret], reporter });
    assert.equal((await gone.send(incident)).outcome, "again");
  });
});

test("AbuseIPDB gets its form, and the key in its header", async (t) => {
  const { url, got } = await receiver(t, (response) => response.end('{"data":{"abuseConfidenceScore":52}}'));
  assert.equal((await abuseIpdbChannel({ url, key: "k" }).send(incident)).outcome, "delivered");
  const [{ headers, body } = assert.fail()] = got;
  assert.equal(headers["key"], "k");
  assert.equal(headers["content-type"], "application/x-www-form-urlencoded");
  const form = new URLSearchParams(body);
  assert.deepEqual([...form.keys()], ["ip", "categories", "comment", "timestamp"]);
  assert.deepEqual([form.get("ip"), form.get("categories")], ["192.0.2.7", "21,16"]);
});

describe("a mail server", () => {
  /** Says `replies` to commands by their first word, and what the protocol wants otherwise. */
  async function mailServer(t: TestContext, replies: Record<string, string | null> = {}) {
    const mails: string[] = [];
    const heard: string[] = [];
    const server = net.createServer((socket) => {
      let rest = "";
      let inData = false;
      const say = (line: string): void => void socket.write(`${line}\r\n`);
      say("220 mail.example ESMTP");
      socket.on("error", () => undefined);
      socket.on("data", (chunk) => {
        rest += chunk.toString("latin1");
        for (;;) {
          const end = rest.indexOf(inData ? "\r\n.\r\n" : "\r\n");
          if (end < 0) return;
          const text = rest.slice(0, end);
          rest = rest.slice(end + (inData ? 5 : 2));
          const word = inData ? "." : text.split(/[ :]/)[0]!.toUpperCase();
          if (inData) mails.push(text);
          else heard.push(text);
          inData = false;
          const reply = replies[word];
          if (reply === null) return void socket.destroy();
          if (reply !== undefined) say(reply);
          else if (word === "EHLO") say("250-mail.example\r\n250 AUTH PLAIN");
          else if (word === "AUTH") say("235 ok");
          else if (word === "DATA") {
            inData = true;
            say("354 go on");
          } else if (word === "QUIT") {
            say("221 bye");
            socket.end();
          } else say(word === "." ? "250 queued as 42" : "250 ok");
        }
      });
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    t.after(() => server.close());
    const channel = smtpChannel({
      host: "127.0.0.1",
      port: (server.address() as net.AddressInfo).port,
      security: "none",
      auth: { user: "shop", pass: "secret" },
      from: "abuse@shop.example",
      to: "abuse@isp.example",
      reporter,
    });
    return { channel, mails, heard };
  }

  test("gets multipart/report with a text, the fields of RFC 5965 and XARF", async (t) => {
    const { channel, mails, heard } = await mailServer(t);
    assert.deepEqual(await channel.send(incident), { outcome: "delivered", told: "250 queued as 42" });
    assert.ok(heard.includes("MAIL FROM:<abuse@shop.example>") && heard.includes("RCPT TO:<abuse@isp.example>"));
    assert.ok(heard.some((line) => line.startsWith("AUTH PLAIN")));
    const [mail = ""] = mails;
    assert.ok(mail.split("\r\n").every((line) => line.length <= 998 && /^[\x20-\x7e]*$/.test(line)));
    const [head = "", ...rest] = mail.split("\r\n\r\n");
    const [, boundary = ""] = /Content-Type: multipart\/report; report-type=feedback-report; boundary="(.*)"/.exec(
      head,
    )!;
    assert.match(head, /^Subject: Abuse report: sql-injection from 192\.0\.2\.7\r$/m);
    const parts = rest.join("\r\n\r\n").split(`--${boundary}`);
    assert.equal(parts.length, 5, "nothing, three parts, the end");
    assert.match(parts[1]!, /^\r\nContent-Type: text\/plain[^]*12 malicious HTTP requests/);
    assert.match(
      parts[2]!,
      /Content-Type: message\/feedback-report\r\n\r\nFeedback-Type: abuse\r\nUser-Agent: cellws\r\nVersion: 1\r\nSource-IP: 192\.0\.2\.7\r\n/,
    );
    const [, encoded = ""] = /base64\r\n\r\n([^]*?)\r\n\r\n/.exec(parts[3]!)!;
    const xarf = JSON.parse(Buffer.from(encoded, "base64").toString()) as XarfReport;
    assert.equal(xarf.source_identifier, "192.0.2.7");
    assert.match(head, new RegExp(`^Message-ID: <${xarf.report_id}@shop\\.example>\\r$`, "m"));
  });

  for (const [what, replies, outcome] of [
    ["says that it is busy", { MAIL: "451 try later" }, "again"],
    ["refuses the receiver", { RCPT: "550 no such user" }, "never"],
    ["refuses the password", { AUTH: "535 wrong" }, "never"],
    ["hangs up at once", { EHLO: null }, "again"],
    ["hangs up after it has read the mail", { ".": null }, "perhaps"],
  ] as const) {
    test(`that ${what} is as one says: ${outcome}`, async (t) => {
      const { channel } = await mailServer(t, replies);
      assert.equal((await channel.send(incident)).outcome, outcome);
    });
  }
});

describe("the outbox", () => {
  /** Answers each time with the next of `deliveries`, the last for ever. */
  function scripted(name: string, ...deliveries: Delivery["outcome"][]) {
    const sent: string[] = [];
    const channel: ReportChannel = {
      name,
      send: ({ id }) => {
        sent.push(id);
        const outcome = deliveries[Math.min(sent.length, deliveries.length) - 1]!;
        return Promise.resolve({ outcome, told: outcome });
      },
    };
    return { channel, sent };
  }

  test("sends one report an incident and channel, however often it is told of it", async (t) => {
    const { memory } = memoryOf(t, { wallMs: 1_000 });
    const [one, two] = [scripted("one", "delivered"), scripted("two", "delivered")];
    const outbox = new Outbox({ memory, channels: [one.channel, two.channel], dryRun: false });
    assert.equal(outbox.add(incident), 2);
    assert.equal(outbox.add({ ...incident, requests: 99 }), 0);
    assert.equal(await outbox.deliver(), 2);
    assert.equal(await outbox.deliver(), 0);
    assert.deepEqual([one.sent, two.sent], [[incident.id], [incident.id]]);
    assert.deepEqual(states(outbox), ["one: sent", "two: sent"]);
  });

  test("tries again what has surely not arrived, after longer and longer, and gives up", async (t) => {
    const clock = { wallMs: 1_000_000 };
    const { memory } = memoryOf(t, clock);
    const { channel, sent } = scripted("one", "again");
    const outbox = new Outbox({ memory, channels: [channel], dryRun: false, random: () => 0.5 });
    outbox.add(incident);
    const waits: number[] = [];
    for (let i = 1; i < attemptsMax; i += 1) {
      await outbox.deliver();
      const [{ nextMs, state } = assert.fail()] = outbox.entries();
      assert.equal(state, "waiting");
      waits.push((nextMs - clock.wallMs) / backoffMsMin);
      clock.wallMs = nextMs - 1;
      assert.equal(await outbox.deliver(), 0, "not before its time");
      clock.wallMs = nextMs;
      memory.takeLease();
    }
    await outbox.deliver();
    assert.deepEqual(waits, [1, 2, 4, 8, 16, 32, 64, 128, 256]);
    assert.deepEqual(states(outbox), ["one: failed"]);
    assert.equal(sent.length, attemptsMax);
  });

  test("does not repeat what may have arrived, also when its sender died on the way", async (t) => {
    const clock = { wallMs: 1_000 };
    const { memory } = memoryOf(t, clock);
    const { channel, sent } = scripted("one", "perhaps");
    const outbox = new Outbox({ memory, channels: [channel], dryRun: false });
    outbox.add(incident);
    outbox.add({ ...incident, id: "died" });
    memory.write(() => memory.run("UPDATE outbox SET state = 'sending' WHERE incident = 'died'"));
    for (let i = 0; i < 3; i += 1) await outbox.deliver();
    assert.deepEqual(sent, [incident.id]);
    assert.deepEqual(states(outbox), ["one: uncertain", "one: uncertain"]);
  });

  test("sends nothing in a dry run, and shows what would have been sent", async (t) => {
    const { memory } = memoryOf(t, { wallMs: 1_000 });
    const { channel, sent } = scripted("one", "delivered");
    const outbox = new Outbox({ memory, channels: [channel], dryRun: true });
    assert.equal(outbox.add(incident), 1);
    await outbox.deliver();
    assert.deepEqual(sent, []);
    const [{ state, body } = assert.fail()] = outbox.entries();
    assert.deepEqual([state, body], ["dry-run", incident]);
    // What was only tried is not sent when it becomes serious.
    await new Outbox({ memory, channels: [channel], dryRun: false }).deliver();
    assert.deepEqual(sent, []);
  });

  test("takes no more than so many, and a channel that throws is as one that broke off", async (t) => {
    const { memory } = memoryOf(t, { wallMs: 1_000 });
    const channel: ReportChannel = { name: "one", send: () => Promise.reject(new Error("a bug")) };
    const outbox = new Outbox({ memory, channels: [channel], dryRun: false });
    for (let i = 0; i < waitingMax + 5; i += 1) outbox.add({ ...incident, id: `i${i}` });
    assert.equal(outbox.entries(waitingMax + 5).length, waitingMax);
    await outbox.deliver();
    assert.equal(outbox.entries(waitingMax).filter(({ state }) => state === "uncertain").length, 10);
  });

  test("is emptied by who has the lease, and by nobody else", async (t) => {
    const clock = { wallMs: 1_000 };
    const { file } = memoryOf(t, clock);
    const { memory } = openMemory({ file, holder: "other", clock: { wallMs: () => 1_000, monotonicMs: () => 1_000 } });
    t.after(() => memory.close());
    const { channel, sent } = scripted("one", "delivered");
    const outbox = new Outbox({ memory, channels: [channel], dryRun: false });
    assert.equal(outbox.add(incident), 1, "any T cell may put a report in");
    await outbox.deliver();
    assert.deepEqual(sent, []);
  });
});
