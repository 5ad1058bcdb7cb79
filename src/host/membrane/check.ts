/** What a check is. Each is a file in checks/ and a line in the table (checks.ts). */
import type { ProcessIdentity } from "../proc.ts";
import type { Look } from "./look.ts";
import type { MembraneRules } from "./rules.ts";

/** What is known of everybody, for telling a drone's own things from an intruder's. */
export interface Surroundings {
  /** Whether that very process is, or was, a cell of this organism. */
  readonly isCell: (process: ProcessIdentity) => boolean;
  /** Whether nobody else is left, as far as is known. The eldest drone then divides, and else none does. */
  readonly areDronesAlone: () => boolean;
  /** The organism's own places: its sockets, its log. */
  readonly runDir: string;
  readonly events: string | null;
}

export interface Check {
  /** Whether the DNA asks for it. One that says yes to an open membrane must be sure never to accuse a legitimate app. */
  readonly isOn: (rules: MembraneRules) => boolean;
  /** Looked at so often at most: what is dear to read is read less often. */
  readonly everyMs: number;
  /** What is only so a while after a cell became a drone is not looked at before. */
  readonly afterMs: number;
  /** Begins a watch over one drone. The watch returns what is wrong, or null. */
  readonly watch: (rules: MembraneRules, surroundings: Surroundings) => Watch;
}

export type Watch = (look: Look, nowMs: number) => string | null;

/** A cell that has just become a drone may still hold what it was born with. */
export const settledMs = 5_000;
