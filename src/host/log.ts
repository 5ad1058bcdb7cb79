/**
 * A cell's log: one JSON object a line, with the name of the event, appended to the organism's one log file.
 *
 * All cells write to the same file, each line with one write to a descriptor opened for appending, which the
 * kernel keeps whole and in order; so there is no collector whose death would silence the rest. Writing is
 * synchronous: a cell that dies has said what it said. And it never throws: a full disk must not end a cell
 * that could go on serving, so what could not be written is counted, and told when there is room again.
 *
 * Not here: what the app prints (capture-stdio.ts), keeping the file small (log-rotate.ts), reading it
 * (log-tail.ts, log-follow.ts), how a person sees it (src/view/log-line.ts).
 */
import fs from "node:fs";
import { pino } from "pino";
import type { Logger } from "pino";
import type { CellClass } from "../core/cell.ts";
import type { LogLevel } from "../core/log-level.ts";
import type { LogRotator } from "./log-rotate.ts";
import { createLogRotator } from "./log-rotate.ts";

export interface CellLogOptions {
  file: string;
  /** That file, opened for appending, for a cell that may not open it: others keep it small then. */
  fd?: number;
  level?: LogLevel;
  /** The file is turned past this size. */
  bytesMax?: number;
  /** How many turned files are kept. */
  files?: number;
  cell: string;
  class: CellClass;
}

/** What belongs to every line is set by the log itself and cannot be overwritten by an event's own fields. */
export type LogFields = Record<string, unknown> & {
  [reserved in "level" | "time" | "pid" | "cell" | "class" | "event" | "msg"]?: never;
};

export interface CellLog {
  /** `event`: its stable name in kebab-case, as `cell-born`. Errors go into `fields.err`. `msg`: a sentence for people. */
  debug(event: string, fields?: LogFields, msg?: string): void;
  info(event: string, fields?: LogFields, msg?: string): void;
  warn(event: string, fields?: LogFields, msg?: string): void;
  error(event: string, fields?: LogFields, msg?: string): void;
  /** The same log with these fields on every line. */
  child(fields: LogFields): CellLog;
  /** For differentiation: from here on lines carry the new class, those of children too. */
  setClass(cellClass: CellClass): void;
  /** Lines that could not be written so far. */
  linesLost(): number;
  /** Ends the checks and the descriptor. What is logged afterwards is counted as lost. */
  close(): Promise<void>;
}

/** Enough for days of a healthy organism, little enough to read. */
export const LOG_BYTES_MAX_DEFAULT = 10 * 1024 * 1024;
export const LOG_FILES_DEFAULT = 3;

/**
 * @example
 * const log = createCellLog({ file: run.logFile, cell: id, class: "stem" });
 * log.info("cell-born", { mother }, `born of ${mother}`);
 */
export function createCellLog(options: CellLogOptions): CellLog {
  let cellClass = options.class;
  const writer = openWriter(options, ({ level, ...fields }) => {
    const time = new Date().toISOString();
    return `${JSON.stringify({ level, time, pid: process.pid, cell: options.cell, class: cellClass, ...fields })}\n`;
  });
  const logger = pino(
    {
      level: options.level ?? "info",
      base: { pid: process.pid, cell: options.cell },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      // Read at each line and not bound once, so that it can change.
      mixin: () => ({ class: cellClass }),
    },
    { write: writer.write },
  );
  return wrap(logger, {
    setClass: (next) => (cellClass = next),
    linesLost: writer.linesLost,
    close: writer.close,
  });
}

type LogControls = Pick<CellLog, "setClass" | "linesLost" | "close">;

function wrap(logger: Logger, controls: LogControls): CellLog {
  const at =
    (level: "debug" | "info" | "warn" | "error") =>
    (event: string, fields: LogFields = {}, msg?: string): void => {
      logger[level]({ event, ...fields }, msg);
    };
  return {
    debug: at("debug"),
    info: at("info"),
    warn: at("warn"),
    error: at("error"),
    child: (fields) => wrap(logger.child(fields), controls),
    ...controls,
  };
}

