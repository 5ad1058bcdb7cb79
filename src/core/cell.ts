/** What a cell is called and which kinds there are. The alphabet's nouns; everything imports it, it imports nothing. */

/** As `ps --json` prints them. An egg is dormant; a stem cell is warm and waits; the rest have their role. */
export const cellClasses = ["egg", "stem", "neuron", "b-cell", "t-cell", "drone"] as const;
export type CellClass = (typeof cellClasses)[number];

/**
 * The classes that a stem cell can differentiate into, each with its growth hormone. Of calls that are equally strong the first
 * here is answered: those without whom no request is, then those who only remember.
 */
export const specializedClasses = ["neuron", "b-cell", "drone", "t-cell"] as const;
export type SpecializedClass = (typeof specializedClasses)[number];

export const idAlphabet = "abcdefghijklmnopqrstuvwxyz234567";
/** 50 random bits: among a thousand living cells a clash is expected once in two billion births. */
export const idLength = 10;

/** `idLength` characters of `idAlphabet`, unique within an organism's life. */
export type CellId = string;
