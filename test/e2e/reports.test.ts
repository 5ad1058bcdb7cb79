// Reports by mail from a living organism to a real mail server: encrypted, with a login, read by a parser that is not ours; while
// the server is down, while cells die, and where it asks to come back later.
import assert from "node:assert/strict";
import { readFileSync, rmSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test, type TestContext } from "node:test";
import PostalMime from "postal-mime";
import { SMTPServer, type SMTPServerSession } from "smtp-server";
import { backoffMsMin } from "../../src/host/immune/report/outbox.ts";
import type { XarfReport } from "../../src/immune/report/xarf.ts";
import { certificateFolder, makeCertificate, opensslMissing, type CertificatePair } from "../support/certificates.ts";
import { type Organism, startOrganism } from "./organism.ts";

const app = `
import http from "node:http";
http.createServer((request, response) => {
  response.statusCode = request.url === "/" ? 200 : 404;
  response.end();
}).listen(3000);
`;
const [user, password] = ["reporter", "a password of some length"];
const [sender, receiver] = ["abuse@shop.example", "abuse@isp.example"];

test(
  "each incident is mailed once, whatever becomes of the mail server and of the cells meanwhile",
  { skip: opensslMissing() },
  async (t) => {
    const certificate = makeCertificate(certificateFolder(t));
    // Known to be free, and then nobody is there.
    const mailbox = await openMailbox(t, certificate, 0);
    const { port } = mailbox;
    await mailbox.close();
    const first = await startOrganism(t, {
      app: "app.mjs",
      files: { "app.mjs": app, "mail.password": password },
      scratchEnv: { PASSWORD_FILE: "mail.password" },
      env: { NODE_EXTRA_CA_CERTS: certificate.cert },
      dna: `export default {
        http: { trustedProxies: ["127.0.0.0/8"] },
        cells: { bCell: { min: 1, max: 1 }, drone: { min: 1, max: 1 } },
        immune: {
          mode: "block",
          report: {
            mode: "on",
            reporter: { org: "Shop", contact: "${sender}", domain: "shop.example" },
            mail: {
              server: "127.0.0.1", serverPort: ${port}, user: "${user}", passwordFile: process.env.PASSWORD_FILE,
              from: "${sender}", to: "${receiver}",
            },
          },
        },
      };`,
    });
    await first.request();
    await attack(first, "203.0.113.7");
    const [waiting] = await first.until("the mail server to be found missing", () => {
      const rows = outboxOf(first);
      return rows.some(({ state, attempts }) => state === "waiting" && attempts > 0) ? rows : null;
    });
    assert.deepEqual([waiting?.state, waiting?.attempts], ["waiting", 1]);
    assert.match(waiting?.told ?? "", /ECONNREFUSED/);
    const pauseMs = (waiting?.next_ms ?? 0) - Date.now();
    assert.ok(pauseMs > 0.5 * backoffMsMin && pauseMs < 1.5 * backoffMsMin, `tried again in ${pauseMs} ms`);

    // Nobody is left, and its memory is all that there is.
    for (const { pid } of first.processes()) process.kill(pid, "SIGKILL");
    await first.gone();
    const again = await openMailbox(t, certificate, port);
    rmSync(join(first.runDir, "organism.json"), { force: true });
    const organism = first.again({});
    t.after(() => organism.end());
    await organism.start();
    // No attack, one harmless request: whoever sends what waits is there all the same.
    await organism.request();
    await organism.grown({ "t-cell": 1 });
    assert.equal(again.mails.length, 0, "not before its time");
    theMinuteIsOver(organism);
    await organism.until("the mail", () => again.mails.length === 1);
    const ids = [await checkMail(again.mails[0]!, "203.0.113.7")];

    // While it is up, at once; while it is busy, later.
    await attack(organism, "203.0.113.8");
    await organism.until("the second mail", () => again.mails.length === 2);
    ids.push(await checkMail(again.mails[1]!, "203.0.113.8"));
    again.beBusy(true);
    await attack(organism, "203.0.113.9");
    await organism.until("it to be sent away", () => outboxOf(organism).some(({ told }) => told.includes("451")));
    again.beBusy(false);
    theMinuteIsOver(organism);
    await organism.until("the third mail", () => again.mails.length === 3);
    ids.push(await checkMail(again.mails[2]!, "203.0.113.9"));

    await organism.until("all to be sent", () => outboxOf(organism).every(({ state }) => state === "sent"));
    const { code, stdout, stderr } = await organism.cli("threats", "--json");
    assert.equal(code, 0, stderr);
    const { reports } = JSON.parse(stdout) as { reports: Array<Record<string, unknown>> };
    assert.deepEqual(
      reports.map(({ incident, channel, state, attempts }) => [incident, channel, state, attempts]).toReversed(),
      [
        ["203.0.113.7#1", "smtp", "sent", 2],
        ["203.0.113.8#1", "smtp", "sent", 1],
        ["203.0.113.9#1", "smtp", "sent", 2],
      ],
    );
    assert.equal(new Set(ids).size, 3);
    assert.doesNotMatch(organism.logs() + readFileSync(memoryOf(organism), "latin1"), new RegExp(password));
  },
);

