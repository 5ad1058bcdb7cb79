/**
 * The bans as a set for the Linux kernel, in the language of `nft -f`: refused there, a banned client costs nothing at all.
 *
 * One table of the organism's own, replaced as a whole in one transaction, so that other rules of the machine are neither
 * read nor touched, and there is no moment without bans. Only the organism's ports are closed: whoever is banned
 * from a web shop may still be the administrator who logs in over SSH.
 *
 * Sets of intervals take no overlapping elements: a range inside of another is left out, also where the outer one ends
 * earlier. Nothing is lost, for B cells refuse by themselves; the kernel only spares them the work, and the text is made
 * anew with each change. Milder measures than a ban are not the kernel's.
 */
import type { BanBody } from "../../core/record.ts";
import { assert } from "../../lib/assert.ts";
import { formatIpRange, parseIpRange, type IpRange } from "../../lib/ip-range.ts";
import { holds } from "./policy.ts";

export interface NftOptions {
  /** The organism's name; the table is `cellws-<name>`. */
  readonly name: string;
  /** Where it listens. At least one. */
  readonly ports: readonly number[];
  readonly wallMs: number;
}

/** `bans` that are over are left out. */
export function renderNft(bans: readonly BanBody[], { name, ports, wallMs }: NftOptions): string {
  assert(/^[a-z0-9][a-z0-9-]{0,31}$/.test(name), "an organism's name is a folder's");
  assert(
    ports.length > 0 && ports.every((port) => Number.isInteger(port) && port > 0 && port < 65_536),
    "ports are ports",
  );
  const elements = withoutOverlaps(bans, wallMs);
  const table = `table inet cellws-${name}`;
  const dport = `tcp dport { ${[...new Set(ports)].join(", ")} }`;
  return [
    `# Made by cellws; replaced as a whole. By hand: nft -f FILE; away with it: nft delete ${table}`,
    `${table} {}`,
    `delete ${table}`,
    `${table} {`,
    ...renderSet("banned4", "ipv4_addr", elements[4], wallMs),
    ...renderSet("banned6", "ipv6_addr", elements[6], wallMs),
    "  chain input {",
    // Before the machine's own rules, so that none of them lets a banned client through.
    "    type filter hook input priority filter - 10; policy accept;",
    `    ${dport} ip saddr @banned4 drop`,
    `    ${dport} ip6 saddr @banned6 drop`,
    "  }",
    "}",
    "",
  ].join("\n");
}

interface Element {
  readonly range: IpRange;
  readonly untilMs: number;
}

function renderSet(name: string, type: string, elements: readonly Element[], wallMs: number): string[] {
  const lines = [`  set ${name} {`, `    type ${type}; flags interval, timeout;`];
  if (elements.length > 0) {
    const listed = elements.map(({ range, untilMs }) => {
      // Rounded up: a ban ends in the kernel no earlier than elsewhere, and never lasts for ever (0 would).
      return `      ${formatIpRange(range)} timeout ${Math.max(1, Math.ceil((untilMs - wallMs) / 1_000))}s`;
    });
    lines.push("    elements = {", listed.join(",\n"), "    }");
  }
  return [...lines, "  }"];
}

function withoutOverlaps(bans: readonly BanBody[], wallMs: number): Record<4 | 6, Element[]> {
  const elements: Record<4 | 6, Element[]> = { 4: [], 6: [] };
  const sorted = bans
    .filter(({ action, untilMs }) => action === "ban" && untilMs > wallMs)
    .flatMap(({ range: text, untilMs }) => {
      const range = parseIpRange(text);
      return range === null ? [] : [{ range, untilMs }];
    })
    .sort((a, b) => compare(a.range, b.range));
  for (const element of sorted) {
    const kept = elements[element.range.family];
    const last = kept.at(-1);
    // Sorted by where they begin, the wider first: whoever is inside of another follows it.
    if (last === undefined || !holds(last.range, element.range)) kept.push(element);
  }
  return elements;
}

function compare(a: IpRange, b: IpRange): number {
  if (a.value !== b.value) return a.value < b.value ? -1 : 1;
  return a.prefixBits - b.prefixBits;
}
