/**
 * What the DNA's `membrane` comes to: the flags that a drone's Node runs under, and what a look from outside holds it to.
 *
 * Two layers, of different strictness on purpose. From inside, Node's permission model and the guard (guard.ts) refuse what is
 * not allowed, so that an app that goes astray gets an error and nobody dies. From outside, neighbours look at what the kernel
 * says the process is and does: what they see although it was refused was done by native code or past the guard, and that is
 * an infection. What libraries below Node do by themselves (the resolver reads /etc, time zones lie in /usr/share) is
 * refused to the app but is no evidence.
 */
import fs from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import type { IpWords } from "../../lib/ip-words.ts";
import { newIpWords, wordsOfRange } from "../../lib/ip-words.ts";
import { parseIpRange } from "../../lib/ip-range.ts";
import type { Dna } from "../../dna/dna.ts";

export interface AddressRange {
  readonly family: 4 | 6;
  readonly words: IpWords;
  readonly prefixBits: number;
}

export interface MembraneRules {
  /** Whether what is forbidden is also refused from inside. */
  readonly confine: boolean;
  readonly children: boolean;
  readonly listen: boolean;
  /** Null: any. */
  readonly connect: readonly AddressRange[] | null;
  /** Absolute paths, folders with all that is in them. Null: any. */
  readonly fsRead: readonly string[] | null;
  readonly fsWrite: readonly string[] | null;
  readonly addons: boolean;
  /** Processors that may be used for long. Null: any number. */
  readonly cpus: number | null;
  /** Whom a drone is to be. Null: whoever it is. */
  readonly uid: number | null;
}

/** Of cellws itself, what it is run by and what it needs: the folder that holds `src` or `dist`, and its dependencies. */
const program = path.resolve(fileURLToPath(new URL("../../..", import.meta.url)));

export function membraneRules(
  dna: Pick<Dna, "membrane" | "app">,
  guest: { readonly uid: number } | null = null,
): MembraneRules {
  const { confine, children, listen, connect, fsRead, fsWrite, addons, cpuPercentMax } = dna.membrane;
  return {
    confine,
    children,
    listen,
    addons,
    connect: connect === "any" ? null : connect.flatMap(readRange),
    fsRead: fsRead === "any" ? null : withRealPaths([appFolder(dna.app), ...fsRead]),
    fsWrite: fsWrite === "any" ? null : withRealPaths(fsWrite),
    cpus: cpuPercentMax === 0 ? null : cpuPercentMax / 100,
    uid: guest?.uid ?? null,
  };
}

/** Whether Node's permission model is needed: it is all or nothing, so an open membrane does without. */
function needsPermissionModel({ confine, children, fsRead, fsWrite, addons }: MembraneRules): boolean {
  return confine && (!children || !addons || fsRead !== null || fsWrite !== null);
}

/** What a cell itself touches while it is a drone. */
export interface OwnPlaces {
  readonly runDir: string;
  /** Where events are recorded, if they are. */
  readonly events: string | null;
  readonly envFile: string | null;
}

/** Arguments for the Node that runs a drone; none where the membrane is open. */
export function permissionFlags(rules: MembraneRules, own: OwnPlaces): string[] {
  if (!needsPermissionModel(rules)) return [];
  const { runDir, events, envFile } = own;
  const reads =
    rules.fsRead === null ? ["*"] : [...rules.fsRead, ...programFolders(), runDir, "/proc", events, envFile];
  const writes = rules.fsWrite === null ? ["*"] : [...rules.fsWrite, runDir, events];
  return [
    "--permission",
    ...reads.flatMap((place) => grant("--allow-fs-read", place)),
    ...writes.flatMap((place) => grant("--allow-fs-write", place)),
    "--allow-worker",
    "--allow-wasi",
    ...(rules.children ? ["--allow-child-process"] : []),
    ...(rules.addons ? ["--allow-addons"] : []),
    // What it warns of is what the DNA says.
    "--disable-warning=SecurityWarning",
  ];
}

/** Everything: for the daughter of a drone that is none herself. Without it Node would hand its mother's flags down. */
export const openFlags: string[] = [
  "--permission",
  "--allow-fs-read=*",
  "--allow-fs-write=*",
  "--allow-child-process",
  "--allow-worker",
  "--allow-wasi",
  "--allow-addons",
  "--disable-warning=SecurityWarning",
];

/** A folder is granted with all that it holds; a place that does not exist yet as it is spelt. */
function grant(flag: string, place: string | null): string[] {
  if (place === null) return [];
  if (place === "*") return [`${flag}=*`];
  return [`${flag}=${place}`, ...(isFolder(place) ? [`${flag}=${path.join(place, "*")}`] : [])];
}

/** As written and as the kernel tells it: open files are seen under their real names. */
function withRealPaths(places: readonly string[]): string[] {
  const all = new Set<string>();
  for (const place of places) {
    const whole = path.resolve(place);
    all.add(whole);
    try {
      all.add(fs.realpathSync(whole));
    } catch {
      // It may come to be there later.
    }
  }
  return [...all];
}

/** The project that the app belongs to: the nearest folder above it with a package.json, else its own. */
export function appFolder(app: string): string {
  const own = path.dirname(app);
  for (let folder = own; ; folder = path.dirname(folder)) {
    if (fs.existsSync(path.join(folder, "package.json"))) return folder;
    if (folder === path.dirname(folder)) return own;
  }
}

/** Of cellws itself, its dependencies and Node: what a drone reads without the app's doing. */
export function programFolders(): string[] {
  return withRealPaths([program, ...dependencyFolders(), path.dirname(process.execPath)]);
}

/** Where cellws' own dependencies lie: beside it when it is installed as one among others. */
function dependencyFolders(): string[] {
  const parent = path.dirname(program);
  return path.basename(parent) === "node_modules" ? [parent] : [];
}

/** Whether `file` is one of the places or lies in one. */
export function isWithin(file: string, places: readonly string[]): boolean {
  return places.some((place) => file === place || file.startsWith(place.endsWith("/") ? place : `${place}/`));
}

export function isInRanges(family: 4 | 6, words: ArrayLike<number>, ranges: readonly AddressRange[]): boolean {
  return ranges.some((range) => range.family === family && sharesPrefix(words, range.words, range.prefixBits));
}

function sharesPrefix(a: ArrayLike<number>, b: ArrayLike<number>, bits: number): boolean {
  for (let i = 0; i * 32 < bits; i += 1) {
    const left = bits - i * 32;
    const mask = left >= 32 ? 0xffffffff : (0xffffffff << (32 - left)) >>> 0;
    if ((((a[i] ?? 0) ^ (b[i] ?? 0)) & mask) !== 0) return false;
  }
  return true;
}

function readRange(text: string): AddressRange[] {
  const range = parseIpRange(text);
  if (range === null) return [];
  const words = newIpWords();
  const { family, prefixBits } = wordsOfRange(range, words);
  return [{ family, words, prefixBits }];
}

function isFolder(place: string): boolean {
  try {
    return fs.statSync(place).isDirectory();
  } catch {
    return false;
  }
}
