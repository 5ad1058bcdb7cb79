import type { IpRange } from "../../../lib/ip-range.ts";
import { networkOf, parseIpAddress, parseIpRange } from "../../../lib/ip-range.ts";
import type { Matcher, Operator } from "./kind.ts";
import { badArgument, NOTHING_CAUGHT } from "./kind.ts";

/**
 * Description: the value is an address within one of the ranges. An IPv4 address written as IPv6 (::ffff:1.2.3.4) is
 *   taken for what it is.
 * Arguments: addresses and ranges, parted by commas.
 * Returns: nothing caught.
 * Example: SecRule REMOTE_ADDR "@ipMatch 10.0.0.0/8,::1"
 */
export const ipMatch: Operator = (setup) => {
  const texts = setup.argument.split(",").map((text) => text.trim());
  return rangeMatcher(texts, (text) => badArgument({ ...setup, argument: text }, "ipMatch", "an address or a range"));
};

/** For this and for ranges that stand in a file. */
export function rangeMatcher(texts: readonly string[], refuse: (text: string) => Error): Matcher {
  const ranges = texts.map((text) => {
    const range = parseIpRange(text);
    if (range === null) throw refuse(text);
    return networkOf(range);
  });
  return (value) => {
    const address = plainAddress(value);
    return address !== null && ranges.some((range) => holds(range, address)) ? NOTHING_CAUGHT : null;
  };
}

function plainAddress(text: string): IpRange | null {
  const address = parseIpAddress(text);
  if (address === null || address.family === 4 || address.value >> 32n !== 0xffffn) return address;
  return { family: 4, value: address.value & 0xffff_ffffn, prefixBits: 32 };
}

function holds(range: IpRange, address: IpRange): boolean {
  if (range.family !== address.family) return false;
  return networkOf({ ...address, prefixBits: range.prefixBits }).value === range.value;
}
