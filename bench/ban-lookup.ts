/**
 * How long does a look-up among many banned prefixes take, and how much memory do they hold?
 *
 *   node bench/ban-lookup.ts [--prefixes 100000] [--json]
 *
 * Four mixes, by what an organism may meet; each is asked with addresses that are inside and outside of banned ranges
 * in equal parts, in random order, so that caches are as cold as they are in life. "text" begins with the string that
 * the socket gives; "words" with an address that was read already. `net.BlockList` stands beside it for comparison, with few
 * look-ups, since it is slow.
 */
import { BlockList } from "node:net";
import { PrefixTable } from "../src/immune/bans/prefix-table.ts";
import { formatIpRange, networkOf } from "../src/lib/ip-range.ts";
import { newIpWords, readIpWords } from "../src/lib/ip-words.ts";
import { prngFrom, prngNext, type Prng } from "../src/lib/prng.ts";

const prefixes = Number(process.argv[process.argv.indexOf("--prefixes") + 1]) || 100_000;
const json = process.argv.includes("--json");
const lookUps = 400_000;
/** Addresses asked for: more than a busy machine sees in a minute, and together more than a second-level cache holds. */
const askedMax = 50_000;
/** The best of so many rounds is told: what other programs take on the machine is not the table's. */
const rounds = 5;

let prng: Prng = prngFrom(20_261_122);
function below(limit: number): number {
  const [word, next] = prngNext(prng);
  prng = next;
  return word % limit;
}

interface Mix {
  readonly name: string;
  range(): string;
  /** An address that is in no range of the mix, or in one by chance only. */
  other(): string;
}

const ipv4 = (bits: number, value = below(0xe000_0000)): string =>
  formatIpRange(networkOf({ family: 4, value: BigInt(value), prefixBits: bits }));
const ipv6 = (bits: number, provider = below(4_096)): string => {
  const high = (0x2a00_0000n + BigInt(provider)) << 32n;
  const value = ((high | BigInt(below(0x1_0000_0000))) << 64n) | (BigInt(below(0x1_0000_0000)) << 32n);
  return formatIpRange(networkOf({ family: 6, value, prefixBits: bits }));
};
const oneOf = <T>(...values: readonly T[]): T => values[below(values.length)]!;

const mixes: readonly Mix[] = [
  { name: "IPv4 /32 and /24", range: () => ipv4(oneOf(32, 32, 32, 24)), other: () => ipv4(32) },
  { name: "IPv6 /64, /56, /48", range: () => ipv6(oneOf(64, 64, 56, 48)), other: () => ipv6(128) },
  { name: "IPv6 /64 of one /32", range: () => ipv6(64, 7), other: () => ipv6(128, 7) },
  {
    name: "both, imported lists, all lengths",
    range: () => oneOf(ipv4(8 + below(25)), ipv4(32), ipv6(32 + below(33)), ipv6(64)),
    other: () => oneOf(ipv4(32), ipv6(128)),
  },
];

const rows = mixes.map(measure);
if (json) console.log(JSON.stringify({ prefixes, rows }));
else {
  console.log(`${prefixes} prefixes, ${lookUps} look-ups, Node ${process.version}\n`);
  console.log(
    "mix                                 text ns  words ns  hits   MB   bytes/prefix  add ns  remove ns  BlockList ns",
  );
  for (const row of rows) {
    const numbers = [
      row.textNs.toFixed(0).padStart(7),
      row.wordsNs.toFixed(0).padStart(9),
      `${Math.round(row.hitShare * 100)}%`.padStart(5),
      (row.bytes / 2 ** 20).toFixed(1).padStart(5),
      (row.bytes / row.size).toFixed(0).padStart(13),
      row.addNs.toFixed(0).padStart(8),
      row.removeNs.toFixed(0).padStart(10),
      row.blockListNs.toFixed(0).padStart(13),
    ];
    console.log(row.name.padEnd(34), numbers.join(" "));
  }
}

function measure(mix: Mix) {
  const ranges = Array.from({ length: prefixes }, () => mix.range());
  const asked = Array.from({ length: askedMax }, (_, i) =>
    i % 2 === 0 ? insideOf(ranges[below(prefixes)]!) : mix.other(),
  );
  const table = new PrefixTable();
  const addNs = timed(ranges.length, (i) => void table.set(ranges[i]!, { action: 1, untilMs: Infinity }));
  let hits = 0;
  const askText = (i: number): void => void (hits += table.actionFor(asked[i % askedMax]!, 0));
  const textNs = best(lookUps, askText);
  const hitShare = hits / lookUps / rounds;

  const read = asked.map((text) => {
    const words = newIpWords();
    return { family: readIpWords(text, words) as 4 | 6, words };
  });
  const askWords = (i: number): void => {
    const { family, words } = read[i % askedMax]!;
    hits += table.actionForWords(family, words, 0);
  };
  const wordsNs = best(lookUps, askWords);
  const { bytes, size } = table;

  const blockListNs = measureBlockList(ranges, asked);
  const removeNs = timed(ranges.length, (i) => void table.delete(ranges[i]!));
  return { name: mix.name, size, bytes, textNs, wordsNs, hitShare, addNs, removeNs, blockListNs };
}

function insideOf(range: string): string {
  const [address, bits] = range.split("/") as [string, string?];
  if (bits === undefined) return address;
  if (!address.includes(":")) return address.replace(/\d+$/, String(below(256)));
  return address.endsWith("::") ? `${address}${(1 + below(65_535)).toString(16)}` : address;
}

/** Only as many ranges as it can be asked for in a sensible time. */
function measureBlockList(ranges: readonly string[], asked: readonly string[]): number {
  const list = new BlockList();
  for (const range of ranges.slice(0, 2_000)) {
    const [address, bits] = range.split("/") as [string, string?];
    const family = address.includes(":") ? "ipv6" : "ipv4";
    if (bits === undefined) list.addAddress(address, family);
    else list.addSubnet(address, Number(bits), family);
  }
  return timed(1_000, (i) => void list.check(asked[i]!, asked[i]!.includes(":") ? "ipv6" : "ipv4"));
}

function best(count: number, work: (i: number) => void): number {
  return Math.min(...Array.from({ length: rounds }, () => timed(count, work)));
}

function timed(count: number, work: (i: number) => void): number {
  const beganNs = process.hrtime.bigint();
  for (let i = 0; i < count; i += 1) work(i);
  return Number(process.hrtime.bigint() - beganNs) / count;
}
