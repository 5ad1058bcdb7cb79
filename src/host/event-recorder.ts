/**
 * Writes a cell's event log (wire/event-log.ts), where the DNA asks for one: `logs.events` names a folder for all cells.
 *
 *   <folder>/<cell>-0000.events.jsonl      from its birth
 *   <folder>/<cell>-0001.events.jsonl      from a checkpoint, and so on
 *
 * Each cell writes its own files, one whole line at a time and at once, so that what is there when it is killed is there,
 * but for the end of the last line. When a segment is full the next begins; whoever begins one takes the oldest segments
 * away, its own or others', until all together fit into `logs.eventBytesMax`. So the newest is kept, of whomever.
 * A recorder that cannot write says so once and stops: it must never be what a cell dies of.
 */
import fs from "node:fs";
import path from "node:path";
import type { Effect } from "../core/effect.ts";
import type { Event } from "../core/event.ts";
import type { Move } from "../core/move.ts";
import type { State } from "../core/state.ts";
import type { Birth } from "../core/step.ts";
import type { EventLine, SegmentHead } from "../wire/event-log.ts";
import { effectsDigest, eventLine, eventLogFormat, sealLine } from "../wire/event-log.ts";

export interface RecorderOptions {
  readonly folder: string;
  /** Of all segments of all cells in the folder. */
  readonly bytesMax: number;
  readonly organism: string;
  readonly name: string;
  readonly cell: string;
  readonly onFailed: (reason: string) => void;
}

export const segmentSuffix = ".events.jsonl";
/** A segment is a sixteenth of what is allowed: so sixteen moments of the past can go one by one. At most so much: it is read whole. */
const segmentShare = 16;
const segmentBytesMax = 8 * 1024 * 1024;
/** As many as four digits number. */
const segmentsMax = 9_999;

export class EventRecorder {
  readonly #options: RecorderOptions;
  readonly #segmentBytesMax: number;
  #fd: number | null = null;
  #bytes = 0;
  #segment = 0;
  #count = 0;
  #chain = "";

  constructor(options: RecorderOptions) {
    this.#options = options;
    this.#segmentBytesMax = Math.min(segmentBytesMax, Math.floor(options.bytesMax / segmentShare));
  }

  /** The first thing to be told: with what the mind began, and what it wished at once. */
  born(birth: Birth, nowMs: number, [state, effects]: Move): void {
    // A cell that was reborn (membrane/rebirth.ts) goes on where it had stopped.
    while (this.#segment < segmentsMax && fs.existsSync(this.#file())) this.#segment += 1;
    this.#begin({ birth }, nowMs, effects, state);
  }

  /** An event, and what came of it. */
  stepped(event: Event, state: State, effects: readonly Effect[]): void {
    if (this.#fd === null) return;
    this.#count += 1;
    this.#write(eventLine(this.#count, event, state, effects));
    if (this.#bytes < this.#segmentBytesMax) return;
    this.#close();
    this.#segment += 1;
    this.#begin({ state }, event.nowMs, [], state);
  }

  /** An event that the mind cannot take: a bug, of which the cell is about to die. It is the one that matters. */
  refused(event: Event, reason: string): void {
    this.#count += 1;
    this.#write({ n: this.#count, event, did: [], effects: "", refused: reason } satisfies EventLine);
  }

  #file(): string {
    const { folder, cell } = this.#options;
    return path.join(folder, `${cell}-${String(this.#segment).padStart(4, "0")}${segmentSuffix}`);
  }

  #begin(start: SegmentHead["start"], nowMs: number, effects: readonly Effect[], state: State): void {
    const { folder, organism, name, cell } = this.#options;
    const file = this.#file();
    try {
      makeRoom(folder, this.#options.bytesMax - this.#segmentBytesMax, file);
      this.#fd = fs.openSync(file, "wx", 0o600);
    } catch (error) {
      return this.#fail(error);
    }
    this.#bytes = 0;
    this.#chain = "";
    const head: SegmentHead = {
      log: "cellws-events",
      format: eventLogFormat,
      organism,
      name,
      cell,
      pid: process.pid,
      segment: this.#segment,
      before: this.#count,
      program: programVersion(),
      node: process.version,
      time: new Date().toISOString(),
      nowMs,
      start,
    };
    this.#write({ ...head, did: effects.map(({ type }) => type), effects: effectsDigest(effects), class: state.class });
  }

  #write(line: object): void {
    if (this.#fd === null) return;
    const { text, chain } = sealLine(line, this.#chain);
    const bytes = Buffer.from(`${text}\n`, "utf8");
    try {
      const written = fs.writeSync(this.#fd, bytes);
      if (written < bytes.length) throw new Error(`the disk took ${written} of ${bytes.length} bytes`);
      this.#bytes += written;
      this.#chain = chain;
    } catch (error) {
      this.#fail(error);
    }
  }

  #fail(error: unknown): void {
    this.#close();
    this.#options.onFailed(error instanceof Error ? error.message : String(error));
  }

  #close(): void {
    if (this.#fd !== null) fs.closeSync(this.#fd);
    this.#fd = null;
  }
}

/** Takes the oldest segments away until the rest is no more than `bytesMax`. Others may do the same at the same time. */
function makeRoom(folder: string, bytesMax: number, except: string): void {
  const segments = fs
    .readdirSync(folder)
    .filter((name) => name.endsWith(segmentSuffix))
    .flatMap((name) => {
      const file = path.join(folder, name);
      const stats = fs.statSync(file, { throwIfNoEntry: false });
      return stats === undefined || file === except ? [] : [{ file, bytes: stats.size, atMs: stats.mtimeMs }];
    })
    .sort((a, b) => a.atMs - b.atMs);
  let bytes = segments.reduce((sum, segment) => sum + segment.bytes, 0);
  for (const segment of segments) {
    if (bytes <= bytesMax) return;
    fs.rmSync(segment.file, { force: true });
    bytes -= segment.bytes;
  }
}

let version: string | null = null;

function programVersion(): string {
  // As far above src/host in a checkout as above dist/host in the package.
  version ??= (
    JSON.parse(fs.readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as { version: string }
  ).version;
  return version;
}
