/**
 * Tells whether a value, put into a SQL statement without care, would break out of its place and do something there.
 *
 * The value is read three times: as it would stand bare (behind `id =`), and within single and double quotes. Within
 * quotes nothing can happen up to the quote that closes them; a value without that quote is harmless there. What
 * follows is cut into tokens and compared with the few shapes below. They ask for structure, not for words: a sentence
 * with "select", "union" and "drop" in it has none of these shapes, and neither has O'Brien.
 *
 * Grammar, over the letters of sql-tokens.ts, D being an operand (s n v w f F):
 *   logic      an operand that ends, then and/or, then a comparison, a subquery or a function
 *   union      union, then a select of something that a sentence does not go on with
 *   statement  an operand that ends (or a semicolon), then another statement
 *   query      select of *, a variable or a function, from somewhere
 *   subquery   an operator or a parenthesis, then a select
 *   call       a function that waits or reads files, alone or behind an operand
 *   clause     an operand that ends, then order by, having, limit and a number or a comparison
 *   cut        a closed quote and then a comment: `admin'--`
 *   splice     a closed quote, an operator, something, an operator and the quote again: `'+x+'`
 *   equal      a closed quote, a comparison and the quote again: `'='`
 */
import { SHAPE_WORDS, sqlTokens, stringEnd } from "./sql-tokens.ts";

export interface SqlInjection {
  /** How the value would have to stand. */
  readonly context: "bare" | "single" | "double";
  readonly shape: string;
  /** The letters of its tokens, for evidence. */
  readonly tokens: string;
}

/** The first shape found, or null. Looks at the first `CHARS_MAX` bytes: an attack begins where it breaks out. */
export function findSqlInjection(value: string): SqlInjection | null {
  const text = value.length > CHARS_MAX ? value.slice(0, CHARS_MAX) : value;
  if (!/[^\w.:,+-]/.test(text) || !hasMarks(text)) return null;
  return (
    find("bare", sqlTokens(text)) ?? find("single", quotedTokens(text, "'")) ?? find("double", quotedTokens(text, '"'))
  );
}

const CHARS_MAX = 4096;

/**
 * Without any of these there is no shape, and most values have none: a quote that could close, a parenthesis (of a call),
 * a mark that means and or or, or one of the words that become U, E, &, K or X. A word may stand behind digits: those
 * of a comment that MySQL executes.
 */
export const hasMarks = (text: string): boolean => MARKS.test(text);

const MARKS = new RegExp(
  String.raw`['"(]|&&|\|\||(?<![A-Za-z_])(?:${SHAPE_WORDS.join("|")})(?![\w$\x80-\x9f\xa1-\xff])`,
  "i",
);

/** Null where the value never closes the quote that it would stand in. */
function quotedTokens(text: string, quote: string): string | null {
  const end = stringEnd(text, 0, quote);
  if (!text.includes(quote) || text[end - 1] !== quote) return null;
  return `s${sqlTokens(text.slice(end))}`;
}

function find(context: SqlInjection["context"], tokens: string | null): SqlInjection | null {
  if (tokens === null) return null;
  for (const [shape, pattern] of context === "bare" ? BARE_SHAPES : QUOTED_SHAPES) {
    if (pattern.test(tokens)) return { context, shape, tokens };
  }
  return null;
}

const anywhere: ReadonlyArray<readonly [shape: string, pattern: RegExp]> = [
  ["union", /U\(*E(?:[nsvfFo(]|w[,.Kc;)])/],
  ["query", /(?:^|[(;,qo&p])E\(*(?:[ov]|[fF]\([^)]{0,12}\)+)(?:,[wnvo.]{1,3})*K\(*[wvEs]/],
  ["call", /E\(*F\(\(*[nso]/],
  ["subquery", /[snv)w](?:[&qop]|&o)\(+E/],
];

/** Of a call: a word, a number, a string, or a further call of such. */
const ARGUMENT = String.raw`(?:[fF]\([nsvw,.]*\)|[nsvw])`;

const BARE_SHAPES: ReadonlyArray<readonly [shape: string, pattern: RegExp]> = [
  ...anywhere,
  ["logic", /^[o(]*[nv]\)*[&p][o(]*(?:[nsvw]q[o(]*[nsvwfF(]|[fF]\(|[Kv])/],
  ["logic", /^\w\)*[&p][o(]*(?:nq[o(]*n|sq[o(]*s|F\()/],
  ["statement", /^[o(]*[nv]\)*;?X[wvnsf(@]/],
  ["statement", /^w;X[wv]|^[wnv]\)*Xs/],
  ["call", new RegExp(`^[o(]*(?:[nv]\\)*[oqp,]?\\(*)?F\\((?:${ARGUMENT}(?:[.,o]${ARGUMENT})*\\)*|\\)+)(?:$|[c;opq&])`)],
  ["call", /^[o(]*(?:F\(n,|f\([^;]*F\([ns]?\))/],
  ["clause", /^[o(]*n\)*K(?:n(?:$|[,c;])|[nsvw]q[nsvw])/],
];

const QUOTED_SHAPES: ReadonlyArray<readonly [shape: string, pattern: RegExp]> = [
  ...anywhere,
  ["logic", /^s\)*[&p][o(]*(?:[nsvw]\)*q[o(]*[nsvwfF(]|[fF]\(|[nsv]\)*[c;]|[KE])/],
  ["logic", /^s\)*(?:&s|pn)\)*$/],
  ["statement", /^s\)*;?X[wvnsf(@]?/],
  ["statement", /^s\)*;\(*E/],
  ["call", /^s\)*[oqp,&;]?\(*F\(/],
  ["clause", /^s\)*K(?:[nw](?:$|[,c;])|\(*[nsvw]q[nsvwfF(])/],
  ["cut", /^s\)*;*c$/],
  ["splice", /^s[op]\(*[nsvwfF][^;]{0,24}[op]s$/],
  ["equal", /^s\)*q\(*s$/],
];
