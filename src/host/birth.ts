/**
 * Birth, the mother's side: a new process with the inherited sockets, and the few words that pass between the two before
 * the daughter stands on its own. The launcher bears the egg in the same way.
 *
 *   daughter -> mother   conceived { publicKey }
 *   mother -> daughter   birth { ... }        what a cell is born with (BirthPackage); an egg announces the organism itself
 *   mother -> daughter   connection + socket  held connections, unread, for a B cell
 *   daughter -> mother   born                 it works; the channel is closed
 *
 * Node's IPC channel dies with the mother, so it serves for birth only. After that kin links carry everything.
 */
import type { ChildProcess } from "node:child_process";
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { CellClass, CellId } from "../core/cell.ts";
import type { CellBody, OrganismRecord } from "../core/record.ts";
import type { Dna } from "../dna/dna.ts";
import type { OrganismFile } from "../wire/control.ts";
import type { ListenAddress, TakenConnection } from "./listeners.ts";
import type { Guest } from "./membrane/guest.ts";
import { readProc } from "./proc.ts";

/** All that a newborn is told. Plain JSON. */
export interface BirthPackage {
  readonly organism: string;
  readonly name: string;
  readonly id: CellId;
  readonly class: CellClass;
  readonly urgent: boolean;
  readonly dna: Dna;
  readonly revision: string;
  /** Path of the run directory's parent. */
  readonly runBase: string;
  readonly listeners: readonly ListenAddress[];
  /** The admin listener, whose descriptors come after the others'. */
  readonly admin: ListenAddress | null;
  /** By the machine's monotonic clock: when a client's connection woke the egg that bears this one for it. */
  readonly awokenAtMs: number | null;
  /** Whether a service manager holds the listening sockets as well: nobody else can open them anew then. */
  readonly socketsAreKept: boolean;
  /** Whom drones are, where root has started the organism and the DNA says so; and where cells have their sockets then. */
  readonly guest: (Guest & { readonly doors: string }) | null;
  /** Null for the founding egg, which certifies itself. */
  readonly certificate: OrganismRecord<CellBody> | null;
  readonly records: readonly OrganismRecord[];
}

export type MotherMessage =
  | {
      readonly type: "birth";
      readonly package: BirthPackage;
      /** What an egg writes to organism.json when it needs nobody any more; null for all others. */
      readonly announcement: OrganismFile | null;
    }
  | { readonly type: "connection"; readonly listener: number };
export type DaughterMessage = { readonly type: "conceived"; readonly publicKey: string } | { readonly type: "born" };

export interface Conceived {
  readonly pid: number;
  readonly startTicks: number;
  readonly publicKey: string;
  /** RFC 3339. */
  readonly bornAt: string;
}

export interface WombEvents {
  conceived(conception: Conceived): void;
  /** The daughter works on its own. */
  born(): void;
  /** It could not be started, or ended before it was born. */
  failed(reason: string): void;
  /** Its process has ended, whenever. */
  exited(code: number | null, signal: NodeJS.Signals | null): void;
}

export interface WombOptions {
  /** Descriptors of the listening sockets; the daughter gets each twice (listeners.ts). */
  readonly listenFds: readonly number[];
  /** Where the daughter's own stdout and stderr go: the log. */
  readonly outputFd: number;
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  /** In a session of its own, so that a terminal's Ctrl-C does not reach it: for the egg; daughters inherit that. */
  readonly ownSession: boolean;
  /** Further arguments for the daughter's Node. */
  readonly flags?: readonly string[];
}

/** First inherited descriptor: after stdin, stdout, stderr and the IPC channel. */
export const firstInheritedFd = 4;

const cellProgram = fileURLToPath(
  new URL(`../cells/main${import.meta.url.endsWith(".ts") ? ".ts" : ".js"}`, import.meta.url),
);

/** Starts a daughter's process. */
export class Womb {
  readonly #child: ChildProcess;
  #isBorn = false;
  #hasFailed = false;

  constructor(options: WombOptions, events: WombEvents) {
    const { listenFds, outputFd, cwd, env, ownSession, flags = [] } = options;
    const bornAt = new Date().toISOString();
    const fail = (reason: string): void => {
      if (this.#isBorn || this.#hasFailed) return;
      this.#hasFailed = true;
      events.failed(reason);
    };
    this.#child = spawn(process.execPath, cellArguments(flags), {
      stdio: ["ignore", outputFd, outputFd, "ipc", ...listenFds.flatMap((fd) => [fd, fd])],
      cwd,
      env,
      detached: ownSession,
    });
    this.#child.on("error", (error) => fail(error.message));
    this.#child.on("message", (message: DaughterMessage) => {
      if (message.type === "conceived") {
        const pid = this.#child.pid ?? 0;
        events.conceived({ pid, startTicks: readProc(pid)?.startTicks ?? 0, publicKey: message.publicKey, bornAt });
      } else {
        this.#isBorn = true;
        if (this.#child.connected) this.#child.disconnect();
        this.#child.unref();
        events.born();
      }
    });
    this.#child.on("exit", (code, signal) => {
      fail(signal === null ? `its process ended with code ${code}` : `its process was ended by ${signal}`);
      events.exited(code, signal);
    });
  }

  bear(birthPackage: BirthPackage, announcement: OrganismFile | null = null): void {
    this.#say({ type: "birth", package: birthPackage, announcement });
  }

  /** Hands a connection over. It is closed here once the kernel has taken it to the daughter. */
  hand({ socket, listener }: TakenConnection): void {
    this.#say({ type: "connection", listener }, socket);
  }

  /** Ends a daughter that was never born. One that was is no longer ours to end. */
  abort(): void {
    if (!this.#isBorn) this.#child.kill("SIGKILL");
  }

  #say(message: MotherMessage, socket?: TakenConnection["socket"]): void {
    if (!this.#child.connected) {
      socket?.destroy();
      return;
    }
    this.#child.send(message, socket, { keepOpen: false }, (error) => {
      if (error !== null) socket?.destroy();
    });
  }
}

/**
 * Each chunk that a socket reads is 64 KiB outside of V8's heap. By default V8 lets 64 MiB of those pass and then marks its
 * whole heap, which took half of the CPU time of large bodies; counted with the heap, and given room, they go in scavenges
 * (docs/PERFORMANCE.md). And where objects that one line of code makes have survived for a while, under a load that had to wait, say,
 * V8 makes all further ones among the old for good; they then keep their young alive, until it marks its whole heap. Node refuses to
 * start with a flag that it does not know, so they are given to the V8s that do.
 */
const memoryArguments = /^1[34]\./.test(process.versions.v8)
  ? ["--external-memory-accounted-in-global-limit", "--initial-old-space-size=128", "--no-allocation-site-pretenuring"]
  : [];

/** What Node is called with to run a cell. */
export function cellArguments(flags: readonly string[]): string[] {
  return [...nodeArguments, ...flags, cellProgram];
}

/** A cell must not print warnings about what its sources are run by; an app's own warnings are not concerned. */
const nodeArguments = ["--disable-warning=ExperimentalWarning", ...memoryArguments];
