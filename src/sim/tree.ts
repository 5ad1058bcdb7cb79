/** Whether the living cells hang together as one tree: what kinship must come to once faults stop. */
import type { CellId } from "../core/cell.ts";
import type { World } from "./world.ts";

/** Null: one root, everybody else linked to exactly one elder, and everybody reachable. */
export function whyNotOneTree(world: World): string | null {
  const living = world.living();
  if (living.length === 0) return "nobody lives";
  const ids = new Set(living.map((state) => state.self));
  const ends = living.reduce((sum, state) => sum + [...state.kin].filter((peer) => ids.has(peer)).length, 0);
  if (ends !== 2 * (living.length - 1)) return `${ends / 2} links between ${living.length} cells`;
  const seen = new Set<CellId>();
  const next: CellId[] = [living[0]?.self ?? ""];
  for (let id = next.pop(); id !== undefined; id = next.pop()) {
    if (seen.has(id)) continue;
    seen.add(id);
    next.push(...(world.cells.get(id)?.state?.kin ?? []));
  }
  return seen.size >= living.length ? null : `${seen.size} of ${living.length} cells hang together`;
}
