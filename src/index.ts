/** What a user's `dna.ts` imports: `import { defineDna } from "cellws"`. */
export { CellwsError } from "./lib/cellws-error.ts";
