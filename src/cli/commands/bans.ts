/** `cellws bans`: who is refused, and a person's say in it. */
import fs from "node:fs";
import { InvalidArgumentError, Option } from "commander";
import type { BanAction, BanBody } from "../../core/record.ts";
import type { BanDesk } from "../../host/immune/ban-desk.ts";
import { openBanDesk } from "../../host/immune/ban-desk.ts";
import { readOrganismFile, runDir } from "../../host/run-dir.ts";
import type { ListedBan, ListFormat } from "../../immune/bans/lists.ts";
import { listFormats, readList, renderList } from "../../immune/bans/lists.ts";
import { renderNft } from "../../immune/bans/nftables.ts";
import { CellwsError } from "../../lib/cellws-error.ts";
import { canonicalRange } from "../../lib/ip-words.ts";
import { renderBans } from "../../view/bans.ts";
import { printable } from "../../view/text.ts";
import { formatCount } from "../../view/units.ts";
import { wallClock } from "../clock.ts";
import type { CliCommand, CliContext, OrganismOptions } from "../command.ts";
import { addExamples, addOrganismOptions, parseDurationOption } from "../command.ts";

interface BansOptions extends OrganismOptions {
  for: number;
  reason: string;
  action: Exclude<BanAction, "lifted">;
  format: ListFormat | "nft";
  ports?: number[];
}

type Work = (context: CliContext, operands: readonly string[], options: BansOptions) => Promise<void>;

const durationMsInitially = 4 * 3_600_000;
/** 100,000 ranges with all that CrowdSec says of each. */
const fileBytesMax = 64 * 1024 * 1024;

export const command: CliCommand<BansOptions> = {
  define(command) {
    command
      .argument("[what]", "list, add, remove, export or import (default: list)")
      .argument("[ranges...]", "addresses or CIDR ranges; for import a file, or -");
    addOrganismOptions(command, { json: "list: print { name, bans: [...] } as JSON" });
    command
      .addOption(
        command
          .createOption("--for <duration>", "add, import: how long, where the list does not say")
          .argParser(parseDurationOption)
          .default(durationMsInitially, "4h"),
      )
      .option("--reason <text>", "add: what for", "manual")
      .addOption(
        new Option("--action <action>", "add: what to do")
          .choices(["ban", "tarpit", "rate-limit", "watch"])
          .default("ban"),
      )
      .addOption(new Option("--format <format>", "export: how").choices([...listFormats, "nft"]).default("plain"))
      .option("--ports <list>", "export as nft: ports to close, such as 80,443", parsePorts);
    addExamples(command, [
      ["cellws bans", "who is refused now"],
      ["cellws bans add 192.0.2.0/24 --for 2d", "for two days"],
      ["cellws bans remove 192.0.2.0/24", "before its time"],
      ["cellws bans export --format json > b.json", "with all that is known"],
      ["cellws bans import b.json --name shop2", "into another organism"],
      ["cellws bans export --format nft | nft -f -", "refuse in the kernel"],
    ]);
    command.addHelpText(
      "after",
      `
Formats:
  plain     one range a line: blocklists, fail2ban
  json      everything; what import takes back without loss
  crowdsec  for \`cscli decisions import\`
  nft       a table for \`nft -f\`, which closes the organism's ports
  Import finds out by itself: plain, json, \`cscli decisions list -o json\`,
  \`fail2ban-client banned\` and \`get JAIL banip --with-time\`.

Nothing wider than /16 (IPv6: /32) or longer than a year is taken, and no
loopback address; the cells keep to what their DNA allows.
While the organism runs, a change reaches all its cells at once.`,
    );
  },
  async run(context, [what = "list", ...operands], options) {
    if (!Object.hasOwn(works, what)) {
      throw usage(`unknown action '${what}'`, `one of ${Object.keys(works).join(", ")}`);
    }
    await works[what as keyof typeof works](context, operands, options);
    return 0;
  },
};

