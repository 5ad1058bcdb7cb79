/**
 * Infections of the organism's own drones, as they are remembered: for people (`cellws threats`), and for the reports that are made
 * of them. Kept in the memory beside the chronicle of attackers.
 *
 * Words of one infection come one by one, some to this T cell and some to another: each adds to what is there, within one
 * transaction. A report is made of it once, when the words have come in: a moment after the sentence, or, where no majority was
 * found, after a while without one, for then a person is needed all the more.
 */
import type { InfectionIncident, InfectionWord } from "../../immune/report/infection.ts";
import { infectionId, withWord } from "../../immune/report/infection.ts";
import type { Memory } from "./memory.ts";

/** B cells learn of the sentence within milliseconds; their words make a few hops. */
const gatheredMs = 2_000;
/** An organism that can agree has done so by then. */
const unsentencedMs = 30_000;
const entriesMax = 1_000;

/** With when the first word of it came, by the wall's clock. */
export interface InfectionEntry extends InfectionIncident {
  readonly madeMs: number;
}

export class InfectionBook {
  readonly #memory: Memory;

  constructor(memory: Memory) {
    this.#memory = memory;
  }

  /** Within a `write`: adds what was told. `toTime`: a time of the machine's monotonic clock as RFC 3339. */
  note(words: readonly InfectionWord[], toTime: (atMs: number) => string): void {
    const now = this.#memory.wallMs();
    for (const word of words) {
      const body = JSON.stringify(withWord(this.#find(infectionId(word)), word, toTime));
      this.#memory.run(
        `INSERT INTO infection (id, made_ms, changed_ms, is_told, body) VALUES (?, ?, ?, 0, ?)
         ON CONFLICT (id) DO UPDATE SET changed_ms = excluded.changed_ms, body = excluded.body`,
        infectionId(word),
        now,
        now,
        body,
      );
    }
  }

  /** Within a `keep`: those of which a report is to be made now; from then on it was. */
  takeDue(): InfectionIncident[] {
    const now = this.#memory.wallMs();
    const due = this.#read("is_told = 0 AND (changed_ms <= ? OR made_ms <= ?)", now - gatheredMs, now - unsentencedMs);
    const ripe = due.filter(({ madeMs, infection }) => infection.condemned !== null || madeMs <= now - unsentencedMs);
    for (const { infection } of ripe) this.#memory.run("UPDATE infection SET is_told = 1 WHERE id = ?", infection.id);
    return ripe.map(({ infection }) => infection);
  }

  /** Within a `keep`. */
  forget(): void {
    this.#memory.run(
      "DELETE FROM infection WHERE id IN (SELECT id FROM infection ORDER BY made_ms DESC LIMIT -1 OFFSET ?)",
      entriesMax,
    );
  }

  /** The newest first. */
  entries(sinceMs: number, limit: number): InfectionEntry[] {
    return this.#read("made_ms >= ? ORDER BY made_ms DESC, id LIMIT ?", sinceMs, limit).map(
      ({ madeMs, infection }) => ({ ...infection, madeMs }),
    );
  }

  #find(id: string): InfectionIncident | null {
    const [row] = this.#memory.all<{ body: string }>("SELECT body FROM infection WHERE id = ?", id);
    return row === undefined ? null : (JSON.parse(row.body) as InfectionIncident);
  }

  #read(where: string, ...values: number[]): Array<{ madeMs: number; infection: InfectionIncident }> {
    return this.#memory
      .all<{ made_ms: number; body: string }>(`SELECT made_ms, body FROM infection WHERE ${where}`, ...values)
      .map(({ made_ms: madeMs, body }) => ({ madeMs, infection: JSON.parse(body) as InfectionIncident }));
  }
}
