/**
 * Reports to a URL of the user's own, signed as Standard Webhooks (standardwebhooks.com) has it: the receiver proves with the
 * shared secret that it was us, and sees by the id when it has the report already.
 */
import { createHmac } from "node:crypto";
import type { Incident } from "../../../immune/report/incident.ts";
import type { InfectionIncident } from "../../../immune/report/infection.ts";
import { toXarf, type Reporter } from "../../../immune/report/xarf.ts";
import { reportIdOf, sha256, type Delivery, type ReportChannel } from "./channel.ts";
import { post } from "./post.ts";

export interface WebhookOptions {
  readonly url: string;
  /** `whsec_` and base64. While a secret is being changed there are two: both sign. */
  readonly secrets: readonly string[];
  readonly reporter: Reporter;
  readonly wallMs?: () => number;
}

/** What a webhook says of an infection; an attacker's report is the bare XARF document, which has no such field. */
export const infectionEvent = "cellws.infection";

export function webhookChannel({ url, secrets, reporter, wallMs = Date.now }: WebhookOptions): ReportChannel {
  const deliver = (reportId: string, document: object): Promise<Delivery> => {
    const body = JSON.stringify(document);
    const id = `msg_${reportId}`;
    const timestamp = String(Math.floor(wallMs() / 1_000));
    return post(
      url,
      {
        "content-type": "application/json",
        "user-agent": "cellws",
        "webhook-id": id,
        "webhook-timestamp": timestamp,
        "webhook-signature": secrets.map((secret) => signature(secret, `${id}.${timestamp}.${body}`)).join(" "),
      },
      body,
    );
  };
  return {
    name: "webhook",
    send(incident: Incident) {
      const reportId = reportIdOf(incident, reporter.domain);
      return deliver(reportId, toXarf(incident, { reporter, reportId, sha256 }));
    },
    sendInfection(infection: InfectionIncident) {
      const { kind: _kind, ...data } = infection;
      const reportId = reportIdOf(infection, reporter.domain);
      return deliver(reportId, { type: infectionEvent, timestamp: infection.lastSeen, reporter, data });
    },
  };
}

function signature(secret: string, content: string): string {
  const key = Buffer.from(secret.replace(/^whsec_/, ""), "base64");
  return `v1,${createHmac("sha256", key).update(content).digest("base64")}`;
}
