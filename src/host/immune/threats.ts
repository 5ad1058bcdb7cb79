/** What the memory tells of attackers, for people. */
import { toXarf, type XarfReport } from "../../immune/report/xarf.ts";
import { Chronicle, type ChronicleEntry, type SeenCount } from "./chronicle.ts";
import { memoryName } from "./ban-desk.ts";
import { InfectionBook, type InfectionEntry } from "./infections.ts";
import { openMemory, type MemoryNotice } from "./memory.ts";
import { isInfection, Outbox, type OutboxEntry } from "./report/outbox.ts";
import { reportIdOf, sha256 } from "./report/channel.ts";
import { stateDir } from "./state-dir.ts";

export interface Threats {
  readonly name: string;
  readonly notices: readonly MemoryNotice[];
  readonly incidents: readonly ChronicleEntry[];
  /** Of the organism's own drones. */
  readonly infections: readonly InfectionEntry[];
  readonly seen: readonly SeenCount[];
  readonly reports: ReadonlyArray<Omit<OutboxEntry, "body" | "nextMs">>;
  /** The documents of the reports, one an incident. */
  readonly xarf: readonly XarfReport[];
}

const incidentsMax = 1_000;
const reportsMax = 100;

/** Throws as `memoryName` and `openMemory` do. */
export function openThreats(name: string | undefined, sinceMs: number): Threats {
  const chosen = memoryName(name);
  const { memory, notices } = openMemory({ file: stateDir(chosen).memoryFile, holder: "the command line" });
  try {
    const chronicle = new Chronicle(memory);
    const reports = new Outbox({ memory, channels: [], dryRun: true }).entries(reportsMax);
    const documents = new Map(reports.map(({ incident, body }) => [incident, documentOf(body)]));
    return {
      name: chosen,
      xarf: [...documents.values()].filter((document) => document !== null),
      notices,
      incidents: chronicle.entries(sinceMs, incidentsMax),
      infections: new InfectionBook(memory).entries(sinceMs, incidentsMax),
      seen: chronicle.seen(sinceMs),
      reports: reports.map(({ incident, channel, state, attempts, told }) => ({
        incident,
        channel,
        state,
        attempts,
        told,
      })),
    };
  } finally {
    memory.close();
  }
}

/** As each channel sends it. Of infections no stranger is told, and no XARF document made. */
function documentOf(incident: OutboxEntry["body"]): XarfReport | null {
  if (isInfection(incident)) return null;
  const { reporter } = incident;
  if (reporter === undefined) return null;
  return toXarf(incident, { reporter, reportId: reportIdOf(incident, reporter.domain), sha256 });
}
