/** The machine's own addresses: whoever comes from one of them is a neighbour of the organism, or its health check. */
import os from "node:os";
import { canonicalRange } from "../../lib/ip-words.ts";

export function ownAddresses(): string[] {
  const addresses = Object.values(os.networkInterfaces()).flatMap((many) => (many ?? []).map(({ address }) => address));
  return addresses.flatMap((address) => (canonicalRange(address) === null ? [] : [address]));
}
