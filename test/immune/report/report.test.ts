import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { describe, test } from "node:test";
import fc from "fast-check";
import type { BanBody } from "../../../src/core/record.ts";
import { toAbuseIpdb } from "../../../src/immune/report/abuse-ipdb.ts";
import { toFeedbackMail } from "../../../src/immune/report/feedback-mail.ts";
import { IncidentBook, type Incident } from "../../../src/immune/report/incident.ts";
import { stripped } from "../../../src/immune/report/strip.ts";
import { toXarf } from "../../../src/immune/report/xarf.ts";

const reporter = { org: "Example Shop", contact: "abuse@shop.example", domain: "shop.example" };
const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");
const reportId = "458017ee-b2ab-4944-a7c1-07add95f11fe";
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

describe("what leaves the house", () => {
  for (const [what, text, kept] of [
    [
      "values of a query",
      "GET /a?user=ann&q=1' OR 1=1-- HTTP/1.1",
      "GET /a?user=[value]&q=[value] OR 1=[value] HTTP/1.1",
    ],
    ["a cookie", "Cookie: sid=abc123; theme=dark", "Cookie: [removed]"],
    ["an authorization", "authorization: Basic YW5uOnNlY3JldA==", "authorization: [removed]"],
    ["a bearer token in running text", "sent Bearer abc.def-123 along", "sent Bearer [removed] along"],
    ["a mail address", "login of ann.lee+x@mail.example.com failed", "login of [mail address] failed"],
    ["an encoded mail address", "/u/ann%40mail.example.com", "/u/[mail address]"],
    ["other people's addresses", "from 10.1.2.3 and 2001:db8::7", "from [address] and [address]"],
    ["a card's number", "card 4111 1111 1111 1111 used", "card [number] used"],
    ["a session's id", "/s/9f86d081884c7d659a2feaa0c55ad015/x", "/s/[token]/x"],
    ["a signed token", "t eyJhbGciOi.eyJzdWIi.c2ln", "t [token]"],
    ["a password in a URL", "http://ann:secret@host/", "http://[removed]@host/"],
    ["nothing that tells the attack", "POST /wp-login.php rule 942100", "POST /wp-login.php rule 942100"],
  ] as const) {
    test(`has lost ${what}`, () => assert.equal(stripped(text), kept));
  }

  test("is short and printable whatever came, and soon done", () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 400, unit: "binary" }), (text) => {
        assert.match(stripped(text), /^[\x20-\x7e]{0,200}$/);
      }),
    );
    for (const unit of ["a=", "1 ", "a.", "a:", "a-", "//a:", "@", "eyJa."]) stripped(unit.repeat(10_000));
  });
});

describe("an incident", () => {
  const ban: BanBody = {
    kind: "ban",
    range: "192.0.2.0/24",
    action: "ban",
    reason: "sql-injection",
    offence: 1,
    issuedAtMs: 0,
    untilMs: 1,
    incident: "192.0.2.0/24#1",
  };
  const toTime = (ms: number): string => new Date(ms).toISOString();

  test("is one, however many requests, and speaks of the source that sent most", () => {
    const book = new IncidentBook();
    const mark = { attackClass: "sql-injection", score: 5, cell: "b", evidence: "GET /?q=secret" } as const;
    for (let i = 0; i < 30; i += 1) {
      const client = i % 3 === 0 ? "192.0.2.1" : "192.0.2.2";
      book.note({ ...mark, id: String(i), client, rules: [i % 4], atMs: 1_000 * i });
    }
    book.note({ ...mark, id: "x", client: "198.51.100.1", rules: [99], atMs: 0 });
    assert.deepEqual(book.incidentOf(ban, 500, toTime), {
      id: "192.0.2.0/24#1",
      range: "192.0.2.0/24",
      source: "192.0.2.2",
      sources: 2,
      attackClass: "sql-injection",
      requests: 30,
      firstSeen: "1970-01-01T00:00:00.500Z",
      lastSeen: "1970-01-01T00:00:29.500Z",
      rules: [0, 3, 2, 1],
      evidence: Array.from({ length: 5 }, () => "GET /?q=[value]"),
    });
    assert.equal(book.incidentOf({ ...ban, range: "203.0.113.0/24" }, 0, toTime), null);
  });

  test("is XARF v4 with what its schema requires", () => {
    const xarf = toXarf(incident, { reporter, reportId, sha256 });
    const { evidence, description, ...rest } = xarf;
    assert.deepEqual(rest, {
      xarf_version: "4.2.0",
      report_id: reportId,
      timestamp: "2026-11-22T10:05:00.000Z",
      reporter,
      sender: reporter,
      source_identifier: "192.0.2.7",
      category: "connection",
      type: "sql_injection",
      attempts_count: 12,
      evidence_source: "ids_detection",
      protocol: "tcp",
      first_seen: "2026-11-22T10:00:00.000Z",
      last_seen: "2026-11-22T10:05:00.000Z",
      tags: ["attack:sql-injection"],
    });
    assert.match(
      description,
      /^12 malicious HTTP requests \(sql-injection\) from this address between .* Rules: 942100\.$/,
    );
    assert.equal(Buffer.from(String(evidence[0]!["payload"]), "base64").toString(), "GET /search?q=[value]");
    assert.match(String(evidence[0]!["hash"]), /^sha256:[0-9a-f]{64}$/);
  });

  for (const [attackClass, type] of [
    ["credentials", "login_attack"],
    ["probing", "vuln_scanning"],
    ["file-inclusion", "vuln_scanning"],
  ] as const) {
    test(`of ${attackClass} is a ${type}`, () => {
      assert.equal(toXarf({ ...incident, attackClass }, { reporter, reportId, sha256 }).type, type);
    });
  }

  test("is AbuseIPDB's form, with a comment that gives nobody away", () => {
    const form = toAbuseIpdb({ ...incident, rules: Array.from({ length: 400 }, (_, i) => 900_000 + i) });
    assert.deepEqual([form.ip, form.categories, form.timestamp], ["192.0.2.7", "21,16", incident.lastSeen]);
    assert.ok(form.comment.length <= 1_024);
    assert.ok(!form.comment.includes("/search"));
  });

  test("is a mail whose headers nobody else can write", () => {
    const xarf = toXarf(incident, { reporter, reportId, sha256 });
    const frame = {
      from: "a@b.example",
      to: "c@d.example",
      date: "x",
      messageId: "m@b",
      boundary: "B",
      userAgent: "cellws",
    };
    for (const change of [{ from: "a@b\r\nBcc: x@y" }, { boundary: "B\n" }]) {
      assert.throws(() => toFeedbackMail(incident, xarf, { ...frame, ...change }), /printable line/);
    }
  });
});
