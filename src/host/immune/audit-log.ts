/**
 * The audit log: a JSON line for each request in which something was found.
 *
 * Several B cells append to one file, each with whole lines in one write to a descriptor opened for appending, which
 * the kernel keeps whole and in order. Unlike a cell's own log (log.ts) it must not hold the event loop: an attack
 * writes thousands of lines a second, and each is worth less than the next request's answer. So lines are gathered,
 * and one write is under way at a time; what comes meanwhile waits in a bounded room, beyond which it is counted and lost.
 */
import fs from "node:fs";
import type { AuditEntry } from "../../immune/finding.ts";
import { createLogRotator, type LogRotator } from "../log-rotate.ts";

export interface AuditLogOptions {
  file: string;
  /** Past this size the file is turned; `archivesMax` full ones are kept beside it. */
  bytesMax: number;
  /** Lines that are not in the log, and why. */
  onLost?: (lines: number, reason: string) => void;
}

export const auditLimits = {
  archivesMax: 3,
  /** What waits for the disk: some twenty thousand lines. */
  waitingBytesMax: 8 * 1024 * 1024,
} as const;

export class AuditLog {
  readonly #fd: number;
  readonly #rotator: LogRotator;
  readonly #onLost: (lines: number, reason: string) => void;
  #waiting: string[] = [];
  #waitingBytes = 0;
  #isFlushDue = false;
  #writing: Promise<void> | null = null;
  #endsTorn = false;
  /** Lines that never reached the file. */
  lost = 0;

  /** Throws where the file cannot be opened. */
  constructor({ file, bytesMax, onLost }: AuditLogOptions) {
    this.#fd = fs.openSync(file, "a", 0o600);
    this.#onLost = onLost ?? (() => {});
    this.#rotator = createLogRotator({ file, fd: this.#fd, bytesMax, filesMax: auditLimits.archivesMax });
  }

  write(entry: AuditEntry): void {
    const line = `${JSON.stringify(entry)}\n`;
    if (this.#waitingBytes + line.length > auditLimits.waitingBytesMax) return this.#lose(1, "the disk is too slow");
    this.#waiting.push(line);
    this.#waitingBytes += line.length;
    this.#flushSoon();
  }

  /** Resolves when all that was written is in the file. */
  async close(): Promise<void> {
    this.#rotator.close();
    while (this.#waiting.length > 0 || this.#writing !== null) {
      this.#flush();
      await this.#writing;
    }
    await this.#rotator.settled();
    fs.closeSync(this.#fd);
  }

  /** Once a turn: the lines of all requests that were judged in it. */
  #flushSoon(): void {
    if (this.#isFlushDue || this.#writing !== null) return;
    this.#isFlushDue = true;
    setImmediate(() => {
      this.#isFlushDue = false;
      this.#flush();
    });
  }

  #flush(): void {
    if (this.#writing !== null || this.#waiting.length === 0) return;
    const lines = this.#waiting;
    this.#waiting = [];
    this.#waitingBytes = 0;
    this.#writing = this.#append(lines).finally(() => {
      this.#writing = null;
      if (this.#waiting.length > 0) this.#flushSoon();
    });
  }

  async #append(lines: readonly string[]): Promise<void> {
    // After a write that the disk cut short, the next line must not grow onto the stump.
    const bytes = Buffer.from((this.#endsTorn ? "\n" : "") + lines.join(""), "utf8");
    this.#rotator.beforeWrite();
    try {
      const written = await write(this.#fd, bytes);
      this.#endsTorn = written < bytes.length;
      if (this.#endsTorn) this.#lose(lines.length, "the disk took only a part");
      this.#rotator.wrote(written);
    } catch (error) {
      this.#lose(lines.length, error instanceof Error ? error.message : String(error));
    }
  }

  #lose(lines: number, reason: string): void {
    this.lost += lines;
    this.#onLost(lines, reason);
  }
}

function write(fd: number, bytes: Buffer): Promise<number> {
  return new Promise((resolve, reject) => {
    fs.write(fd, bytes, (error, written) => (error === null ? resolve(written) : reject(error)));
  });
}
