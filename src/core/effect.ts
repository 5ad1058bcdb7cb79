/** Everything that a cell can want done. The host (or the simulator) performs it and answers with events. */
import type { CellClass, CellId } from "./cell.ts";
import type { KinMessage } from "./message.ts";
import type { BanBody, CellBody, Charge, OrganismRecord, RecordBody } from "./record.ts";

export type Effect =
  /** Make a daughter. Answered by `conceived` or `birth-failed`. `fresh`: open the listening sockets anew for it. */
  | { readonly type: "divide"; readonly id: CellId; readonly class: CellClass; readonly fresh: boolean }
  /**
   * Let the daughter begin, with the DNA that its certificate names: the certificate is among the records, which are all that
   * its mother knows. `urgent`: an egg that does not wait for a connection.
   */
  | {
      readonly type: "bear";
      readonly certificate: OrganismRecord<CellBody>;
      readonly records: readonly OrganismRecord[];
      readonly class: CellClass;
      readonly urgent: boolean;
    }
  /** Sign a record of our own. Answered by `signed`. */
  | { readonly type: "sign"; readonly key: string; readonly version: number; readonly body: RecordBody }
  /** Open a kin link to an elder. Answered by `link-opened` or `connect-failed`. */
  | { readonly type: "connect"; readonly to: CellId }
  | { readonly type: "disconnect"; readonly from: CellId }
  | { readonly type: "send"; readonly to: CellId; readonly message: KinMessage }
  /** Take on the work of a class. */
  | { readonly type: "become"; readonly class: CellClass }
  /** Ask the kernel whether that very process runs. Answered by `inspected`. */
  | { readonly type: "inspect"; readonly id: CellId; readonly pid: number; readonly startTicks: number }
  /** Look whether cells of this organism live of whom we have never heard. Answered by `strangers`. */
  | { readonly type: "seek-strangers" }
  /** Ask that cell's process whether it is well. Answered by `probed`. */
  | { readonly type: "probe"; readonly id: CellId; readonly pid: number }
  /** Sign a vote of our own. Answered by `voted`. */
  | { readonly type: "sign-vote"; readonly charge: Charge }
  /** SIGKILL that very process, if it still runs. */
  | { readonly type: "kill"; readonly id: CellId; readonly pid: number; readonly startTicks: number }
  /** Tell the body that what is known has changed: who lives, how the app fares. */
  | { readonly type: "inform" }
  /** Tell the body of bans that have become known. */
  | { readonly type: "enforce"; readonly bans: readonly BanBody[] }
  /** Have the body look into the memory of bans: it was changed from outside. */
  | { readonly type: "recall" }
  /** Watch these files and report `files-changed`; an empty list ends the watch. */
  | { readonly type: "watch"; readonly files: readonly string[] }
  /** Take no new work; finish what is there within `drainMs`. Answered by `drained`. */
  | { readonly type: "drain"; readonly drainMs: number; readonly alone: boolean }
  /** End this process, after what was sent before has left. */
  | { readonly type: "exit"; readonly reason: string }
  | {
      readonly type: "log";
      readonly level: "info" | "warn" | "error";
      readonly event: string;
      readonly fields: Readonly<Record<string, unknown>>;
      readonly message: string;
    };
