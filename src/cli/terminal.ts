/**
 * What the terminal at the other end can show. Asked once, at the edge, so that everything behind it gets a
 * plain Style and stays testable.
 */
import type { Style } from "../view/style.ts";

/** Files and pipes have no width; lines there are as long as they are. */
const COLUMNS_UNBOUNDED = 1_000;

interface Stream {
  isTTY?: boolean;
  columns?: number;
}

export function styleOf(stream: Stream, env: NodeJS.ProcessEnv, platform: NodeJS.Platform = process.platform): Style {
  const isTerminal = stream.isTTY === true;
  return {
    color: wantsColor(isTerminal, env),
    unicode: isTerminal && isUtf8(env, platform),
    columns: stream.columns ?? columnsOf(env) ?? (isTerminal ? 80 : COLUMNS_UNBOUNDED),
  };
}

/** https://no-color.org and what most tools make of FORCE_COLOR. */
function wantsColor(isTerminal: boolean, env: NodeJS.ProcessEnv): boolean {
  if (isSet(env["NO_COLOR"])) return false;
  const forced = env["FORCE_COLOR"];
  if (forced !== undefined) return forced !== "0" && forced !== "false";
  return isTerminal && env["TERM"] !== "dumb";
}

/** The first of these that is set decides, as in every C program. */
function isUtf8(env: NodeJS.ProcessEnv, platform: NodeJS.Platform): boolean {
  const locale = [env["LC_ALL"], env["LC_CTYPE"], env["LANG"]].find(isSet);
  // macOS terminals are UTF-8 even where, as over ssh, no locale is set.
  return locale === undefined ? platform === "darwin" : /utf-?8/i.test(locale);
}

function columnsOf(env: NodeJS.ProcessEnv): number | undefined {
  const columns = Number(env["COLUMNS"]);
  return Number.isInteger(columns) && columns > 0 ? columns : undefined;
}

function isSet(value: string | undefined): value is string {
  return value !== undefined && value !== "";
}
