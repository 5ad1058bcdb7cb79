/** What the memory tells of attackers, for people. */
import { Chronicle, type ChronicleEntry, type SeenCount } from "./chronicle.ts";
import { memoryName } from "./ban-desk.ts";
import { openMemory, type MemoryNotice } from "./memory.ts";
import { Outbox, type OutboxEntry } from "./report/outbox.ts";
import { stateDir } from "./state-dir.ts";

export interface Threats {
  readonly name: string;
  readonly notices: readonly MemoryNotice[];
  readonly incidents: readonly ChronicleEntry[];
  readonly seen: readonly SeenCount[];
  readonly reports: ReadonlyArray<Omit<OutboxEntry, "body" | "nextMs">>;
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
    return {
      name: chosen,
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
