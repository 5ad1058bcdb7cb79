/**
 * What a command is: how it is called, and what it does. One file each in commands/, one line each in
 * commands.ts.
 */
import type { Command } from "commander";
import { InvalidArgumentError } from "commander";
import type { Style } from "../view/style.ts";
import { parseDurationMs } from "../view/units.ts";

/** 0 done, 1 failed, 2 the user's mistake. */
export type ExitStatus = 0 | 1 | 2;

/** The world as a command sees it. */
export interface CliContext {
  cwd: string;
  env: NodeJS.ProcessEnv;
  /** One line, or several, to standard output: the answer. */
  out: (line: string) => void;
  /** To standard error: everything that is not the answer. */
  note: (line: string) => void;
  style: Style;
  noteStyle: Style;
  /** Whether standard error is a terminal whose last line may be rewritten. */
  isInteractive: boolean;
}

/**
 * `Options` must be what `define` declares: commander cannot tie the two together.
 * Written with methods, not function properties, so that a command with its own options fits the table.
 */
export interface CliCommand<Options extends object = object> {
  /** Adds arguments, options and help. The name and the summary are set already. */
  define(command: Command): void;
  /** May throw CellwsError, which is printed and gives the exit status. */
  run(context: CliContext, args: readonly string[], options: Options): Promise<ExitStatus>;
}

/** Of every command that is about one organism. */
export interface OrganismOptions {
  name?: string;
  json?: boolean;
}

export function addOrganismOptions(command: Command, { json = "print JSON" } = {}): Command {
  return command
    .option("--name <name>", "which organism (default: the only one that runs, or the one of this directory)")
    .option("--json", json);
}

/** The last part of each help: a newcomer reads it first. */
export function addExamples(command: Command, examples: ReadonlyArray<readonly [line: string, what: string]>): Command {
  const width = Math.max(...examples.map(([line]) => line.length));
  const lines = examples.map(([line, what]) => `  $ ${line.padEnd(width)}  ${what}`);
  return command.addHelpText("after", `\nExamples:\n${lines.join("\n")}`);
}

/** For commander's options: `10s`, `2m`, `1h`. */
export function parseDurationOption(text: string): number {
  const ms = parseDurationMs(text);
  if (ms === null) throw new InvalidArgumentError("Write a number with ms, s, m, h or d, such as 90s or 10m.");
  return ms;
}

export function parseCountOption(text: string): number {
  const count = Number(text);
  if (!/^\d{1,9}$/.test(text) || !Number.isSafeInteger(count)) throw new InvalidArgumentError("Write a whole number.");
  return count;
}
