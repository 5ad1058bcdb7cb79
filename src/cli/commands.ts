/**
 * All commands. To add one: its name here, its line in the table (the compiler says when one is missing), and a
 * file in commands/ that exports `command`. Each file is loaded only when it is called.
 */
import type { CliCommand } from "./command.ts";

/** In the order of the help. */
export const commandNames = [
  "start",
  "ps",
  "tree",
  "status",
  "logs",
  "bans",
  "threats",
  "certificates",
  "stop",
  "check",
  "inspect",
  "simulate",
  "replay",
  "chaos",
  "service",
] as const;
export type CommandName = (typeof commandNames)[number];

export interface CommandEntry {
  /** One line, for the list of commands and the top of the command's own help. */
  summary: string;
  load: () => Promise<{ command: CliCommand }>;
}

export const commands = {
  start: { summary: "start an organism that serves an app", load: () => import("./commands/start.ts") },
  ps: { summary: "list the cells of an organism", load: () => import("./commands/ps.ts") },
  tree: { summary: "draw the family of cells, each under its mother", load: () => import("./commands/tree.ts") },
  status: { summary: "say whether requests are answered, and if not, why", load: () => import("./commands/status.ts") },
  logs: { summary: "print the organism's log", load: () => import("./commands/logs.ts") },
  bans: { summary: "list, add, lift, export and import bans", load: () => import("./commands/bans.ts") },
  threats: { summary: "say who attacked, how, and what was done", load: () => import("./commands/threats.ts") },
  certificates: {
    summary: "list and check the sentences of cells that were voted out",
    load: () => import("./commands/certificates.ts"),
  },
  stop: { summary: "end an organism, after its requests in flight", load: () => import("./commands/stop.ts") },
  check: { summary: "say what is wrong with the DNA, exactly where", load: () => import("./commands/check.ts") },
  inspect: {
    summary: "say what the firewall thinks of requests in a file",
    load: () => import("./commands/inspect.ts"),
  },
  simulate: {
    summary: "say what an organism would do under a load",
    load: () => import("./commands/simulate.ts"),
  },
  replay: { summary: "go through what a recorded cell was told, again", load: () => import("./commands/replay.ts") },
  chaos: {
    summary: "kill cells at random under load, and say what was lost",
    load: () => import("./commands/chaos.ts"),
  },
  service: { summary: "write the units that run it under systemd", load: () => import("./commands/service.ts") },
} satisfies Record<CommandName, CommandEntry>;
