/**
 * `cellws service systemd`: the units that run this organism under systemd, from the DNA that it would be started with. It only
 * writes; enabling them is the administrator's.
 */
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { Argument, InvalidArgumentError } from "commander";
import type { LoadDnaResult } from "../../dna/load.ts";
import { listenBacklog } from "../../host/listeners.ts";
import { CellwsError } from "../../lib/cellws-error.ts";
import { systemdUnits } from "../../view/systemd-units.ts";
import { formatDuration } from "../../view/units.ts";
import type { CliCommand, CliContext } from "../command.ts";
import { addExamples, parseDurationOption } from "../command.ts";

interface ServiceOptions {
  dna?: string;
  name?: string;
  port?: string;
  host?: string;
  as?: string;
  user?: boolean;
  watchdog?: number;
  out?: string;
}

const watchdogMsDefault = 30_000;
/** Under this a machine that is merely busy would lose its organism; above, nobody waits for it. */
const watchdogMsMin = 5_000;
const watchdogMsMax = 3_600_000;

export const command: CliCommand<ServiceOptions> = {
  define(command) {
    command
      .addArgument(new Argument("<manager>", "which service manager").choices(["systemd"]))
      .argument("[app]", "as for cellws start")
      .option("--dna <file>", "the DNA (default: dna.ts or dna.js here, if there is one)")
      .option("--name <name>", "what to call the organism, and the units")
      .option("--port <port>", "where to listen (default: 8080, or the DNA's)")
      .option("--host <host>", "the address to listen on (default: 127.0.0.1, or the DNA's)")
      .option("--as <user>", "the user that the service runs as (default: you)", parseUserOption)
      .option("--user", "for your own service manager: systemctl --user")
      .option(
        "--watchdog <time>",
        `start anew when no cell has said for so long that it lives\n(default: ${formatDuration(watchdogMsDefault)})`,
        parseDurationOption,
      )
      .option("--out <folder>", "write NAME.service and NAME.socket there instead of printing them");
    addExamples(command, [
      ["cellws service systemd", "see it first"],
      ["cellws service systemd --as www --out /etc/systemd/system", "for the machine"],
      ["cellws service systemd --user --out ~/.config/systemd/user", "for yourself"],
    ]);
    command.addHelpText(
      "after",
      `
Then: systemctl daemon-reload && systemctl enable --now NAME.socket NAME.service
(with --user where you wrote them for yourself). Nothing is started or enabled
here. More: docs/SERVICES.md.`,
    );
  },
  async run(context, [, app], options) {
    const watchdogMs = options.watchdog ?? watchdogMsDefault;
    if (watchdogMs < watchdogMsMin || watchdogMs > watchdogMsMax) {
      const range = `${formatDuration(watchdogMsMin)} to ${formatDuration(watchdogMsMax)}`;
      throw usage("--watchdog", formatDuration(watchdogMs), range);
    }
    if (options.user === true && options.as !== undefined) {
      throw usage("--as", `--as ${options.as} with --user`, "one of them: your own service manager runs only your own");
    }
    const { dna, dnaFile } = await readDna(context, app, options);
    const anyPort = dna.listen.find(({ port }) => port === 0);
    if (anyPort !== undefined) throw usage("--port", "port 0, any free one", "the port that systemd shall hold");
    const runsAs = options.user === true ? null : (options.as ?? os.userInfo().username);
    const { user: guest } = dna.membrane;
    if (guest !== null && (runsAs ?? os.userInfo().username) !== "root") {
      const found = `${runsAs ?? "your own service manager"}, while membrane.user is ${guest}`;
      throw usage(runsAs === null ? "--user" : "--as", found, "--as root: only root can give drones another user");
    }
    const dnaArguments = dnaFile === null ? [] : ["--dna", dnaFile];
    const place = options.port === undefined && options.host === undefined ? [] : placeArguments(options);
    const units = systemdUnits({
      name: dna.name,
      cellws: cellwsProgram,
      node: process.execPath,
      workingDirectory: dna.cwd,
      start: [dna.app, "--name", dna.name, ...dnaArguments, ...place],
      listen: dna.listen,
      user: runsAs,
      drainMsMax: dna.drain.msMax,
      watchdogMs,
      backlog: listenBacklog,
    });
    const files = [
      [`${dna.name}.service`, units.service],
      [`${dna.name}.socket`, units.socket],
    ] as const;
    if (options.out === undefined) {
      for (const [file, text] of files) context.out(`# ${file}\n${text}`);
      return 0;
    }
    const folder = path.resolve(context.cwd, options.out);
    for (const [file, text] of files) writeUnit(path.join(folder, file), text);
    const manager = options.user === true ? "systemctl --user" : "systemctl";
    context.out(`wrote ${files.map(([file]) => path.join(folder, file)).join(" and ")}`);
    context.out(`Next: ${manager} daemon-reload && ${manager} enable --now ${dna.name}.socket ${dna.name}.service`);
    return 0;
  },
};

const cellwsProgram = fileURLToPath(new URL("../../../bin/cellws", import.meta.url));

function placeArguments({ port, host }: ServiceOptions): string[] {
  return [...(port === undefined ? [] : ["--port", port]), ...(host === undefined ? [] : ["--host", host])];
}

async function readDna(
  context: CliContext,
  app: string | undefined,
  options: ServiceOptions,
): Promise<Extract<LoadDnaResult, { ok: true }>> {
  const [{ loadDna }, { formatDiagnostics }] = await Promise.all([
    import("../../dna/load.ts"),
    import("../../dna/diagnostic.ts"),
  ]);
  const { port, host, name } = options;
  const overrides = { port, host, name, adminPort: undefined, record: undefined };
  const result = await loadDna({ cwd: context.cwd, dnaFile: options.dna, app, overrides });
  const found = result.ok ? result.warnings : result.diagnostics;
  if (found.length > 0) context.note(formatDiagnostics(found, { color: context.noteStyle.color }));
  if (result.ok) return result;
  throw new CellwsError("CELLWS_E_DNA", 2, "no unit was written: the DNA has mistakes (see above)", {
    hint: "`cellws check` judges the DNA by itself.",
  });
}

/** As useradd(8) takes them: nothing in it needs quotes in a unit. */
function parseUserOption(text: string): string {
  if (/^[a-z_][a-z0-9_-]{0,31}$/i.test(text)) return text;
  throw new InvalidArgumentError("Write the name of a user of this machine.");
}

function writeUnit(file: string, text: string): void {
  try {
    fs.writeFileSync(file, text);
  } catch (error) {
    throw new CellwsError("CELLWS_E_OUTPUT", 1, "the unit could not be written", {
      path: file,
      found: (error as Error).message,
    });
  }
}

function usage(option: string, found: string, expected: string): CellwsError {
  return new CellwsError("CELLWS_E_USAGE", 2, `${option} cannot be used so`, { path: option, found, expected });
}
