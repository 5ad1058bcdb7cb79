/** From the user's DNA to the policy of bans, which all cells of an organism keep to. */
import type { Dna } from "../../dna/dna.ts";
import type { BanPolicy } from "../../immune/bans/policy.ts";

/** `own`: the machine's own and health checks' addresses, which the DNA cannot know. */
export function banPolicyOf({ immune, http }: Dna, own: readonly string[]): BanPolicy {
  const { bans } = immune;
  return {
    durationMs: bans.durationMs,
    durationMsMax: bans.durationMsMax,
    ipv4PrefixBitsMin: bans.ipv4PrefixBitsMin,
    ipv6PrefixBitsMin: bans.ipv6PrefixBitsMin,
    neverBanned: [...immune.allow, ...http.trustedProxies, ...own],
    bansPerMinuteMax: bans.perMinuteMax,
    innocentShareMax: bans.innocentShareMax,
    dryRun: immune.dryRun,
  };
}
