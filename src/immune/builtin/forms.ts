/**
 * The forms in which filters look at a value. An attack is written in many ways and means one thing; each form undoes
 * what one reader of it would undo, so that a pattern can be plain.
 *
 *   raw      as the application gets it
 *   plain    without percent escapes, character references, escapes of JavaScript, nulls, overlong and full-width
 *            forms: as it looks after somebody has decoded it once too often
 *   sql      plain, with comments as blanks, as a database reads it
 *   shell    plain, without the quotes, backslashes and empty expansions that a shell takes out
 *   script   plain, without comments and blanks around dots and brackets, members in quotes as members with dots
 *
 * Most values are the same in all forms, and are then looked at once.
 */
import { CLASS_BIT_OF_BYTE } from "../seclang/pattern/byte-classes.ts";

export const FORMS = ["raw", "plain", "sql", "shell", "script"] as const;
export type FormName = (typeof FORMS)[number];

const bitsOf = (bytes: string): number =>
  Array.from(bytes).reduce((bits, char) => bits | CLASS_BIT_OF_BYTE[char.charCodeAt(0)]!, 0);
/** Without any of these bytes a value has one form. */
const ENCODED = bitsOf("%&\\\0\xc0");
const SQL = bitsOf("*");
const SHELL = bitsOf("'\"\\^$`+");
const SCRIPT = bitsOf("*[(.");

/** Rounds of decoding: what is encoded more often than this no application decodes either. */
const ROUNDS_MAX = 3;

/** The value in one form. `plain` is its plain form, which the later ones begin with; `profile` that form's. */
export function formOf(form: number, text: string, plain: string, profile: number): string {
  if (form === 0) return text;
  switch (FORMS[form]) {
    case "sql":
      return (profile & SQL) === 0 ? plain : sqlForm(plain);
    case "shell":
      return (profile & SHELL) === 0 ? plain : shellForm(plain);
    case "script":
      return (profile & SCRIPT) === 0 ? plain : scriptForm(plain);
    default:
      return plain;
  }
}

export const plainForm = (text: string, profile: number): string => ((profile & ENCODED) === 0 ? text : decode(text));

export function decode(text: string): string {
  let value = text;
  for (let round = 0; round < ROUNDS_MAX; round += 1) {
    const before = value;
    if (value.includes("%")) value = undoPercent(value);
    if (value.includes("&")) value = undoReferences(value);
    if (value.includes("\\")) value = undoEscapes(value);
    value = undoWideBytes(value);
    if (value === before) break;
  }
  return value;
}

function undoPercent(text: string): string {
  return text.replace(
    /%(?:u([0-9a-f]{4})|([0-9a-f]{2}))/gi,
    (_whole, unit: string | undefined, digits: string | undefined) =>
      unit === undefined ? String.fromCharCode(Number.parseInt(digits!, 16)) : byteOf(Number.parseInt(unit, 16)),
  );
}