/** No event needs more; one that has more carries somebody's data, which belongs elsewhere. */
const LINE_BYTES_MAX = 64 * 1024;
/** Of a line that is cut: enough to see what it was. */
const CUT_LINE_CHARS = 4 * 1024;

/** Makes a line of what the log says of itself, which must not go through the logger again. */
type OwnLine = (fields: { level: LogLevel; event: string; msg: string; [field: string]: unknown }) => string;

interface Writer {
  write: (line: string) => void;
  linesLost: () => number;
  close: () => Promise<void>;
}

function openWriter(options: CellLogOptions, ownLine: OwnLine): Writer {
  // Appending is what makes both sound: lines of many cells do not overwrite one another, and after a
  // rotation has cut the file everybody goes on at its new end.
  let fd: number | null = options.fd ?? fs.openSync(options.file, "a", 0o600);
  const rotator = options.fd === undefined ? startRotator(fd, options, (line) => write(ownLine(line))) : noRotator;
  let linesLost = 0;
  let linesLostUntold = 0;
  let endsTorn = false;

  function write(line: string): void {
    if (linesLostUntold > 0) tellLosses();
    append(line);
  }

  function append(line: string): void {
    const whole = Buffer.from(fitLine(line, ownLine), "utf8");
    // After a write that the disk cut short, the next line must not grow onto the stump.
    const bytes = endsTorn ? Buffer.concat([LINE_END, whole]) : whole;
    try {
      if (fd === null) throw new Error("closed");
      rotator.beforeWrite();
      const written = fs.writeSync(fd, bytes);
      endsTorn = written < bytes.length;
      if (endsTorn) lose();
      rotator.wrote(written);
    } catch {
      lose();
    }
  }

  function lose(): void {
    linesLost += 1;
    linesLostUntold += 1;
  }

  function tellLosses(): void {
    const lines = linesLostUntold;
    linesLostUntold = 0;
    const before = linesLost;
    append(ownLine({ level: "warn", event: "log-lines-lost", lines, msg: `${lines} log lines could not be written` }));
    // Not told after all: what is owed stays owed, and the telling itself is no loss.
    if (linesLost > before) {
      linesLost = before;
      linesLostUntold = lines;
    }
  }

  return {
    write,
    linesLost: () => linesLost,
    async close() {
      rotator.close();
      await rotator.settled();
      if (fd !== null && options.fd === undefined) fs.closeSync(fd);
      fd = null;
    },
  };
}

const noRotator: LogRotator = {
  beforeWrite: () => undefined,
  wrote: () => undefined,
  settled: () => Promise.resolve(),
  close: () => undefined,
};

const LINE_END = Buffer.from("\n");

function startRotator(fd: number, options: CellLogOptions, say: (line: Parameters<OwnLine>[0]) => void): LogRotator {
  return createLogRotator({
    file: options.file,
    fd,
    bytesMax: options.bytesMax ?? LOG_BYTES_MAX_DEFAULT,
    filesMax: options.files ?? LOG_FILES_DEFAULT,
    onRotated: ({ bytes, tookMs, lostBytesMax }) => {
      const msg = `the log was turned at ${bytes} bytes`;
      say({ level: "info", event: "log-turned", bytes, tookMs: Math.round(tookMs), lostBytesMax, msg });
    },
    onFailed: (error) => {
      const msg = `the log could not be turned: ${error instanceof Error ? error.message : String(error)}`;
      say({ level: "warn", event: "log-turn-failed", msg });
    },
  });
}

function fitLine(line: string, ownLine: OwnLine): string {
  // A UTF-16 unit is at most three bytes: most lines need no counting.
  if (line.length * 3 <= LINE_BYTES_MAX) return line;
  const bytes = Buffer.byteLength(line);
  if (bytes <= LINE_BYTES_MAX) return line;
  const beginning = line.slice(0, CUT_LINE_CHARS);
  return ownLine({ level: "warn", event: "log-line-cut", bytes, beginning, msg: "a log line was too long and is cut" });
}
