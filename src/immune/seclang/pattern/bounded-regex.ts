/**
 * A pattern that runs in bounded time on any value: an automaton says whether it occurs (automaton.ts), and where it
 * does and somebody wants to know what was caught, the bounded engine says what (search.ts).
 *
 * V8's own engine is not asked at all: it backtracks without bound, nothing can stop it, and of most values it is
 * slower to say no. It remains the measure: the plain evaluation runs on it, and both are compared.
 */
import type { Automaton } from "./automaton.ts";
import { buildAutomaton } from "./automaton.ts";
import { leastBytes } from "./least-bytes.ts";
import type { Pattern } from "./parse.ts";
import type { Program } from "./program.ts";
import { parsePattern } from "./parse.ts";
import { buildProgram } from "./program.ts";
import type { Found, Meter, Searched } from "./search.ts";
import { search } from "./search.ts";

export interface BoundedRegex {
  /**
   * Null: no match, or the meter is spent (below 0), which must be taken for the worst. Without `groups` what was
   * caught is not said.
   */
  readonly exec: (value: Searched, meter: Meter, groups: boolean) => Found | null;
}

/** Null: the pattern is too large for the bounded engine. */
export function boundRegex(pattern: Pattern): BoundedRegex | null {
  const program = buildProgram(pattern);
  return program === null ? null : boundedBy(program);
}

const OCCURS: Found = [];

export function boundedBy(program: Program): BoundedRegex {
  // Made when first asked: of most patterns no value ever holds the texts that they require.
  let automaton: Automaton | null | undefined;
  return {
    exec: (value, meter, groups) => {
      if (automaton === undefined) automaton = buildAutomaton(program);
      const occurs = automaton === null ? null : automaton.occurs(value.text, meter);
      if (occurs === false || meter.left < 0) return null;
      return occurs === true && !groups ? OCCURS : search(program, value, meter);
    },
  };
}

/** For names that clients choose and rules select with patterns: whether the pattern occurs, in bounded time. */
export function boundTest(regex: RegExp): Pick<RegExp, "test"> {
  const literal = literalTest(regex);
  if (literal !== null) return literal;
  const pattern = parsePattern(regex);
  const bytesMin = leastBytes(pattern.root);
  let bounded: BoundedRegex | null | undefined;
  return {
    test: (text) => {
      if (text.length < bytesMin) return false;
      if (bounded === undefined) bounded = boundRegex(pattern);
      // A pattern that large was written by the user, who alone is hurt by it.
      if (bounded === null) return regex.test(text);
      const meter = { left: TEST_STEPS_MAX };
      const found = bounded.exec(new Name(text), meter, false);
      // A name that cannot be looked at to its end is not excluded by it.
      return found !== null && meter.left >= 0;
    },
  };
}

/** Of a pattern that is a text, or ^ and a text; null: it is another one. Most that select names are. */
function literalTest({ source, flags }: RegExp): Pick<RegExp, "test"> | null {
  const found = /^(\^?)([\w-]+)$/.exec(source);
  if (found === null || flags.includes("m")) return null;
  const isBeginning = found[1] === "^";
  const ignoresCase = flags.includes("i");
  const wanted = ignoresCase ? found[2]!.toLowerCase() : found[2]!;
  return {
    test: (text) => {
      const name = ignoresCase ? text.toLowerCase() : text;
      return isBeginning ? name.startsWith(wanted) : name.includes(wanted);
    },
  };
}

/** Names are short; this is 20 ms. */
const TEST_STEPS_MAX = 4_000_000;

/** A class, for names are tested by the hundred: an object written out with a getter in it takes V8 0.2 us to make. */
class Name implements Searched {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }

  /** Asked for at most once, and of most names never. */
  get bytes(): Uint8Array {
    return Buffer.from(this.text, "latin1");
  }
}
