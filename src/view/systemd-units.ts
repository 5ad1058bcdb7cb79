/**
 * The units that run an organism under systemd: a service, and a socket that keeps connections while nobody lives.
 * Why each line is there: docs/decisions/0027 and docs/SERVICES.md.
 */
import type { OrganismFile } from "../wire/control.ts";

export interface SystemdUnitsView {
  readonly name: string;
  /** All paths are absolute. */
  readonly cellws: string;
  readonly node: string;
  readonly workingDirectory: string;
  /** The arguments of `cellws start`. */
  readonly start: readonly string[];
  readonly listen: ReadonlyArray<Pick<OrganismFile["listen"][number], "host" | "port">>;
  /** Whom it runs as. Null: whoever's own manager it is (`systemctl --user`). */
  readonly user: string | null;
  readonly drainMsMax: number;
  readonly watchdogMs: number;
  readonly backlog: number;
}

export interface SystemdUnits {
  readonly service: string;
  readonly socket: string;
}

/** To notice, to write down, to exit; on top of what requests in flight may take. */
const stopSlackMs = 15_000;

export function systemdUnits(view: SystemdUnitsView): SystemdUnits {
  return { service: serviceUnit(view), socket: socketUnit(view) };
}

function serviceUnit({
  name,
  cellws,
  node,
  workingDirectory,
  start,
  user,
  drainMsMax,
  watchdogMs,
}: SystemdUnitsView): string {
  const command = (...words: readonly string[]): string => words.map(quoted).join(" ");
  return unit([
    [
      "Unit",
      `Description=cellws organism ${name}`,
      "Wants=network-online.target",
      `After=network-online.target ${name}.socket`,
      `Requires=${name}.socket`,
      "# An app that cannot start is tried again within the organism; these are deaths of all cells.",
      "StartLimitIntervalSec=60",
      "StartLimitBurst=20",
    ],
    [
      "Service",
      "Type=notify",
      "# No process of it is the main one: it lives as long as any cell does, and every cell may say how it is.",
      "ExitType=cgroup",
      "NotifyAccess=all",
      `WatchdogSec=${seconds(watchdogMs)}`,
      `WorkingDirectory=${escapedPercent(workingDirectory)}`,
      `Environment=${quoted(`CELLWS_NODE=${node}`)}`,
      ...(user === null ? [] : systemPlaces(name, user)),
      `ExecStart=${command(cellws, "start", ...start)}`,
      `ExecStop=${command(cellws, "stop", "--name", name)}`,
      "# What ExecStop has not ended by then is killed.",
      "KillMode=mixed",
      `TimeoutStopSec=${seconds(drainMsMax + stopSlackMs)}`,
      "Restart=on-failure",
      "RestartSec=100ms",
    ],
    ["Install", `WantedBy=${user === null ? "default.target" : "multi-user.target"}`, `Also=${name}.socket`],
  ]);
}

/** A system service has none of the folders that a login brings. These are made, owned and (but the state) cleared by systemd. */
function systemPlaces(name: string, user: string): string[] {
  return [
    `User=${user}`,
    "NoNewPrivileges=yes",
    `RuntimeDirectory=${name}`,
    "RuntimeDirectoryMode=0700",
    "# Bans and statistics outlive the organism here.",
    `StateDirectory=${name}`,
    "StateDirectoryMode=0700",
    `CacheDirectory=${name}`,
    `Environment=XDG_RUNTIME_DIR=%t/${name} XDG_STATE_HOME=%S/${name} XDG_CACHE_HOME=%C/${name}`,
  ];
}

function socketUnit({ name, listen, backlog }: SystemdUnitsView): string {
  return unit([
    ["Unit", `Description=cellws organism ${name}, its listening sockets`],
    [
      "Socket",
      ...listen.map(({ host, port }) => `ListenStream=${host.includes(":") ? `[${host}]` : host}:${port}`),
      `Backlog=${backlog}`,
      "# :: means IPv6 and IPv4, as it does in the DNA.",
      "BindIPv6Only=both",
      "NoDelay=yes",
    ],
    ["Install", "WantedBy=sockets.target"],
  ]);
}

function unit(sections: ReadonlyArray<readonly [title: string, ...lines: string[]]>): string {
  return `${sections.map(([title, ...lines]) => [`[${title}]`, ...lines].join("\n")).join("\n\n")}\n`;
}

const seconds = (ms: number): string => `${Math.ceil(ms / 1_000)}s`;

const escapedPercent = (text: string): string => text.replaceAll("%", "%%");

/** As systemd.syntax(7) reads words: specifiers and variables are escaped, anything unusual is put in quotes. */
function quoted(word: string): string {
  const escaped = escapedPercent(word).replaceAll("$", "$$$$").replaceAll("\\", "\\\\").replaceAll('"', '\\"');
  return /^[\w./=:@%+,-]+$/.test(escaped) ? escaped : `"${escaped}"`;
}
