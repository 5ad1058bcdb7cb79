/**
 * How much a terminal can show, and the few marks that all views share.
 *
 * Only the sixteen colours that every terminal lets its owner choose, and colour never carries what is not
 * also said in words: a pipe, a log of a build and a colour-blind reader get the same facts.
 */
import type { CellClass } from "../core/cell.ts";
import type { CellLifeState } from "../wire/control.ts";

export interface Style {
  color: boolean;
  /** False: plain ASCII only. */
  unicode: boolean;
  /** Width to keep to where that is possible. */
  columns: number;
}

/** For pipes and files. */
export const PLAIN_STYLE: Style = { color: false, unicode: false, columns: 80 };

const sgr = {
  bold: [1, 22],
  dim: [2, 22],
  red: [31, 39],
  green: [32, 39],
  yellow: [33, 39],
  blue: [34, 39],
  magenta: [35, 39],
  cyan: [36, 39],
} as const;
export type Ink = keyof typeof sgr;

export function paint(style: Style, ink: Ink | null, text: string): string {
  if (!style.color || ink === null || text === "") return text;
  const [on, off] = sgr[ink];
  return `\x1b[${on}m${text}\x1b[${off}m`;
}

export const classInk = {
  egg: "yellow",
  stem: "dim",
  neuron: "magenta",
  "b-cell": "blue",
  "t-cell": "cyan",
  drone: "green",
} satisfies Record<CellClass, Ink>;

export const stateInk = { live: null, suspected: "red", draining: "yellow" } satisfies Record<
  CellLifeState,
  Ink | null
>;

/** Lines of a family tree, the mark of the dead, and so on, in both alphabets. */
export function glyphs(style: Style): Glyphs {
  return style.unicode ? unicodeGlyphs : asciiGlyphs;
}

interface Glyphs {
  branch: string;
  lastBranch: string;
  trunk: string;
  gap: string;
  dead: string;
  bar: string;
  dash: string;
}

const unicodeGlyphs: Glyphs = {
  branch: "├─ ",
  lastBranch: "└─ ",
  trunk: "│  ",
  gap: "   ",
  dead: "†",
  bar: "│",
  dash: "—",
};
const asciiGlyphs: Glyphs = {
  branch: "|- ",
  lastBranch: "`- ",
  trunk: "|  ",
  gap: "   ",
  dead: "+",
  bar: "|",
  dash: "-",
};
