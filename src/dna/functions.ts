/**
 * Functions in a DNA: how they travel, and what they are given.
 *
 * A DNA goes from cell to cell as JSON, which carries no function. So where a function may stand, its place in the list
 * is taken by a *reference*, which says in which file the list is; and the cell that calls it reads that file itself
 * (src/host/immune/dna-functions.ts). What else the file says is not looked at again: the resolved DNA holds. A
 * function is code, as the app is, and like the app's its file is part of the revision.
 *
 * To add a place: its pattern here, its key in schema.ts (`functions("TypeOfTheFunction", ...)`), its type below.
 */

/** Lists whose items may be functions, as in key-path.ts. */
export const functionPlaces = ["immune.filters", "immune.reactions"] as const;
export type FunctionPlace = (typeof functionPlaces)[number];

/** Stands in a resolved DNA where the DNA file has a function. Its index in the list is that of the function. */
export interface FunctionReference {
  /** Absolute: the DNA file. */
  readonly file: string;
  /** As the function is called in its file, for logs; "anonymous" where it has no name. */
  readonly name: string;
}

/** What a filter of the user's sees of a request: a copy, with bytes as they came. */
export interface FilterRequest {
  readonly requestId: string;
  /** The client's address; behind trusted proxies the one that they tell. */
  readonly client: string;
  readonly method: string;
  /** The request-target, undecoded: path and query. */
  readonly target: string;
  /** The path alone, undecoded. */
  readonly path: string;
  /** The query's parameters, decoded: of each all its values, in order. */
  readonly query: Readonly<Record<string, readonly string[]>>;
  /** Names in lower case; several fields of one name are joined by ", ". */
  readonly headers: Readonly<Record<string, string>>;
  /** As much of the body as is looked at before the app sees it (`immune.body`); empty where there is none. */
  readonly body: Uint8Array;
}

/** "watch": tell it, and let it pass. What is returned for "block" is answered as any other block. */
export type FilterVerdict =
  | "pass"
  | "watch"
  | "block"
  | { readonly verdict: "watch" | "block"; readonly reason?: string; readonly score?: number }
  | undefined;

/** Answers at once: there is no waiting in it, and it is stopped when it takes too long. */
// `void` so that a function without a return is one.
export type ImmuneFilter = (request: FilterRequest) => FilterVerdict | void;

/** What a reaction of the user's is told: an offence, and what was done about it. Personal data in the evidence are masked. */
export interface ReactionIncident {
  /** The same however often it is told. */
  readonly id: string;
  /** An address, or a CIDR range. */
  readonly range: string;
  readonly action: "watch" | "rate-limit" | "tarpit" | "ban";
  /** "sentenced": it is in force. Otherwise why it was not carried out, such as "dry-run". */
  readonly outcome: string;
  readonly attackClass: string;
  /** 1 for the first. */
  readonly offence: number;
  readonly requests: number;
  readonly sources: number;
  /** RFC 3339. */
  readonly until: string;
  readonly rules: readonly number[];
  readonly evidence: readonly string[];
}

/** May wait, for a while; what it throws or rejects with is logged. */
export type ImmuneReaction = (incident: ReactionIncident) => void | Promise<void>;
