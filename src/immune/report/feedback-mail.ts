/**
 * An incident as a mail for an abuse desk: multipart/report with report-type feedback-report (RFC 5965, RFC 6522).
 *
 * Three parts: a text for people, the machine's fields, and where RFC 5965 has the mail that was complained of, the XARF
 * document, as XARF's own mails do: there is no mail to show. All in ASCII lines of less than 998 bytes, so that no
 * server on the way rewrites anything.
 */
import { assert } from "../../lib/assert.ts";
import type { Incident } from "./incident.ts";
import { describe, type Reporter, type XarfReport } from "./xarf.ts";

export interface MailFrame {
  readonly from: string;
  readonly to: string;
  /** RFC 5322. */
  readonly date: string;
  readonly messageId: string;
  /** Anything that is in none of the parts. */
  readonly boundary: string;
  readonly userAgent: string;
}

export function toFeedbackMail(incident: Incident, xarf: XarfReport, frame: MailFrame): string {
  const { from, to, date, messageId, boundary, userAgent } = frame;
  const heads = [from, to, date, messageId, boundary, userAgent, incident.source, incident.attackClass];
  // A line break in a header is a header of somebody else's choice.
  for (const head of heads) assert(/^[\x20-\x7e]{1,300}$/.test(head), "a mail's headers are one printable line each");
  const json = Buffer.from(JSON.stringify(xarf, null, 2), "utf8").toString("base64");
  const parts: ReadonlyArray<readonly [head: readonly string[], body: readonly string[]]> = [
    [["Content-Type: text/plain; charset=us-ascii"], textFor(incident, xarf.reporter)],
    [["Content-Type: message/feedback-report"], fieldsFor(incident, userAgent)],
    [
      [
        'Content-Type: application/json; name="xarf.json"',
        'Content-Disposition: attachment; filename="xarf.json"',
        "Content-Transfer-Encoding: base64",
      ],
      json.match(/.{1,76}/g) ?? [],
    ],
  ];
  return [
    `From: ${from}`,
    `To: ${to}`,
    `Subject: Abuse report: ${incident.attackClass} from ${incident.source}`,
    `Date: ${date}`,
    `Message-ID: <${messageId}>`,
    "Auto-Submitted: auto-generated",
    "X-XARF: PLAIN",
    "MIME-Version: 1.0",
    `Content-Type: multipart/report; report-type=feedback-report; boundary="${boundary}"`,
    "",
    ...parts.flatMap(([head, body]) => [`--${boundary}`, ...head, "", ...body, ""]),
    `--${boundary}--`,
    "",
  ].join("\r\n");
}

function textFor(incident: Incident, reporter: Reporter): string[] {
  return [
    "This is an automatic report of attacks on a website by an address in your care.",
    "",
    ...wrapped(describe(incident)),
    "",
    ...wrapped(`Reported by ${reporter.org} (${reporter.domain}). Questions: ${reporter.contact}`),
    "The attached document is XARF v4 (xarf.org), for programs.",
  ].map(toAscii);
}

function fieldsFor(incident: Incident, userAgent: string): string[] {
  return [
    // Of the registered types the only one that fits: "other" would be dropped by many.
    "Feedback-Type: abuse",
    `User-Agent: ${userAgent}`,
    "Version: 1",
    `Source-IP: ${incident.source}`,
    `Incidents: ${incident.requests}`,
  ];
}

function wrapped(text: string): string[] {
  return text.match(/.{1,72}(?:\s|$)|\S{73,}/g)?.map((line) => line.trimEnd()) ?? [];
}

const toAscii = (line: string): string => line.replace(/[^\x20-\x7e]/g, "?").slice(0, 900);
