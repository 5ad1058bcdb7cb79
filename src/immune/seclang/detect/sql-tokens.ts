/**
 * Cuts a text into tokens of SQL, as a database would that was handed it in the midst of a statement: one letter each,
 * so that shapes of attacks can be written as patterns over letters (sql-injection.ts).
 *
 *   s  a string, closed or running to the end       n  a number, null, true, false
 *   w  a word                                       v  @variable, `quoted` or [quoted] name
 *   f  a function's name before its parenthesis     F  one that waits, reads files or runs code
 *   &  and, or, xor, &&                             p  || (or, and also a concatenation)
 *   q  a comparison: = <> like in is between ...    o  another operator: + - * / % | ^ ~ !
 *   U  union (all, distinct)                        E  select
 *   X  another statement that is one for sure (drop table, insert into, waitfor delay ...)
 *   K  a clause: from where having order by ...     c  a comment that ends all, or a semicolon's like
 *   ( ) , ; . { }                                   themselves
 *
 * Dialects are taken together (MySQL, PostgreSQL, SQL Server, Oracle, SQLite): what is a comment or a quote in one of
 * them counts. Comments between slash and star are blanks to all; MySQL's executed ones give their content.
 */

/** Tokens looked at: an attack shows itself where it leaves its context, which is where reading begins. */
const TOKENS_MAX = 64;

/** The letters of the text's tokens. */
export function sqlTokens(text: string): string {
  let letters = "";
  let at = 0;
  while (at < text.length && letters.length < TOKENS_MAX) {
    const { letter, end } = tokenAt(text, at);
    letters += letter;
    at = end;
  }
  return letters;
}

interface Token {
  /** Empty for blanks. */
  readonly letter: string;
  readonly end: number;
}

function tokenAt(text: string, at: number): Token {
  const char = text[at]!;
  // Control characters and the no-break space: some database takes each of them for a blank.
  if (char <= " " || char === "\x7f" || char === "\xa0") return { letter: "", end: at + 1 };
  if (char === "'" || char === '"') return { letter: "s", end: stringEnd(text, at + 1, char) };
  if (char === "`") return { letter: "v", end: stringEnd(text, at + 1, char) };
  return comment(text, at) ?? number(text, at) ?? word(text, at) ?? mark(text, at);
}

/** Behind the closing quote, or the end. A doubled quote or a backslash keeps the string open. */
export function stringEnd(text: string, from: number, quote: string): number {
  for (let at = from; at < text.length; at += 1) {
    if (text[at] === "\\") at += 1;
    else if (text[at] === quote) {
      if (text[at + 1] !== quote) return at + 1;
      at += 1;
    }
  }
  return text.length;
}

