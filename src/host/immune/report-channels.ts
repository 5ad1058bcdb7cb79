/** From the user's DNA to the channels that reports go over. */
import fs from "node:fs";
import type { Dna } from "../../dna/dna.ts";
import { CellwsError } from "../../lib/cellws-error.ts";
import { abuseIpdbChannel } from "./report/abuse-ipdb.ts";
import type { ReportChannel } from "./report/channel.ts";
import { smtpChannel } from "./report/smtp.ts";
import { webhookChannel } from "./report/webhook.ts";

/** None where reports are off. Reads the secrets' files; throws CELLWS_E_REPORT_SECRET where one cannot be used. */
export function reportChannelsOf({ immune: { report } }: Dna): ReportChannel[] {
  const { mode, reporter, webhook, mail, abuseIpdb } = report;
  if (mode === "off" || reporter === null) return [];
  const channels: ReportChannel[] = [];
  if (webhook !== null) {
    const secrets = readSecret(webhook.secretFile, "immune.report.webhook.secretFile").split(/\s+/);
    if (!secrets.every(isWebhookSecret)) {
      throw new CellwsError("CELLWS_E_REPORT_SECRET", 2, "the webhook's secret is none", {
        path: "immune.report.webhook.secretFile",
        expected: "whsec_ and the base64 of 24 to 64 bytes, one a line",
        hint: "Make one: echo whsec_$(head -c 32 /dev/urandom | base64)",
      });
    }
    channels.push(webhookChannel({ url: webhook.url, secrets, reporter }));
  }
  if (mail !== null) {
    const { server: host, serverPort: port, security, user, passwordFile, from, to } = mail;
    const auth =
      user === null || passwordFile === null
        ? null
        : { user, pass: readSecret(passwordFile, "immune.report.mail.passwordFile") };
    channels.push(smtpChannel({ host, port, security, auth, from, to, reporter }));
  }
  if (abuseIpdb !== null) {
    const key = readSecret(abuseIpdb.keyFile, "immune.report.abuseIpdb.keyFile");
    channels.push(abuseIpdbChannel({ url: abuseIpdb.url, key }));
  }
  return channels;
}

const secretLengthMax = 4_096;

function readSecret(file: string, path: string): string {
  let text: string;
  try {
    text = fs.readFileSync(file, "utf8").trim();
  } catch (cause) {
    throw new CellwsError("CELLWS_E_REPORT_SECRET", 2, `cannot read ${file}`, {
      path,
      found: (cause as Error).message,
      cause,
    });
  }
  // It becomes a header or a login: one line, but for several webhook secrets.
  if (text !== "" && text.length <= secretLengthMax && /^[\x20-\x7e\n]+$/.test(text)) return text;
  throw new CellwsError("CELLWS_E_REPORT_SECRET", 2, `${file} holds no secret`, {
    path,
    expected: `printable text of at most ${secretLengthMax} characters`,
  });
}

function isWebhookSecret(text: string): boolean {
  const bytes = /^whsec_([A-Za-z0-9+/]+={0,2})$/.exec(text)?.[1];
  const { length } = Buffer.from(bytes ?? "", "base64");
  return length >= 24 && length <= 64;
}
