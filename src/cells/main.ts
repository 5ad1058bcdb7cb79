/**
 * The entry program of every cell, whatever its class. It makes its key pair, is told what it is born with, and lives.
 * Whatever goes wrong before that ends the process: the mother sees it, and the reason is in the log.
 */
import process from "node:process";
import type { CellBody, OrganismRecord } from "../core/record.ts";
import { cellKey } from "../core/record.ts";
import type { BirthPackage, DaughterMessage, MotherMessage } from "../host/birth.ts";
import { firstInheritedFd } from "../host/birth.ts";
import { CellHost } from "../host/cell-host.ts";
import type { KeyPair } from "../host/identity.ts";
import { makeKeyPair, organismId, signRecord } from "../host/identity.ts";
import type { InheritedListener, ListenAddress, TakenConnection } from "../host/listeners.ts";
import type { CellLog } from "../host/log.ts";
import { createCellLog } from "../host/log.ts";
import { isGuest } from "../host/membrane/guest.ts";
import { readRebirth } from "../host/membrane/rebirth.ts";
import { ownIdentity } from "../host/proc.ts";
import { runDir, withDoors, writeOrganismFile } from "../host/run-dir.ts";
import { bodies } from "./bodies.ts";

/** A mother that does not speak is dead, or so loaded that somebody else has been born meanwhile. */
const birthMsMax = 20_000;

/** Taken before any app is loaded: while one loads, its own calls of process.exit are caught, and ours must not be. */
const exitProcess = process.exit.bind(process);

/** Taken before any app can change it. */
const bornWith = { ...process.env };

await main();

async function main(): Promise<void> {
  const reborn = readRebirth();
  const keys = reborn?.keys ?? makeKeyPair();
  const early: TakenConnection[] = [];
  let host: CellHost | null = null;
  const take = (connection: TakenConnection): void => {
    if (host === null) early.push(connection);
    else host.takeHanded(connection);
  };
  const { package: birth, announcement } =
    reborn === null ? await askForBirth(keys, take) : { package: reborn.birth, announcement: null };
  const { guest } = birth;
  const base = runDir(birth.name, birth.runBase);
  const run = guest === null ? base : withDoors(base, guest.doors);
  const { level, fileBytesMax, files } = birth.dna.logs;
  const log = createCellLog({
    file: run.logFile,
    // Which a guest may not open; its standard output is that file, opened by root.
    ...(isGuest(guest) ? { fd: 1 } : {}),
    level,
    bytesMax: fileBytesMax,
    files,
    cell: birth.id,
    class: birth.class,
  });
  // Who was reborn holds none any more: `exec` has closed them, and their numbers may be others'.
  const { listeners, admin } = reborn === null ? inheritedListeners(birth) : { listeners: [], admin: null };

  const certificate = birth.certificate ?? selfCertified(birth, keys);
  const records = birth.certificate === null ? [certificate] : birth.records;
  host = new CellHost({
    birth: { ...birth, certificate, records },
    keys,
    run,
    log,
    listeners,
    admin,
    env: bornWith,
    bodies,
    exit: (code) => exitProcess(code),
  });
  const living = host;
  process.on("uncaughtExceptionMonitor", (error, origin) => {
    // An app that catches what nobody caught lives on, and says of it what it likes.
    if (process.listenerCount("uncaughtException") > 0) return;
    const stack = error instanceof Error ? error.stack : String(error);
    log.error("cell-crashed", { origin, stack }, `crashed: ${error instanceof Error ? error.message : String(error)}`);
  });
  stopOnSignals(living, log);
  for (const connection of early) living.takeHanded(connection);
  await living.start();
  if (announcement !== null) writeOrganismFile(base, announcement);
  say({ type: "born" });
}

function askForBirth(
  keys: KeyPair,
  take: (connection: TakenConnection) => void,
): Promise<MotherMessage & { type: "birth" }> {
  return new Promise((resolve) => {
    const orphaned = (): void => process.exit(1);
    const timer = setTimeout(orphaned, birthMsMax);
    process.once("disconnect", orphaned);
    process.on("message", (message: MotherMessage, socket: TakenConnection["socket"] | undefined) => {
      if (message.type === "birth") {
        clearTimeout(timer);
        process.off("disconnect", orphaned);
        resolve(message);
      } else if (socket !== undefined) {
        take({ socket, listener: message.listener });
      }
    });
    say({ type: "conceived", publicKey: keys.publicKey });
  });
}

/** A mother who has died meanwhile is not missed: what she was to hear concerned her alone. */
function say(message: DaughterMessage): void {
  if (process.connected) process.send?.(message, undefined, {}, () => undefined);
}

function inheritedListeners(birth: BirthPackage): { listeners: InheritedListener[]; admin: InheritedListener | null } {
  const inherited = (address: ListenAddress, i: number): InheritedListener => ({
    ...address,
    keepFd: firstInheritedFd + 2 * i,
    workFd: firstInheritedFd + 2 * i + 1,
  });
  const listeners = birth.listeners.map(inherited);
  return { listeners, admin: birth.admin === null ? null : inherited(birth.admin, listeners.length) };
}

/** The founding egg has no mother: the organism is named after its key, and that is its certificate. */
function selfCertified(birth: BirthPackage, keys: KeyPair): OrganismRecord<CellBody> {
  const body: CellBody = {
    kind: "cell",
    id: birth.id,
    mother: null,
    lineage: [],
    generation: 0,
    birthOrder: 0,
    publicKey: keys.publicKey,
    ...ownIdentity(),
    bornAt: new Date().toISOString(),
    revision: birth.revision,
    certificate: "",
    class: "egg",
    state: "gestating",
  };
  const unsigned = { key: cellKey(birth.id), version: 0, origin: birth.id, body };
  return signRecord(organismId(keys.publicKey), unsigned, keys.privateKey) as OrganismRecord<CellBody>;
}

/**
 * A signal to one cell is meant for that cell: it drains and leaves, and the organism replaces it. Sent to all of them (as
 * service managers may do), all leave and nobody is left to replace anybody. SIGHUP comes from terminals that cells do not
 * belong to.
 */
function stopOnSignals(host: CellHost, log: CellLog): void {
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    process.on(signal, () => {
      log.info("signal", { signal }, `${signal}: leaving`);
      host.retire();
    });
  }
  process.on("SIGHUP", () => undefined);
}
