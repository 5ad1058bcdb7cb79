/**
 * From what is known of a range to what ought to be done about it, if anything.
 *
 * Three questions, in this order. Has enough gathered? Have enough of the ranges below taken part, so that it is this range
 * and not one inside it? And is it mostly bad: an office or a carrier's NAT holds thousands of people behind one address,
 * and whoever refuses them all for one of them has done the attacker's work. What fails only the last is watched.
 *
 * A share is believed only as far as the number of requests bears it out (the lower bound of Wilson's interval): of an
 * office's first fifteen requests five may well be bad by chance, of its first thousand not a third.
 *
 * Where it is known that no more than a handful of clients are there, the third question is nearly waived: nobody else would
 * be hit, and an attacker must not buy himself off with a few harmless requests in between.
 */
import { classTraits, type AttackClass, type Remedy } from "./attack-class.ts";
import type { Ledger, Standing } from "./ledger.ts";
import { rungs } from "./rungs.ts";

export interface Judgement {
  readonly standing: Standing;
  readonly remedy: Remedy;
  readonly attackClass: AttackClass;
  /** How far beyond its threshold: 1 is just there. */
  readonly multiple: number;
}

/** So few clients are no office. The sketch may see one more than there are. */
const clientsFewMax = 3;
/**
 * How sure, in standard deviations: a tenth of bad requests passes for a quarter once in ten thousand. Three attacks and
 * nothing else must still be enough to be sure of a quarter.
 */
const confidence = 2.6;
/** Of few clients, this share of bad requests is enough: one in fifty is no accident any more at full pressure. */
const badShareMinOfFew = 0.02;

/** One for each range on the client's ladder that wants a remedy, narrowest first. */
export function judgeClient(ledger: Ledger, client: string, nowMs: number): Judgement[] {
  return ledger.ladder(client, nowMs).flatMap((standing) => judge(standing) ?? []);
}

export function judge(standing: Standing): Judgement | null {
  const rung = rungs[standing.family][standing.rung]!;
  const { dominant, pressure, volume } = standing;
  if (dominant !== null && pressure >= rung.pressureMin && standing.children >= rung.childrenMin) {
    const multiple = pressure / rung.pressureMin;
    const remedy = isMostlyBad(standing) ? remedyFor(standing, dominant, multiple) : "watch";
    return { standing, remedy, attackClass: dominant, multiple };
  }
  if (standing.rung > 0 || volume.pressure < 1) return null;
  const { attackClass, pressure: multiple } = volume;
  return { standing, remedy: remedyOf(attackClass, multiple), attackClass, multiple };
}

function isMostlyBad(standing: Standing): boolean {
  if (isOfFew(standing)) return standing.badShare >= badShareMinOfFew;
  return surelyAtLeast(standing.bad, standing.clean) >= rungs[standing.family][standing.rung]!.badShareMin;
}

/** Whether it is a single source of which is known that hardly anybody is behind it. */
export function isOfFew({ rung, clients }: Standing): boolean {
  return rung === 0 && clients > 0 && Math.round(clients) <= clientsFewMax;
}

/** The share of bad requests that the numbers vouch for. */
function surelyAtLeast(bad: number, clean: number): number {
  const count = bad + clean;
  if (count === 0) return 0;
  const share = bad / count;
  const doubt = confidence ** 2 / count;
  const spread = confidence * Math.sqrt((share * (1 - share)) / count + doubt / (4 * count));
  return (share + doubt / 2 - spread) / (1 + doubt);
}

/** Many sources that act together are not clumsy. */
function remedyFor({ rung }: Standing, attackClass: AttackClass, multiple: number): Remedy {
  return rung > 0 ? "ban" : remedyOf(attackClass, multiple);
}

function remedyOf(attackClass: AttackClass, multiple: number): Remedy {
  const reached = classTraits[attackClass].remedies.filter(({ at }) => multiple >= at);
  return reached.at(-1)?.remedy ?? "watch";
}
