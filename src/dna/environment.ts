/**
 * The environment that an app gets, put together afresh each time that a drone is born.
 *
 * Process managers that keep the environment of their first start hand out stale values for months. Here
 * nothing is kept but where to look: the DNA's `env`, the environment that the organism was started with,
 * and `envFile` as it is on disk now. The first that has a name wins, in this order; like Node's own
 * --env-file, the file fills in what is missing and overrides nothing.
 */
import { readFileSync } from "node:fs";
import { parseEnv } from "node:util";
import type { Diagnostic } from "./diagnostic.ts";
import type { Dna } from "./dna.ts";
import { look } from "./files.ts";

export type AppEnvironment = { ok: true; env: Record<string, string> } | { ok: false; diagnostic: Diagnostic };

/** Names and values for one process; the kernel takes little more. */
const ENV_FILE_BYTES_MAX = 1_048_576;

/**
 * `inherited` is the environment with which this cell was spawned, taken before any app ran: a cell that
 * hands on what an earlier call gave it would keep old values of envFile alive.
 */
export function readAppEnvironment(
  { env, envFile }: Pick<Dna, "env" | "envFile">,
  inherited: Readonly<Record<string, string | undefined>>,
): AppEnvironment {
  const fromFile = readEnvFile(envFile);
  if (!fromFile.ok) return fromFile;
  const defined = Object.entries({ ...fromFile.env, ...withoutUndefined(inherited), ...env });
  return { ok: true, env: Object.fromEntries(defined) };
}

function readEnvFile(file: string | null): AppEnvironment {
  if (file === null) return { ok: true, env: {} };
  const stats = look(file);
  if (stats !== null && stats.size > ENV_FILE_BYTES_MAX)
    return { ok: false, diagnostic: unreadable(file, `${stats.size} bytes`) };
  try {
    return { ok: true, env: withoutUndefined(parseEnv(readFileSync(file, "utf8"))) };
  } catch (error) {
    return { ok: false, diagnostic: unreadable(file, error instanceof Error ? error.message : String(error)) };
  }
}

function withoutUndefined(env: Readonly<Record<string, string | undefined>>): Record<string, string> {
  return Object.fromEntries(Object.entries(env).flatMap(([key, value]) => (value === undefined ? [] : [[key, value]])));
}

function unreadable(file: string, found: string): Diagnostic {
  return {
    code: "CELLWS_E_DNA_PATH",
    path: "envFile",
    message: "envFile cannot be read",
    file,
    found,
    expected: `a readable file of at most ${ENV_FILE_BYTES_MAX} bytes`,
    hint: "Put the file back, or set envFile to null; drones that live keep what they have.",
  };
}