const works = {
  async list(context, operands, { name, json }) {
    expectNone(operands, "list");
    await withDesk(context, name, { mayCreate: false }, (desk) => {
      const bans = desk.list();
      if (json === true) context.out(JSON.stringify({ name: desk.name, bans: bans.map(toJson) }));
      else if (bans.length === 0) context.out(`no bans in force for ${desk.name}`);
      else for (const line of renderBans(bans, wallClock().nowMs, context.style)) context.out(line);
    });
  },

  async add(context, operands, { name, for: durationMs, reason: text, action }) {
    const ranges = readRanges(operands, "add");
    expectTime(durationMs);
    const reason = readReason(text);
    const untilMs = wallClock().nowMs + durationMs;
    const wishes = ranges.map((range) => ({ range, action, reason, untilMs }));
    await withDesk(context, name, { mayCreate: name !== undefined }, async (desk) => {
      const { added, refused } = await desk.add(wishes);
      for (const ban of added) context.out(`${ban.range}: ${ban.action} until ${toTime(ban.untilMs)}`);
      if (refused.length > 0) throw refusal(refused);
    });
  },

  async remove(context, operands, { name }) {
    const ranges = readRanges(operands, "remove");
    await withDesk(context, name, { mayCreate: false }, async (desk) => {
      const lifted = await desk.lift(ranges);
      for (const range of lifted) context.out(`${range}: lifted`);
      const others = ranges.filter((range) => !lifted.includes(range));
      if (others.length > 0) {
        throw new CellwsError("CELLWS_E_NO_BAN", 1, `there is no ban on ${others.join(", ")}`, {
          hint: "Name the range as `cellws bans` lists it: lifting 192.0.2.7 does not lift 192.0.2.0/24.",
        });
      }
    });
  },

  async export(context, operands, { name, format, ports }) {
    expectNone(operands, "export");
    await withDesk(context, name, { mayCreate: false }, (desk) => {
      const wallMs = wallClock().nowMs;
      const text =
        format === "nft"
          ? renderNft(desk.list(), { name: desk.name, ports: ports ?? portsOf(desk.name), wallMs })
          : renderList(desk.list(), format, wallMs);
      if (text !== "") context.out(text.trimEnd());
    });
  },

  async import(context, operands, { name, for: durationMs }) {
    const [file] = operands;
    if (file === undefined || operands.length > 1)
      throw usage("import takes one file", "a path, or - for standard input");
    expectTime(durationMs);
    const wallMs = wallClock().nowMs;
    const list = readList(readFile(file), wallMs);
    if (list === null) {
      throw new CellwsError("CELLWS_E_BAN_LIST", 2, `${file} is no list of bans`, {
        expected: "one range a line, or JSON of cellws, CrowdSec or fail2ban",
        hint: "See cellws help bans.",
      });
    }
    const wishes = list.bans.map((ban: ListedBan) => ({ ...ban, untilMs: ban.untilMs ?? wallMs + durationMs }));
    await withDesk(context, name, { mayCreate: name !== undefined }, async (desk) => {
      const { added, refused } = await desk.add(wishes);
      for (const { what, why } of list.skipped)
        context.note(`cellws: left out ${printable(what, { ...context.noteStyle, color: false })}: ${why}`);
      for (const { range, why } of refused.slice(0, refusedToldMax)) context.note(`cellws: left out ${range}: ${why}`);
      const leftOut = list.skippedCount + refused.length;
      context.out(`${formatCount(added.length, "range")} imported into ${desk.name}, ${leftOut} left out`);
    });
  },
} satisfies Record<string, Work>;

const refusedToldMax = 20;

async function withDesk(
  context: CliContext,
  name: string | undefined,
  how: { mayCreate: boolean },
  work: (desk: BanDesk) => void | Promise<void>,
): Promise<void> {
  const desk = await openBanDesk(name, how);
  try {
    for (const { code, message } of desk.notices) context.note(`cellws: ${code}: ${message}`);
    await work(desk);
  } finally {
    desk.close();
  }
}

function toJson({ range, action, reason, offence, issuedAtMs, untilMs, incident }: BanBody) {
  return { range, action, reason, offence, issuedAt: toTime(issuedAtMs), until: toTime(untilMs), incident };
}

const toTime = (ms: number): string => new Date(ms).toISOString();

function readRanges(operands: readonly string[], what: string): string[] {
  if (operands.length === 0) throw usage(`${what} needs an address or a range`, "such as 192.0.2.7 or 2001:db8::/64");
  const ranges = operands.map((text) => {
    const range = canonicalRange(text);
    if (range === null) throw usage(`'${text}' is no address and no CIDR range`, "such as 192.0.2.7 or 2001:db8::/64");
    return range;
  });
  // Named twice it is meant once: two bans would be two offences.
  return [...new Set(ranges)];
}

const reasonLengthMax = 64;

/** It goes into records, logs, lists and terminals. */
function readReason(text: string): string {
  const reason = text.trim();
  if (reason === "" || reason.length > reasonLengthMax || /[\p{C}\p{Zl}\p{Zp}]/u.test(reason)) {
    throw usage("that is no reason for a ban", `one line of text, 1 to ${reasonLengthMax} characters`);
  }
  return reason;
}

/** A ban that is over at once refuses nobody, and counts as an offence all the same. */
function expectTime(durationMs: number): void {
  if (durationMs <= 0) throw usage("a ban for no time is none", "--for with a time, such as 90s or 2d");
}

function readFile(file: string): string {
  try {
    if (file !== "-" && fs.statSync(file).size > fileBytesMax)
      throw new Error(`it is larger than ${fileBytesMax} bytes`);
    return fs.readFileSync(file === "-" ? 0 : file, "utf8");
  } catch (cause) {
    throw new CellwsError("CELLWS_E_BAN_LIST", 2, `cannot read ${file}`, { found: (cause as Error).message, cause });
  }
}

/** Where the organism listens, if it runs. */
function portsOf(name: string): number[] {
  const ports = readOrganismFile(runDir(name))?.listen.map(({ port }) => port) ?? [];
  if (ports.length === 0)
    throw usage("which ports to close is not known, for the organism does not run", "--ports 80,443");
  return ports;
}

function parsePorts(text: string): number[] {
  const parts = text.split(",");
  const ports = parts.map(Number);
  if (!parts.every((part) => /^\d{1,5}$/.test(part)) || !ports.every((port) => port > 0 && port < 65_536)) {
    throw new InvalidArgumentError("Write port numbers with commas between them, such as 80,443.");
  }
  return ports;
}

function expectNone(operands: readonly string[], what: string): void {
  if (operands.length > 0) throw usage(`${what} takes no '${operands[0]}'`, "nothing");
}

function usage(message: string, expected: string): CellwsError {
  return new CellwsError("CELLWS_E_USAGE", 2, message, { expected, hint: "See cellws help bans." });
}

function refusal(refused: ReadonlyArray<{ range: string; why: string }>): CellwsError {
  const [first] = refused;
  return new CellwsError("CELLWS_E_BAN_REFUSED", 2, `${first!.range} is not banned: ${first!.why}`, {
    ...(refused.length > 1 ? { found: `${refused.length} such ranges` } : {}),
    hint: "Loopback is never banned, nor more than a /16 (IPv6: /32), nor for longer than a year.",
  });
}