function undoReferences(text: string): string {
  return text.replace(
    /&(?:#x([0-9a-f]{1,8});?|#([0-9]{1,8});?|([a-z]{2,12});)/gi,
    (whole, hex: string | undefined, decimal: string | undefined, name: string | undefined) => {
      if (name !== undefined) return NAMES.get(name.toLowerCase()) ?? whole;
      return byteOf(hex === undefined ? Number(decimal) : Number.parseInt(hex, 16));
    },
  );
}

/** Those that hide what attacks are made of. A map, not an object: the name may be "constructor". */
const NAMES: ReadonlyMap<string, string> = new Map([
  ["amp", "&"],
  ["apos", "'"],
  ["bsol", "\\"],
  ["colon", ":"],
  ["comma", ","],
  ["commat", "@"],
  ["dollar", "$"],
  ["equals", "="],
  ["excl", "!"],
  ["grave", "`"],
  ["gt", ">"],
  ["lbrace", "{"],
  ["lbrack", "["],
  ["lcub", "{"],
  ["lpar", "("],
  ["lsqb", "["],
  ["lt", "<"],
  ["nbsp", " "],
  ["newline", "\n"],
  ["num", "#"],
  ["percnt", "%"],
  ["period", "."],
  ["quot", '"'],
  ["rbrace", "}"],
  ["rbrack", "]"],
  ["rcub", "}"],
  ["rpar", ")"],
  ["rsqb", "]"],
  ["semi", ";"],
  ["sol", "/"],
  ["tab", "\t"],
  ["vert", "|"],
]);

/** Those of JavaScript that name a character by its number; a lone backslash may be a path's. */
function undoEscapes(text: string): string {
  return text.replace(
    /\\(?:u([0-9a-f]{4})|u\{([0-9a-f]{1,6})\}|x([0-9a-f]{2}))/gi,
    (_whole, unit: string | undefined, braced: string | undefined, digits: string | undefined) =>
      byteOf(Number.parseInt(unit ?? braced ?? digits!, 16)),
  );
}

/** Full-width forms stand for ASCII, other characters beyond a byte for none that an attack is made of. */
function byteOf(point: number): string {
  if (point > 0xff00 && point < 0xff5f) return String.fromCharCode(point - 0xff00 + 0x20);
  return point <= 0xff ? String.fromCharCode(point) : "\xbf";
}

/** In UTF-8: overlong forms of ASCII, full-width forms, and what takes up no room. Nulls too. */
function undoWideBytes(text: string): string {
  if (!/[\0\xc0\xc1\xe0\xe2\xef]/.test(text)) return text;
  return text.replace(
    /\0|[\xc0\xc1][\x80-\xbf]|\xe0[\x80\x81][\x80-\xbf]|\xe2\x80[\x8b-\x8f]|\xef(?:\xbb\xbf|\xbc[\x81-\xbf]|\xbd[\x80-\x9e])/g,
    (bytes) => {
      const last = bytes.charCodeAt(bytes.length - 1);
      switch (bytes[0]) {
        case "\0":
        case "\xe2":
          return "";
        case "\xef":
          if (bytes[1] === "\xbb") return "";
          return String.fromCharCode(
            (bytes[1] === "\xbc" ? 0x20 : 0x60) + (last & 0x3f) - (bytes[1] === "\xbc" ? 0 : 0),
          );
        default:
          return String.fromCharCode(((bytes.charCodeAt(bytes.length - 2) & 0x01) << 6) | (last & 0x3f));
      }
    },
  );
}

function sqlForm(text: string): string {
  if (!text.includes("/*") && !text.includes("*/")) return text;
  // What MySQL runs stays: /*!50000 union */.
  return withoutComments(text.replace(/\/\*!\d{0,6}/g, " "), " ").replaceAll("*/", " ");
}

/** Goes forward only: a pattern would begin anew at each comment that never ends. */
function withoutComments(text: string, blank: string): string {
  let shown = "";
  let at = 0;
  for (;;) {
    const open = text.indexOf("/*", at);
    const close = open === -1 ? -1 : text.indexOf("*/", open + 2);
    if (close === -1) return at === 0 ? text : shown + text.slice(at);
    shown += text.slice(at, open) + blank;
    at = close + 2;
  }
}

function shellForm(text: string): string {
  // A plus that stood for a blank, where nobody has undone it.
  return (/[ \t]/.test(text) ? text : text.replaceAll("+", " "))
    .replace(/\$\{?ifs\}?(?:\$\d)?|\{ifs\}/gi, " ")
    .replace(/\$(?:[@*!#?-]|\{[@*]\}|u\b)|\$\(\)|``/gi, "")
    .replace(/["'\\^]/g, "");
}

function scriptForm(text: string): string {
  let value = withoutComments(text, "");
  if (value.includes("[")) value = value.replace(/\[\s{0,8}(["'`])([\w$-]{1,64})\1\s{0,8}\]/g, ".$2");
  if (value.includes("(")) value = value.replace(/\((\w{1,32})\)(?=\s{0,8}[.[])/g, "$1");
  return /\s[.[(]/.test(value) ? value.replace(/[ \t]{1,8}([.[(])[ \t]{0,8}/g, "$1") : value;
}
