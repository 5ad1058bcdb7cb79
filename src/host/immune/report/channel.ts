/**
 * A channel: one way by which a report reaches somebody.
 *
 * What matters to the outbox is one question: has the receiver got it? "again" means surely not, so that it may be tried
 * again; "never" surely not, and trying again would not help; "perhaps" is the answer of a line that broke after the
 * report was on its way. It is not repeated then: one report too few is better than two of one incident.
 */
import { createHash } from "node:crypto";
import type { Incident } from "../../../immune/report/incident.ts";
import type { InfectionIncident } from "../../../immune/report/infection.ts";

export type Delivery =
  | { readonly outcome: "delivered"; readonly told: string }
  | { readonly outcome: "again"; readonly told: string; readonly afterMs?: number }
  | { readonly outcome: "never"; readonly told: string }
  | { readonly outcome: "perhaps"; readonly told: string };

export interface ReportChannel {
  /** Names it in the outbox: the same from one start to the next. */
  readonly name: string;
  send(incident: Incident): Promise<Delivery>;
  /**
   * An infection of the organism's own. Left out by channels that strangers read: that a server was broken into is told to
   * its owner, and to nobody who keeps lists of broken servers.
   */
  sendInfection?(infection: InfectionIncident): Promise<Delivery>;
}

/** For one delivery, from connecting to the end of the answer. */
export const deliveryMsMax = 15_000;

export const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");

/**
 * The same for the same incident of the same reporter, so that a receiver may see through a repetition. It is written as a
 * version 4 UUID, since XARF's readers check for that.
 */
export function reportIdOf(incident: Pick<Incident, "id" | "firstSeen">, domain: string): string {
  const hex = sha256(`${domain} ${incident.id} ${incident.firstSeen}`);
  const variant = "89ab"[Number.parseInt(hex[16]!, 16) & 3]!;
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
