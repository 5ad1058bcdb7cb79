/**
 * The launch of an organism: the sockets are opened, the egg is borne, and from there on it lives by itself. Who launches is
 * no cell and has no authority; once organism.json is there it can die, and nothing changes. The egg writes that file itself:
 * before it has been told what it is born with, it cannot live without the launcher, and nobody should think that it does.
 */
import crypto from "node:crypto";
import fs from "node:fs";
import { idAlphabet, idLength } from "../core/cell.ts";
import type { Dna } from "../dna/dna.ts";
import { assert } from "../lib/assert.ts";
import { CellwsError } from "../lib/cellws-error.ts";
import type { OrganismFile } from "../wire/control.ts";
import { Womb } from "./birth.ts";
import { organismId } from "./identity.ts";
import type { ListenAddress, OpenListeners } from "./listeners.ts";
import { openListeners } from "./listeners.ts";
import type { Guest } from "./membrane/guest.ts";
import type { RunDir } from "./run-dir.ts";
import { createRunDir, dnaPath, doorsOf, removeRunDir, runBase } from "./run-dir.ts";

export interface LaunchRequest {
  readonly dna: Dna;
  readonly revision: string;
  readonly dnaFile: string | null;
  readonly env: NodeJS.ProcessEnv;
  /** Descriptors of listening sockets that a service manager has passed; none where the organism opens its own. */
  readonly passedFds?: readonly number[];
  /** Whom drones are to be; null: who has started the organism. */
  readonly guest?: Guest | null;
}

export interface Launched {
  readonly run: RunDir;
  readonly file: OrganismFile;
  readonly eggId: string;
  readonly eggPid: number;
  /** What a dead organism of the same name had left and was cleared away. */
  readonly leftovers: readonly string[];
}

/**
 * Resolves once the egg holds the sockets and answers on its own socket.
 *
 * @throws CellwsError as openListeners and createRunDir do, and CELLWS_E_EGG where the egg dies before that.
 */
export async function launch(request: LaunchRequest): Promise<Launched> {
  const { dna, revision, dnaFile, env, passedFds = [], guest = null } = request;
  const { run, leftovers } = await createRunDir(dna.name, { guest });
  try {
    const listeners = await openAll(dna, passedFds);
    const { app: appAddresses, admin: adminAddress } = listeners;
    if (adminAddress !== null) writeAdminToken(run);
    fs.mkdirSync(run.dnaDir, { recursive: true, mode: 0o700 });
    fs.writeFileSync(dnaPath(run, revision), JSON.stringify(dna, null, 2), { mode: 0o600 });
    const outputFd = fs.openSync(run.logFile, "a", 0o600);
    const eggId = randomCellId();
    const egg = await bearEgg();
    fs.closeSync(outputFd);
    return { run, leftovers, eggId, ...egg };

    function bearEgg(): Promise<{ file: OrganismFile; eggPid: number }> {
      return new Promise((resolve, reject) => {
        let file: OrganismFile | null = null;
        let eggPid = 0;
        const womb: Womb = new Womb(
          { listenFds: listeners.fds, outputFd, cwd: dna.cwd, env, ownSession: true },
          {
            conceived: ({ pid, publicKey }) => {
              eggPid = pid;
              file = describe(organismId(publicKey));
              womb.bear(
                {
                  organism: file.organism,
                  name: dna.name,
                  id: eggId,
                  class: "egg",
                  urgent: false,
                  dna,
                  revision,
                  runBase: runBase(),
                  listeners: appAddresses,
                  admin: adminAddress,
                  awokenAtMs: null,
                  socketsAreKept: passedFds.length > 0,
                  guest: guest === null ? null : { ...guest, doors: doorsOf(run) ?? run.cellsDir },
                  certificate: null,
                  records: [],
                },
                file,
              );
              for (const connection of taken) womb.hand(connection);
            },
            born: () => {
              assert(file !== null, "an egg is conceived before it is born");
              resolve({ file, eggPid });
            },
            failed: (reason) => reject(stillborn(run, reason)),
            exited: () => undefined,
          },
        );
        // From here on the egg's copies are the organism's; ours would only steal connections.
        const taken = listeners.handOver();
      });
    }

    function describe(organism: string): OrganismFile {
      const listen = appAddresses.map((address, i) => ({
        ...address,
        tls: (dna.listen[i]?.tls ?? null) !== null,
      }));
      const startedAt = new Date().toISOString();
      const { name, cwd, app } = dna;
      return {
        version: 1,
        name,
        organism,
        revision,
        startedAt,
        cwd,
        app,
        dnaFile,
        listen,
        admin: adminAddress,
        drainMsMax: dna.drain.msMax,
      };
    }
  } catch (error) {
    await removeRunDir(run, { exceptPid: process.pid }).catch(() => undefined);
    throw error;
  }
}

/** Loopback only: what it tells is for this machine, and whoever carries it further answers for that. */
const adminHost = "127.0.0.1";
const tokenBytes = 32;

interface OpenSockets extends Pick<OpenListeners, "fds" | "handOver"> {
  readonly app: readonly ListenAddress[];
  readonly admin: ListenAddress | null;
}

/** The app's listeners, and behind them the admin listener, which no service manager passes. */
async function openAll({ listen, admin }: Dna, passedFds: readonly number[]): Promise<OpenSockets> {
  const app = await openListeners(listen, passedFds);
  if (admin.port === null) return { ...app, app: app.addresses, admin: null };
  try {
    const own = await openListeners([{ host: adminHost, port: admin.port, flag: "--admin-port" }]);
    return {
      app: app.addresses,
      admin: own.addresses[0] ?? null,
      fds: [...app.fds, ...own.fds],
      handOver: () => [
        ...app.handOver(),
        ...own.handOver().map(({ socket }) => ({ socket, listener: app.addresses.length })),
      ],
    };
  } catch (error) {
    for (const { socket } of app.handOver()) socket.destroy();
    throw error;
  }
}

function writeAdminToken(run: RunDir): void {
  fs.writeFileSync(run.adminTokenFile, `${crypto.randomBytes(tokenBytes).toString("base64url")}\n`, { mode: 0o600 });
}

/** As all cells' ids; its daughters' are drawn by the core. */
function randomCellId(): string {
  return Array.from(crypto.randomBytes(idLength), (byte) => idAlphabet[byte & 31]).join("");
}

function stillborn(run: RunDir, reason: string): CellwsError {
  const lastWords = readTail(run.logFile);
  return new CellwsError("CELLWS_E_EGG", 1, `the egg could not live: ${reason}`, {
    ...(lastWords === "" ? {} : { found: lastWords }),
    hint: "This is most likely a bug in cellws or a machine without memory; please report what it said.",
  });
}

const lastWordsBytesMax = 4_096;

function readTail(file: string): string {
  try {
    return fs.readFileSync(file, "utf8").slice(-lastWordsBytesMax).trim();
  } catch {
    return "";
  }
}
