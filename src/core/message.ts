/** What cells say to their kin. The wire (wire/kin.ts) carries exactly this; nothing else crosses a kin link. */
import type { Pulse } from "./hormone.ts";
import type { CellId } from "./cell.ts";
import type { Vote } from "./ballot.ts";
import type { Tally } from "./tally.ts";
import type { OrganismRecord } from "./record.ts";

export type KinMessage =
  /** First thing on a new link, from both ends: which records I hold. The other end sends what I lack. */
  | {
      readonly type: "inventory";
      readonly entries: ReadonlyArray<readonly [key: string, version: number, origin: CellId]>;
    }
  /** News, or the answer to an inventory. */
  | { readonly type: "records"; readonly records: readonly OrganismRecord[] }
  /** A growth hormone, already attenuated for the receiver. */
  | { readonly type: "pulse"; readonly pulse: Pulse }
  /** Votes on ballots; each signature was checked where it came in. */
  | { readonly type: "votes"; readonly votes: readonly Vote[] }
  /** `by` got no answer from `id`, and wants to know whether others do. */
  | { readonly type: "suspect"; readonly id: CellId; readonly by: CellId }
  /** The sum over all that lies on the sender's side of this link, and a digest of the records that the sender holds. */
  | {
      readonly type: "tally";
      readonly tally: Tally;
      readonly digest: number;
      /** How many links beyond the sender, on its side, the nearest T cell is; null: none is known there. */
      readonly toTCell: number | null;
    }
  /**
   * What B cells have seen of attackers and others, on its way to a T cell. It is carried past the mind (host/immune/relay.ts),
   * which only knows the way, and never looks inside.
   */
  | {
      readonly type: "testimony";
      readonly marks: readonly unknown[];
      readonly sightings: readonly unknown[];
      readonly hops: number;
    }
  /** A birth for which the sender has no room: divide in my place. */
  | { readonly type: "hand-down"; readonly hops: number };
