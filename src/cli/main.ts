/** The command line: reads which command is meant, loads only that one, runs it, and says what went wrong. */
import { readFileSync } from "node:fs";
import { Command, CommanderError } from "commander";
import { CellwsError } from "../lib/cellws-error.ts";
import { renderFailure } from "../view/failure.ts";
import type { CliCommand, CliContext, ExitStatus } from "./command.ts";
import type { CommandName } from "./commands.ts";
import { commandNames, commands } from "./commands.ts";
import { styleOf } from "./terminal.ts";

const context: CliContext = {
  cwd: process.cwd(),
  env: process.env,
  out: (line) => void process.stdout.write(`${line}\n`),
  note: (line) => void process.stderr.write(`${line}\n`),
  style: styleOf(process.stdout, process.env),
  noteStyle: styleOf(process.stderr, process.env),
  isInteractive: process.stderr.isTTY,
};

process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  // `cellws logs | head`: who reads has enough, which is no failure.
  if (error.code === "EPIPE") process.exit(0);
  throw error;
});
process.exitCode = await main(meantArguments(process.argv.slice(2)));

async function main(argv: string[]): Promise<ExitStatus> {
  let status: ExitStatus = 0;
  try {
    const name = findCommandName(argv);
    const loaded = name === undefined ? undefined : (await commands[name].load()).command;
    const program = createProgram(name, loaded, async (args, options) => {
      status = (await loaded?.run(context, args, options)) ?? 2;
    });
    if (argv.length === 0) {
      program.outputHelp({ error: true });
      return 2;
    }
    await program.parseAsync(argv, { from: "user" });
    return status;
  } catch (error) {
    return report(error);
  }
}

/** `help nonsense` and `nonsense --help` are about an unknown command as `nonsense` is, and commander would only print the help. */
function meantArguments(argv: string[]): string[] {
  const [first, second] = argv;
  if (first === undefined || first.startsWith("-") || findCommandName(argv) !== undefined) return argv;
  if (first === "help") return second === undefined ? argv : argv.slice(1);
  return [first];
}

/** The command that was named, also in `cellws help ps`. An unknown one is left for commander to reject. */
function findCommandName(argv: readonly string[]): CommandName | undefined {
  const [first, second] = argv.filter((argument) => !argument.startsWith("-"));
  const meant = first === "help" ? second : first;
  return commandNames.find((name) => name === meant);
}

function createProgram(
  chosen: CommandName | undefined,
  loaded: CliCommand | undefined,
  run: (args: readonly string[], options: Record<string, unknown>) => Promise<void>,
): Command {
  const program = new Command("cellws")
    .description("A self-organizing application server for Node web apps.")
    .version(packageVersion(), "-V, --version", "print the version")
    .helpOption("-h, --help", "print this help")
    .helpCommand("help [command]", "print the help of a command")
    .configureOutput({
      writeOut: (text) => void process.stdout.write(text),
      writeErr: (text) => void process.stderr.write(text),
      // What is wrong is said by report(), in one form for all errors.
      outputError: () => undefined,
    })
    .exitOverride()
    .addHelpText("after", "\nHelp of a command, with examples: cellws help <command>");
  for (const name of commandNames) {
    const { summary } = commands[name];
    const subcommand = program
      .command(name)
      .summary(summary)
      .description(`${capitalize(summary)}.`);
    if (name !== chosen || loaded === undefined) continue;
    loaded.define(subcommand);
    subcommand.action((...called: unknown[]) => run(operands(called), subcommand.opts()));
  }
  return program;
}

/** commander calls an action with each argument, then the options, then the command. */
function operands(called: readonly unknown[]): string[] {
  return called
    .slice(0, -2)
    .flat()
    .filter((argument): argument is string => typeof argument === "string");
}

function report(error: unknown): ExitStatus {
  const failure = error instanceof CommanderError ? usageError(error) : error;
  if (failure === null) return 0;
  if (failure instanceof CellwsError) {
    for (const line of renderFailure(failure, context.noteStyle)) context.note(line);
    return failure.exitCode;
  }
  context.note(`cellws: CELLWS_E_BUG: this is a bug in cellws, please report it\n${bugReport(failure)}`);
  return 1;
}

/** Null: help or the version was asked for, which commander treats as an error too. */
function usageError(error: CommanderError): CellwsError | null {
  if (error.exitCode === 0) return null;
  const [message = "", ...rest] = error.message.replace(/^error: /, "").split("\n");
  const suggestion = rest.map((line) => line.replace(/^\((.*)\)$/, "$1")).join(" ");
  const hint = [suggestion, "See cellws --help, or cellws help <command>."].filter((line) => line !== "").join("\n");
  return new CellwsError("CELLWS_E_USAGE", 2, message, { hint });
}

function bugReport(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

function packageVersion(): string {
  // As far above src/cli in a checkout as above dist/cli in the package.
  const text = readFileSync(new URL("../../package.json", import.meta.url), "utf8");
  return (JSON.parse(text) as { version: string }).version;
}

function capitalize(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
