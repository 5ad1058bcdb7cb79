/**
 * Makes what the app prints in a drone part of the organism's log: one `app-output` event a line.
 *
 * Apps print what they like, as much as they like, and some print a line for each request. So lines have a
 * length, and a second has a number of lines and bytes; what goes beyond is counted and the count is logged,
 * so that a flooding app neither fills the log with itself nor stalls in writing to it.
 *
 * What does not go through process.stdout and process.stderr (native code, the app's own child processes) is
 * not seen here: it reaches the log file as raw lines, by the descriptors that the drone was born with.
 */
import { StringDecoder } from "node:string_decoder";
import type { CellLog } from "./log.ts";

export interface CaptureOptions {
  lineCharsMax?: number;
  linesPerSecondMax?: number;
  charsPerSecondMax?: number;
}

export interface StdioCapture {
  /** Logs unfinished lines and the count of what was dropped. Called at exit by itself. */
  flush(): void;
  /** Gives the streams back. */
  restore(): void;
}

type StreamName = "stdout" | "stderr";

/** A stack trace of a bundled app fits; a dumped response body does not. */
const LINE_CHARS_MAX = 8 * 1024;
/** Ten times what a chatty app prints a second at full load, and a fiftieth of what a disk takes. */
const LINES_PER_SECOND_MAX = 2_000;
const CHARS_PER_SECOND_MAX = 512 * 1024;
const WINDOW_MS = 1_000;

export function captureStdio(log: CellLog, options: CaptureOptions = {}): StdioCapture {
  const budget = createBudget(log, options);
  const captures = (["stdout", "stderr"] as const).map((name) => captureStream(name, log, budget, options));
  const flush = (): void => {
    for (const capture of captures) capture.flush();
    budget.flush();
  };
  // A line without an end, as a prompt or a progress bar prints, is logged at the end of the second as it is.
  const timer = setInterval(flush, WINDOW_MS);
  timer.unref();
  process.on("exit", flush);
  return {
    flush,
    restore() {
      flush();
      clearInterval(timer);
      process.removeListener("exit", flush);
      for (const capture of captures) capture.restore();
    },
  };
}

interface Budget {
  /** Whether a line of this length may still be logged in this second. If not, it is counted. */
  take(chars: number): boolean;
  flush(): void;
}

function createBudget(log: CellLog, options: CaptureOptions): Budget {
  const linesMax = options.linesPerSecondMax ?? LINES_PER_SECOND_MAX;
  const charsMax = options.charsPerSecondMax ?? CHARS_PER_SECOND_MAX;
  let windowEndsMs = 0;
  let lines = 0;
  let chars = 0;
  let dropped = { lines: 0, chars: 0 };

  function flush(): void {
    if (dropped.lines === 0) return;
    const { lines, chars } = dropped;
    dropped = { lines: 0, chars: 0 };
    log.warn("app-output-dropped", { lines, chars }, `the app printed too much: ${lines} lines are not in this log`);
  }

  return {
    take(lineChars) {
      const nowMs = performance.now();
      if (nowMs >= windowEndsMs) {
        windowEndsMs = nowMs + WINDOW_MS;
        lines = 0;
        chars = 0;
        flush();
      }
      if (lines >= linesMax || chars + lineChars > charsMax) {
        dropped.lines += 1;
        dropped.chars += lineChars;
        return false;
      }
      lines += 1;
      chars += lineChars;
      return true;
    },
    flush,
  };
}

interface StreamCapture {
  flush(): void;
  restore(): void;
}

function captureStream(name: StreamName, log: CellLog, budget: Budget, options: CaptureOptions): StreamCapture {
  const stream = process[name];
  const original: typeof stream.write = Reflect.get(stream, "write");
  const lines = createLineSplitter(options.lineCharsMax ?? LINE_CHARS_MAX, (line, charsCut) => {
    if (!budget.take(line.length + charsCut)) return;
    log.info("app-output", charsCut === 0 ? { stream: name } : { stream: name, charsCut }, line);
  });

  stream.write = (chunk: Uint8Array | string, ...rest: unknown[]): boolean => {
    const encoding = typeof rest[0] === "string" ? (rest[0] as BufferEncoding) : "utf8";
    lines.push(chunk, encoding);
    const done = rest.find((argument) => typeof argument === "function") as (() => void) | undefined;
    if (done !== undefined) process.nextTick(done);
    // Never "full": the line is in the file, or counted as dropped.
    return true;
  };
  return {
    flush: lines.flush,
    restore: () => (stream.write = original),
  };
}

interface LineSplitter {
  push: (chunk: Uint8Array | string, encoding: BufferEncoding) => void;
  flush: () => void;
}

/** Invariant: `line.length <= lineCharsMax`; what a line has beyond that is only counted, in `charsCut`. */
function createLineSplitter(lineCharsMax: number, onLine: (line: string, charsCut: number) => void): LineSplitter {
  // A character may be split between two chunks.
  const decoder = new StringDecoder("utf8");
  let line = "";
  let charsCut = 0;

  function extend(text: string): void {
    const kept = text.slice(0, lineCharsMax - line.length);
    line += kept;
    charsCut += text.length - kept.length;
  }

  function flush(): void {
    if (line === "" && charsCut === 0) return;
    endLine();
  }

  function endLine(): void {
    const ended = line.endsWith("\r") ? line.slice(0, -1) : line;
    onLine(ended, charsCut);
    line = "";
    charsCut = 0;
  }

  return {
    push(chunk, encoding) {
      const text = typeof chunk === "string" ? decodeText(chunk, encoding) : decoder.write(Buffer.from(chunk));
      let start = 0;
      for (let end = text.indexOf("\n"); end >= 0; end = text.indexOf("\n", start)) {
        extend(text.slice(start, end));
        endLine();
        start = end + 1;
      }
      extend(text.slice(start));
    },
    flush,
  };
}

function decodeText(text: string, encoding: BufferEncoding): string {
  return encoding === "utf8" || encoding === "utf-8" ? text : Buffer.from(text, encoding).toString("utf8");
}