/** Returns the message's id. */
async function checkMail({ raw, ...told }: Received, attacker: string): Promise<string> {
  const mail = await PostalMime.parse(raw);
  assert.deepEqual(told, { isEncrypted: true, user, from: sender, to: [receiver] });
  assert.equal(mail.from?.address, sender);
  assert.deepEqual(
    mail.to?.map(({ address }) => address),
    [receiver],
  );
  assert.equal(mail.subject, `Abuse report: probing from ${attacker}`);
  assert.ok(Math.abs(Date.parse(mail.date ?? "") - Date.now()) < 3_600_000, mail.date);
  const type = mail.headers.find(({ key }) => key === "content-type")?.value ?? "";
  assert.match(type, /^multipart\/report; report-type=feedback-report;/);
  assert.match(mail.text ?? "", /\d+ malicious HTTP requests\s+\(probing\)\s+from this address/);
  const parts = new Map(mail.attachments.map(({ mimeType, content }) => [mimeType, textOf(content)]));
  assert.deepEqual([...parts.keys()], ["message/feedback-report", "application/json"]);
  assert.match(
    parts.get("message/feedback-report") ?? "",
    new RegExp(`^Feedback-Type: abuse\\r?\\n[^]*^Source-IP: ${attacker}\\r?$[^]*^Incidents: \\d+\\r?$`, "m"),
  );
  const xarf = JSON.parse(parts.get("application/json") ?? "") as XarfReport;
  assert.equal(xarf.source_identifier, attacker);
  assert.equal(mail.messageId, `<${xarf.report_id}@shop.example>`);
  return mail.messageId;
}

const textOf = (content: string | ArrayBuffer | Uint8Array): string =>
  typeof content === "string" ? content : Buffer.from(content as ArrayBuffer).toString("utf8");

async function attack(organism: Organism, client: string): Promise<void> {
  for (let i = 0; i < 40; i += 1)
    await organism.request({ path: `/hole-${i}`, headers: { "X-Forwarded-For": client } });
}

interface OutboxRow {
  readonly incident: string;
  readonly state: string;
  readonly attempts: number;
  readonly next_ms: number;
  readonly told: string;
}

const memoryOf = (organism: Organism): string => join(organism.home, "state", "cellws", organism.name, "immune.db");

function outboxOf(organism: Organism): OutboxRow[] {
  const db = new DatabaseSync(memoryOf(organism), { readOnly: true, timeout: 1_000 });
  try {
    return db.prepare("SELECT * FROM outbox ORDER BY made_ms").all() as unknown as OutboxRow[];
  } finally {
    db.close();
  }
}

/** What waits is due now, so that the test need not wait for it. */
function theMinuteIsOver(organism: Organism): void {
  const db = new DatabaseSync(memoryOf(organism), { timeout: 5_000 });
  try {
    db.exec("UPDATE outbox SET next_ms = 0 WHERE state = 'waiting'");
  } finally {
    db.close();
  }
}

interface Received {
  readonly raw: Buffer;
  readonly isEncrypted: boolean;
  readonly user: string | undefined;
  /** Of the envelope. */
  readonly from: string | undefined;
  readonly to: readonly string[];
}

interface Mailbox {
  readonly port: number;
  readonly mails: Received[];
  /** 451 to every sender. */
  beBusy(isBusy: boolean): void;
  close(): Promise<void>;
}

async function openMailbox(t: TestContext, { key, cert }: CertificatePair, port: number): Promise<Mailbox> {
  const mails: Received[] = [];
  let isBusy = false;
  const server = new SMTPServer({
    key: readFileSync(key),
    cert: readFileSync(cert),
    onAuth({ username, password: given }, _session, done) {
      if (username === user && given === password) done(null, { user });
      else done(new Error("wrong password"));
    },
    onMailFrom(_address, _session, done) {
      done(isBusy ? Object.assign(new Error("come back later"), { responseCode: 451 }) : null);
    },
    onData(stream, session, done) {
      // The session forgets its envelope with the end of the mail.
      const told = toldBy(session);
      const chunks: Buffer[] = [];
      stream.on("data", (chunk: Buffer) => chunks.push(chunk));
      stream.on("end", () => {
        mails.push({ raw: Buffer.concat(chunks), ...told });
        done();
      });
    },
  });
  server.on("error", () => undefined);
  const close = (): Promise<void> => new Promise((resolve) => server.close(resolve));
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  t.after(close);
  const bound = (server.server.address() as AddressInfo).port;
  return { port: bound, mails, beBusy: (busy) => (isBusy = busy), close };
}

function toldBy({ secure, user, envelope: { mailFrom, rcptTo } }: SMTPServerSession): Omit<Received, "raw"> {
  const from = mailFrom === false ? undefined : mailFrom.address;
  return { isEncrypted: secure, user, from, to: rcptTo.map(({ address }) => address) };
}
