/**
 * How a stem cell that becomes a drone gets behind the membrane. Node's permission model is chosen when a process begins, and a
 * stem cell begins without a role: so it begins again, in place. `exec` keeps pid, start time, daughters and the right to be
 * this cell, and replaces everything else by a Node that runs under the drone's flags. What the cell must still know
 * afterwards (its key, its certificate, what it knows of the others) waits in a file of its own (mode 0600) that is gone as
 * soon as it is read.
 *
 * Why not give up permissions in the running process (`process.permission.drop`, in the latest Node 24): worker threads of such a process
 * start with all that it was started with. Why not bear drones as drones alone: a stem cell that waits is what makes
 * healing quick. It costs what starting Node costs, some 70 ms, once in a drone's life (docs/decisions/0025-membrane.md).
 */
import crypto from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import process from "node:process";
import type { CellBody, OrganismRecord } from "../../core/record.ts";
import { assert } from "../../lib/assert.ts";
import type { BirthPackage } from "../birth.ts";
import { cellArguments } from "../birth.ts";
import type { KeyPair } from "../identity.ts";
import type { RunDir } from "../run-dir.ts";
import { cellCountsPath, cellRecordPath, ownCellFile, readText } from "../run-dir.ts";
import { becomeGuest, guestEnvironment } from "./guest.ts";

export type Reborn = BirthPackage & { readonly certificate: OrganismRecord<CellBody> };

interface Legacy {
  readonly birth: Reborn;
  readonly publicKey: string;
  readonly privateKey: crypto.JsonWebKey;
}

/** How the new program is told which file to read. */
const rebornFlag = "--reborn";

export interface RebirthOptions {
  readonly birth: Reborn;
  readonly keys: KeyPair;
  readonly run: RunDir;
  readonly flags: readonly string[];
  readonly env: NodeJS.ProcessEnv;
}

/** What cannot be undone has been done: whoever catches it is another user now, and can only end. */
export class HalfReborn extends Error {}

/** Does not return, unless it throws: then nothing has changed, but where it is a HalfReborn. */
export function beReborn({ birth, keys, run, flags, env }: RebirthOptions): void {
  assert(process.execve !== undefined, "Node on a system with exec can exec");
  const { guest } = birth;
  const left = guest === null ? [] : takeAlong(run, birth.id);
  if (guest !== null) becomeGuest(guest);
  // As the guest, into its own folder: root writes nothing where others may have put a link.
  const file = ownCellFile(run, `${birth.id}.reborn`);
  const legacy: Legacy = {
    birth,
    publicKey: keys.publicKey,
    privateKey: keys.privateKey.export({ format: "jwk" }),
  };
  try {
    for (const { name, text } of left) fs.writeFileSync(ownCellFile(run, name), text, { mode: 0o600, flag: "wx" });
    fs.writeFileSync(file, JSON.stringify(legacy), { mode: 0o600, flag: "wx" });
    const environment = guest === null ? env : guestEnvironment(guest, env);
    process.execve(process.execPath, [process.execPath, ...cellArguments(flags), rebornFlag, file], environment);
  } catch (error) {
    fs.rmSync(file, { force: true });
    if (guest === null) throw error;
    throw new HalfReborn(error instanceof Error ? error.message : String(error), { cause: error });
  }
}

/** What this cell has written of itself as root: a guest could neither read nor change it, and would be taken for two. */
function takeAlong(run: RunDir, id: string): Array<{ name: string; text: string }> {
  return [cellRecordPath(run, id), cellCountsPath(run, id)].flatMap((file) => {
    const text = readText(file);
    fs.rmSync(file, { force: true });
    return text === null ? [] : [{ name: path.basename(file), text }];
  });
}

/** What this process was before, if it is one that was reborn. */
export function readRebirth(argv: readonly string[] = process.argv): { birth: Reborn; keys: KeyPair } | null {
  const at = argv.indexOf(rebornFlag);
  const file = at < 0 ? undefined : argv[at + 1];
  if (file === undefined) return null;
  const { birth, publicKey, privateKey } = JSON.parse(fs.readFileSync(file, "utf8")) as Legacy;
  fs.rmSync(file, { force: true });
  return { birth, keys: { publicKey, privateKey: crypto.createPrivateKey({ key: privateKey, format: "jwk" }) } };
}
