/**
 * Readings kept between exchanges, for values that come again: a browser's User-Agent, Accept, the names of headers
 * and parameters. What was found out about such a value once, which of its candidates did not match above all, is
 * known for each request to come.
 *
 * Two generations: once the young one is full it becomes the old one, and what is asked for again moves back. So a
 * client that sends ever new values drives the others out at most, and the memory stays bounded.
 */
import { Reading } from "./reading.ts";
import type { ScreenTable } from "./screen-table.ts";

export interface Memory {
  /** The reading of a short value, kept; of a long one, made for this exchange only. */
  readonly recall: (text: string) => Reading;
  readonly clear: () => void;
}

/** Readings of one generation: a site's browsers send a few hundred distinct values. Each takes 1 to 8 KB. */
const GENERATION_MAX = 1024;
/** Longer values are rarely sent twice. */
const CHARS_MAX = 512;

export function openMemory(table: ScreenTable): Memory {
  let young = new Map<string, Reading>();
  let old = new Map<string, Reading>();
  return {
    clear: () => {
      young = new Map();
      old = new Map();
    },
    recall: (text) => {
      if (text.length > CHARS_MAX) return new Reading(text, table, false);
      const known = young.get(text);
      if (known !== undefined) return known;
      if (young.size >= GENERATION_MAX) {
        old = young;
        young = new Map();
      }
      const reading = old.get(text) ?? new Reading(ownCopy(text), table, true);
      young.set(reading.text, reading);
      return reading;
    },
  };
}

/** V8 keeps the whole of a request alive for a piece that was cut out of it. */
function ownCopy(text: string): string {
  return Buffer.from(text, "latin1").latin1Slice();
}
