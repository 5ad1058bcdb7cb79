/** What a user's `dna.ts` imports: `import { defineDna } from "cellws"`. */
export { CellwsError } from "./lib/cellws-error.ts";
export { defineDna, type DnaMaker } from "./dna/define-dna.ts";
export type { Dna, DnaInput } from "./dna/dna.ts";
export type { FilterRequest, FilterVerdict, ImmuneFilter, ImmuneReaction, ReactionIncident } from "./dna/functions.ts";
