/** What the memory tells of attackers, for people. */
import { toXarf, type XarfReport } from "../../immune/report/xarf.ts";
import { Chronicle, type ChronicleEntry, type SeenCount } from "./chronicle.ts";
import { memoryName } from "./ban-desk.ts";
import { openMemory, type MemoryNotice } from "./memory.ts";
import { Outbox, type OutboxEntry, type Reported } from "./report/outbox.ts";
import { reportIdOf, sha256 } from "./report/channel.ts";
import { stateDir } from "./state-dir.ts";

export interface Threats {
  readonly name: string;
  readonly notices: readonly MemoryNotice[];
  readonly incidents: readonly ChronicleEntry[];
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

/** As each channel sends it. */
function documentOf(incident: Reported): XarfReport | null {
  const { reporter } = incident;
  if (reporter === undefined) return null;
  return toXarf(incident, { reporter, reportId: reportIdOf(incident, reporter.domain), sha256 });
}
