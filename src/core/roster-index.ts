/**
 * What follows from a roster alone: its cells in order, by class, the unborn. Computed once for each roster, not at each look.
 *
 * Every cell looks around four times a second, and a roster changes when somebody is born, changes or dies. Counting all
 * cells at each look would make a quiet organism of a hundred thousand spend its time on counting. A roster is a value that
 * never changes, so what was computed from it stays true, and is kept beside it for as long as somebody holds it.
 */
import type { CellClass, CellId } from "./cell.ts";
import { cellClasses } from "./cell.ts";
import type { CellBody, CertificateBody, OrganismRecord } from "./record.ts";

export interface RosterIndex {
  /** In the roster's order. */
  readonly ids: readonly CellId[];
  readonly cells: readonly CellBody[];
  /** Where in that order a cell stands. */
  readonly places: ReadonlyMap<CellId, number>;
  /** Places of those that are not born yet, in order. */
  readonly unborn: readonly number[];
  /** All of a class; those of it that do not leave; those that can act. */
  readonly members: Readonly<Record<CellClass, number>>;
  readonly staying: Readonly<Record<CellClass, number>>;
  readonly live: Readonly<Record<CellClass, readonly CellId[]>>;
  /** Cells that have one process among them. */
  readonly doubles: ReadonlySet<CellId>;
}

const kept = new WeakMap<ReadonlyMap<CellId, CellBody>, RosterIndex>();

export function rosterIndex(alive: ReadonlyMap<CellId, CellBody>): RosterIndex {
  const known = kept.get(alive);
  if (known !== undefined) return known;
  const made = index(alive);
  kept.set(alive, made);
  return made;
}

function index(alive: ReadonlyMap<CellId, CellBody>): RosterIndex {
  const cells = [...alive.values()];
  const perClass = <T>(make: () => T): Record<CellClass, T> =>
    Object.fromEntries(cellClasses.map((c) => [c, make()])) as Record<CellClass, T>;
  const members = perClass(() => 0);
  const staying = perClass(() => 0);
  const live = perClass((): CellId[] => []);
  const places = new Map<CellId, number>();
  const unborn: number[] = [];
  const doubles = sharingAProcess(cells);
  for (const [place, { id, class: cellClass, state }] of cells.entries()) {
    places.set(id, place);
    if (doubles.has(id)) continue;
    members[cellClass] += 1;
    if (state !== "draining") staying[cellClass] += 1;
    if (state === "live") live[cellClass].push(id);
    if (state === "gestating") unborn.push(place);
  }
  return { ids: [...alive.keys()], cells, places, unborn, members, staying, live, doubles };
}

/** Whether another living cell is known as that very process. */
export function sharesItsProcess(alive: ReadonlyMap<CellId, CellBody>, id: CellId): boolean {
  return rosterIndex(alive).doubles.has(id);
}

/**
 * Cells that have one process among them. A mother that lies can name a ghost with her own daughter's process before the others
 * hear of that one. Until somebody asks both it does not show which is the ghost: neither holds a place, so that whatever is
 * missing is grown.
 */
function sharingAProcess(cells: readonly CellBody[]): ReadonlySet<CellId> {
  const owners = new Map<number, CellBody>();
  const doubles = new Set<CellId>();
  for (const cell of cells) {
    const owner = owners.get(cell.pid);
    // Where start times are not known a pid may be reused.
    if (owner !== undefined && owner.startTicks === cell.startTicks && cell.startTicks !== 0)
      doubles.add(owner.id).add(cell.id);
    else owners.set(cell.pid, cell);
  }
  return doubles;
}

/** The `k`th of `count` places when those in `without` (in order, each once) are passed over; undefined where none is left. */
export function placeWithout(count: number, k: number, without: readonly number[]): number | undefined {
  const left = count - without.length;
  if (left <= 0) return undefined;
  let place = k % left;
  for (const gap of without) if (gap <= place) place += 1;
  return place;
}

const leaving = new WeakMap<CellBody, CellBody>();

/** A cell as it is held once it was condemned. The same for the same: cells that agree share what they hold. */
export function leavingBody(body: CellBody): CellBody {
  const known = leaving.get(body);
  if (known !== undefined) return known;
  const made: CellBody = { ...body, state: "draining" };
  leaving.set(body, made);
  return made;
}

const certificatesKept = new WeakMap<ReadonlyMap<string, OrganismRecord>, readonly CertificateBody[]>();

/** All sentences on record. */
export function certificatesOf(records: ReadonlyMap<string, OrganismRecord>): readonly CertificateBody[] {
  const known = certificatesKept.get(records);
  if (known !== undefined) return known;
  const made: CertificateBody[] = [];
  for (const { body } of records.values()) if (body.kind === "certificate") made.push(body);
  certificatesKept.set(records, made);
  return made;
}