function comment(text: string, at: number): Token | null {
  if (text.startsWith("/*", at)) {
    // /*!50000 ... */ is run by MySQL: its content is read on, and its end is a comment's end.
    const executed = endOf(/\/\*!\d*/y, text, at);
    if (executed !== -1) return { letter: "", end: executed };
    const end = text.indexOf("*/", at + 2);
    return { letter: end === -1 ? "c" : "", end: end === -1 ? text.length : end + 2 };
  }
  if (text.startsWith("*/", at)) return { letter: "", end: at + 2 };
  if (text.startsWith("--", at)) return { letter: "c", end: lineEnd(text, at) };
  // A hash begins a comment in MySQL only, and a number or a tag in prose: it counts where little follows.
  if (text[at] === "#" && /^#\s*$/.test(text.slice(at, at + 8))) return { letter: "c", end: text.length };
  return null;
}

function lineEnd(text: string, at: number): number {
  const end = text.indexOf("\n", at);
  return end === -1 ? text.length : end + 1;
}

function number(text: string, at: number): Token | null {
  const end = endOf(NUMBER, text, at);
  if (end === -1) return null;
  // 2nd, 7z, 10.to_i: a word that begins with digits.
  const rest = endOf(WORD_CHARS, text, end);
  return rest === -1 ? { letter: "n", end } : { letter: "w", end: rest };
}

function word(text: string, at: number): Token | null {
  const variable = endOf(VARIABLE, text, at);
  if (variable !== -1) return { letter: "v", end: variable };
  const end = endOf(WORD, text, at);
  if (end === -1) return null;
  const name = text.slice(at, end).toLowerCase();
  const phrase = PHRASES.get(name);
  if (phrase !== undefined) {
    const rest = endOf(phrase.next, text, end);
    if (rest !== -1) return { letter: phrase.letter, end: rest };
  }
  const letter = WORDS.get(name) ?? "w";
  if (letter !== "w" || endOf(OPENING, text, end) === -1) return { letter, end };
  return { letter: DANGEROUS.has(name) ? "F" : "f", end };
}

/** Maps, not objects: a value may well say "constructor". */
const WORDS: ReadonlyMap<string, string> = new Map(
  Object.entries({
    and: "&",
    or: "&",
    xor: "&",
    null: "n",
    true: "n",
    false: "n",
    like: "q",
    rlike: "q",
    ilike: "q",
    regexp: "q",
    between: "q",
    in: "q",
    is: "q",
    glob: "q",
    div: "o",
    mod: "o",
    union: "U",
    select: "E",
    from: "K",
    where: "K",
    having: "K",
    limit: "K",
    case: "K",
    when: "K",
  }),
);

/** Words that mean something only together with what follows, blanks and comments between. */
const gap = String.raw`(?:\s|/\*[^*]*\*/)+`;
const next = (words: string): RegExp => new RegExp(`${gap}(?:${words})(?![\\w$])`, "iy");
const PHRASES: ReadonlyMap<string, { readonly letter: string; readonly next: RegExp }> = new Map(
  Object.entries({
    order: { letter: "K", next: next("by") },
    group: { letter: "K", next: next("by") },
    union: { letter: "U", next: next("all|distinct") },
    insert: { letter: "X", next: next("into|ignore") },
    delete: { letter: "X", next: next("from") },
    drop: { letter: "X", next: next("table|database|schema|view|user|index|procedure|function|column") },
    truncate: { letter: "X", next: next("table") },
    alter: { letter: "X", next: next("table|database|user") },
    create: { letter: "X", next: next("table|database|user|function|procedure|trigger") },
    update: { letter: "X", next: new RegExp(`${gap}[\\w.\`]+${gap}set(?![\\w$])`, "iy") },
    waitfor: { letter: "X", next: new RegExp(`(?:${gap})(?:delay|time)(?![\\w$])`, "iy") },
    exec: { letter: "X", next: /\s*\(|\s+(?:master|xp_|sp_|@)/iy },
    execute: { letter: "X", next: /\s*\(|\s+(?:master|xp_|sp_|@|immediate)/iy },
    declare: { letter: "X", next: /\s+@/iy },
    into: { letter: "X", next: next("outfile|dumpfile") },
    procedure: { letter: "X", next: /\s+analyse\s*\(/iy },
  }),
);

/** Words without which, marks and calls apart, no token has a letter that a shape is made of. */
export const SHAPE_WORDS: readonly string[] = [
  ...Array.from(WORDS).flatMap(([word, letter]) => ("&UEK".includes(letter) ? [word] : [])),
  ...PHRASES.keys(),
];

const DANGEROUS = new Set([
  "sleep",
  "pg_sleep",
  "benchmark",
  "waitfor",
  "load_file",
  "extractvalue",
  "updatexml",
  "xp_cmdshell",
  "xp_dirtree",
  "sp_executesql",
  "randomblob",
  "load_extension",
  "dbms_lock",
  "utl_http",
  "utl_inaddr",
  "lo_import",
  "pg_read_file",
  "openrowset",
]);

function mark(text: string, at: number): Token {
  const pair = text.slice(at, at + 2);
  if (pair === "||") return { letter: "p", end: at + 2 };
  if (pair === "&&") return { letter: "&", end: at + 2 };
  const comparison = endOf(COMPARISON, text, at);
  if (comparison !== -1) return { letter: "q", end: comparison };
  const char = text[at]!;
  if ("(),;.{}".includes(char)) return { letter: char, end: at + 1 };
  return { letter: "+-*/%|^~!&".includes(char) ? "o" : "w", end: at + 1 };
}

const NUMBER = /0x[0-9a-f]+|(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?/iy;
const WORD_CHARS = /\w+/y;
const VARIABLE = /@{1,2}[\w$]*|\[[\w $]+\]/y;
const WORD = /[A-Za-z_\x80-\x9f\xa1-\xff][\w$\x80-\x9f\xa1-\xff]*/y;
const OPENING = /\s*\(/y;
const COMPARISON = /<=>|<>|!=|<=|>=|=|<|>/y;

/** Where what the pattern finds at this place ends; -1: it finds nothing there. */
function endOf(pattern: RegExp, text: string, at: number): number {
  pattern.lastIndex = at;
  return pattern.test(text) ? pattern.lastIndex : -1;
}
