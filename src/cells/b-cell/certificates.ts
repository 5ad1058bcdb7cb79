/**
 * The certificates of one listener, kept up with their files: what a program such as certbot puts in their place is used
 * for the next connection, and what cannot be used is told and not used.
 *
 * Files are looked at once a second and not watched: a look follows symbolic links, so that it sees renames, swapped
 * links and mounted volumes alike, on every file system. A change is read once it has been the same for two looks,
 * because key and certificate are two files, and nobody replaces both in one moment.
 *
 * Invariant: once `isReady`, always so. A pair that was good stays in use until a better one comes.
 */
import { stat } from "node:fs/promises";
import { createSecureContext, type SecureContext, type SecureVersion } from "node:tls";
import {
  readCertificate,
  readCertificateOfAnyDate,
  type Certificate,
  type CertificateFault,
  type CertificateFiles,
} from "../../dna/certificate.ts";
import { ServerNames } from "../../lib/server-name.ts";

export interface CertificateNews {
  /** In use now, by its names. */
  loaded(files: CertificateFiles, certificate: Certificate): void;
  /** Not taken; what was in use before, if anything, goes on. */
  refused(files: CertificateFiles, fault: CertificateFault, hasOld: boolean): void;
}

export interface CertificateTrouble {
  code: string;
  message: string;
}

/** Certbot's own renewal takes seconds; nobody waits for this. */
export const lookEveryMs = 1_000;

interface Pair {
  readonly files: CertificateFiles;
  current: Certificate | null;
  context: SecureContext | null;
  fault: CertificateFault | null;
  /** What the files looked like when they were last read, and at the last look. */
  readPrint: string;
  lookedPrint: string;
}

export class Certificates {
  readonly #pairs: readonly Pair[];
  readonly #minVersion: SecureVersion;
  readonly #news: CertificateNews;
  readonly #changed: () => void;
  #byName = new ServerNames<SecureContext>();
  #timer: NodeJS.Timeout | null = null;
  #isLooking = false;

  /** `changed` is called after each change, first of all by `start`. The first of `files` is for whoever asks for no name. */
  constructor(
    files: readonly [CertificateFiles, ...CertificateFiles[]],
    minVersion: SecureVersion,
    { news, changed }: { news: CertificateNews; changed: () => void },
  ) {
    const blank = { current: null, context: null, fault: null, readPrint: "", lookedPrint: "" };
    this.#pairs = files.map((pair) => ({ files: { key: pair.key, cert: pair.cert }, ...blank }));
    this.#minVersion = minVersion;
    this.#news = news;
    this.#changed = changed;
  }

  /** Whether there is one for clients that ask for no name. */
  get isReady(): boolean {
    return this.#default.context !== null;
  }

  /** For tls.createServer; only when ready. */
  get defaultOptions(): { key: Buffer; cert: Buffer; minVersion: SecureVersion } {
    const { current } = this.#default;
    if (current === null) throw new Error("no certificate is loaded");
    return { key: current.key, cert: current.cert, minVersion: this.#minVersion };
  }

  /** Undefined: the default is to be used. */
  find(serverName: string): SecureContext | undefined {
    return this.#byName.find(serverName);
  }

  /** For people. Empty when all is well. */
  troubles(nowMs: number): CertificateTrouble[] {
    return this.#pairs.flatMap(({ files, fault, current }) => {
      if (fault !== null) {
        const old = current === null ? "none is in use" : "the one before it stays in use";
        return [{ code: fault.code, message: `${fault.message}, so ${old}: ${fault.found}` }];
      }
      const isLate = current !== null && current.validToMs < nowMs;
      if (isLate) return [{ code: "CELLWS_E_TLS_EXPIRED", message: `the certificate has expired: ${files.cert}` }];
      return (current?.warnings ?? []).map(({ code, message, found }) => ({ code, message: `${message}: ${found}` }));
    });
  }

  /** Reads all of them and keeps looking. */
  async start(): Promise<void> {
    for (const pair of this.#pairs) {
      pair.lookedPrint = await fingerprint(pair.files);
      this.#read(pair);
    }
    this.#apply();
    this.#timer = setInterval(() => void this.look(), lookEveryMs);
    this.#timer.unref();
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }

  /** One look at the files; by itself once a second. */
  async look(): Promise<void> {
    // A look at a file system that hangs must not be followed by a thousand others.
    if (this.#isLooking) return;
    this.#isLooking = true;
    let hasChanged = false;
    for (const pair of this.#pairs) {
      const print = await fingerprint(pair.files);
      const isSettled = print === pair.lookedPrint;
      pair.lookedPrint = print;
      if (isSettled && print !== pair.readPrint) hasChanged = this.#read(pair) || hasChanged;
    }
    this.#isLooking = false;
    if (hasChanged) this.#apply();
  }

  get #default(): Pair {
    return this.#pairs[0] as Pair;
  }

  /** True when there is another certificate in use now. */
  #read(pair: Pair): boolean {
    const { files } = pair;
    pair.readPrint = pair.lookedPrint;
    const nowMs = Date.now();
    const read = readCertificate(files, nowMs);
    // For those that visit now, a certificate out of its time is better than no answer; but none is given up for it.
    const isDateAlone =
      !read.ok && (read.fault.code === "CELLWS_E_TLS_EXPIRED" || read.fault.code === "CELLWS_E_TLS_NOT_YET_VALID");
    const mayBeLate = isDateAlone && (pair.current === null || pair.current.validToMs < nowMs);
    const used = mayBeLate ? readCertificateOfAnyDate(files) : read;
    pair.fault = read.ok ? null : read.fault;
    if (pair.fault !== null) this.#news.refused(files, pair.fault, pair.current !== null || mayBeLate);
    if (!used.ok) return false;
    const { key, cert } = used.certificate;
    pair.context = createSecureContext({ key, cert, minVersion: this.#minVersion });
    pair.current = used.certificate;
    if (read.ok) this.#news.loaded(files, used.certificate);
    return true;
  }

  #apply(): void {
    const byName = new ServerNames<SecureContext>();
    for (const { current, context } of this.#pairs) {
      if (current !== null && context !== null) byName.add(current.names, context);
    }
    this.#byName = byName;
    this.#changed();
  }
}

/** Nothing there, or nothing that we may look at, has a fingerprint of its own. */
async function fingerprint({ key, cert }: CertificateFiles): Promise<string> {
  const prints = await Promise.all(
    [key, cert].map(async (file) => {
      try {
        const { dev, ino, size, mtimeNs, ctimeNs } = await stat(file, { bigint: true });
        return `${dev}/${ino}/${size}/${mtimeNs}/${ctimeNs}`;
      } catch {
        return "-";
      }
    }),
  );
  return prints.join(" ");
}
