/**
 * The revision: a name for what an organism is, made from its content.
 *
 * Two organisms of one revision behave alike as far as cellws can tell; a change of any value gives another.
 * In it: the resolved DNA (so that command-line overrides and defaults that follow the machine count), the bytes
 * of the app's entry file, and those of files that hold functions of the DNA. Not in it:
 *
 * - the environment and the content of envFile, which are read afresh at each birth;
 * - the bytes of the DNA file, unless it holds functions: all else that it says is in the resolved DNA, and a
 *   comment is no change;
 * - the app's other modules: which they are is known only once it runs. So a revision tells that something
 *   changed, never that nothing did.
 */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import type { Dna } from "./dna.ts";

/** Changes when the same content is to be named anew. */
const SCHEME = "cellws-dna-1";
/** 48 bits: enough to tell the revisions of one organism apart, and short enough to read out. */
const REVISION_CHARACTERS = 12;

/** Twelve hex characters. Rejects when the app's entry file cannot be read. */
export async function revisionOf(dna: Dna): Promise<string> {
  const hash = createHash("sha256");
  hash.update(`${SCHEME}\n${canonicalJson(dna)}\n`);
  for (const file of [dna.app, ...functionFiles(dna)]) {
    for await (const chunk of createReadStream(file)) hash.update(chunk as Buffer);
  }
  return hash.digest("hex").slice(0, REVISION_CHARACTERS);
}

function functionFiles({ immune }: Dna): string[] {
  return [...new Set(immune.filters.map(({ file }) => file))].sort();
}

/** JSON with keys in order of their code units: equal for equal data, however it was written. */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(",")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const entries = Object.entries(value).sort(([left], [right]) => (left < right ? -1 : 1));
  return `{${entries.map(([key, child]) => `${JSON.stringify(key)}:${canonicalJson(child)}`).join(",")}}`;
}
