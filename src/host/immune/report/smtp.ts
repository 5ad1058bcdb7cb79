/**
 * Reports by mail. The mail is made by feedback-mail.ts; nodemailer speaks SMTP, with TLS, authentication and all that servers
 * make of it. It is loaded with the first report, since most organisms never send one.
 */
import { randomUUID } from "node:crypto";
import { Readable } from "node:stream";
import { toFeedbackMail } from "../../../immune/report/feedback-mail.ts";
import { toXarf, type Reporter } from "../../../immune/report/xarf.ts";
import { deliveryMsMax, reportIdOf, sha256, type Delivery, type ReportChannel } from "./channel.ts";

export interface SmtpOptions {
  readonly host: string;
  readonly port: number;
  /** "tls": from the first byte; "starttls": required before anything is said; "none": for a relay on this machine. */
  readonly security: "tls" | "starttls" | "none";
  readonly auth: { readonly user: string; readonly pass: string } | null;
  readonly from: string;
  readonly to: string;
  readonly reporter: Reporter;
}

export function smtpChannel({ host, port, security, auth, from, to, reporter }: SmtpOptions): ReportChannel {
  return {
    name: "smtp",
    async send(incident) {
      const { createTransport } = await import("nodemailer");
      const reportId = reportIdOf(incident, reporter.domain);
      const raw = toFeedbackMail(incident, toXarf(incident, { reporter, reportId, sha256 }), {
        from,
        to,
        date: new Date().toUTCString().replace("GMT", "+0000"),
        messageId: `${reportId}@${reporter.domain}`,
        boundary: `cellws-${randomUUID()}`,
        userAgent: "cellws",
      });
      const transport = createTransport({
        host,
        port,
        secure: security === "tls",
        requireTLS: security === "starttls",
        ignoreTLS: security === "none",
        ...(auth === null ? {} : { auth }),
        connectionTimeout: deliveryMsMax,
        greetingTimeout: deliveryMsMax,
        socketTimeout: deliveryMsMax,
        disableFileAccess: true,
        disableUrlAccess: true,
      });
      // Where a broken connection is told, nodemailer does not say how far it had come; whoever reads the mail does.
      let wasRead = false;
      function* reading(): Generator<string> {
        wasRead = true;
        yield raw;
      }
      try {
        const { response } = await transport.sendMail({ envelope: { from, to }, raw: Readable.from(reading()) });
        return { outcome: "delivered", told: String(response).slice(0, 300) };
      } catch (error) {
        return ofError(error, wasRead);
      } finally {
        transport.close();
      }
    },
  };
}

function ofError(error: unknown, wasRead: boolean): Delivery {
  const { message, responseCode } = error as Error & { responseCode?: number };
  const told = message.slice(0, 300);
  // The server has said no: for now, or for good.
  if (responseCode !== undefined) return { outcome: responseCode < 500 ? "again" : "never", told };
  return { outcome: wasRead ? "perhaps" : "again", told };
}
