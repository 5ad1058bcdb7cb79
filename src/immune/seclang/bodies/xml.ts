/**
 * Reads an XML body: all its text as one value, and each attribute's value. That is what rules look at (XML:/* and
 * XML://@*), so there is no tree, no names and no namespaces.
 *
 * Own code and small, because the dangerous half of XML is left out: a document type's declarations are passed over,
 * no entity but the five predefined ones and character numbers is ever expanded (another stays as it is written), and
 * nothing is fetched. What is not well-formed is an error, with what was read before it kept.
 */
import type { BodyReading } from "./reading.ts";
import { EMPTY_READING } from "./reading.ts";

export function readXml(text: string, options: { depthMax: number; argumentsMax: number }): BodyReading {
  const cursor: Cursor = { source: text, at: 0, open: [], roots: 0, text: [], attributes: [], ...options };
  // A byte order mark, as its UTF-8 bytes.
  if (text.startsWith("\xef\xbb\xbf")) cursor.at = 3;
  const error = readDocument(cursor);
  return { ...EMPTY_READING, xml: { text: cursor.text.join(""), attributes: cursor.attributes }, error };
}

interface Cursor {
  readonly source: string;
  at: number;
  /** Names of the elements that are open. */
  readonly open: string[];
  /** Elements that stood outermost: a document has one. */
  roots: number;
  readonly text: string[];
  readonly attributes: string[];
  readonly depthMax: number;
  readonly argumentsMax: number;
}

/** Null: read; otherwise what is wrong. */
type Problem = string | null;

function readDocument(cursor: Cursor): Problem {
  const { source } = cursor;
  while (cursor.at < source.length) {
    const markup = source.indexOf("<", cursor.at);
    const end = markup === -1 ? source.length : markup;
    const problem = addText(cursor, source.slice(cursor.at, end));
    if (problem !== null) return problem;
    cursor.at = end;
    if (markup === -1) break;
    const wrong = readMarkup(cursor);
    if (wrong !== null) return wrong;
  }
  if (cursor.open.length > 0) return problemAt(cursor, `</${cursor.open.at(-1)}>`);
  return cursor.roots === 1 ? null : problemAt(cursor, "an element");
}

function addText(cursor: Cursor, text: string): Problem {
  if (cursor.open.length > 0) {
    if (text !== "") cursor.text.push(decodeReferences(text));
    return null;
  }
  return text.trim() === "" ? null : problemAt(cursor, "no text outside of the element");
}

function readMarkup(cursor: Cursor): Problem {
  const { source, at } = cursor;
  if (source.startsWith("<!--", at)) return passOver(cursor, "<!--", "-->");
  if (source.startsWith("<?", at)) return passOver(cursor, "<?", "?>");
  if (source.startsWith("<![CDATA[", at)) {
    const end = source.indexOf("]]>", at);
    if (end === -1 || cursor.open.length === 0)
      return problemAt(cursor, "a CDATA section that ends, within an element");
    cursor.text.push(source.slice(at + "<![CDATA[".length, end));
    cursor.at = end + "]]>".length;
    return null;
  }
  if (source.startsWith("<!DOCTYPE", at)) return passOverDocumentType(cursor);
  return source[at + 1] === "/" ? readEndTag(cursor) : readStartTag(cursor);
}

function passOver(cursor: Cursor, opening: string, closing: string): Problem {
  const end = cursor.source.indexOf(closing, cursor.at + opening.length);
  if (end === -1) return problemAt(cursor, closing);
  cursor.at = end + closing.length;
  return null;
}

/** To its `>`, past quoted texts and the declarations between brackets. */
function passOverDocumentType(cursor: Cursor): Problem {
  if (cursor.roots > 0) return problemAt(cursor, "no document type behind the element");
  const MARK = /["'<>[\]]/g;
  MARK.lastIndex = cursor.at + 1;
  let depth = 0;
  for (let mark = MARK.exec(cursor.source); mark !== null; mark = MARK.exec(cursor.source)) {
    const [char] = mark;
    if (char === '"' || char === "'") {
      const end = cursor.source.indexOf(char, MARK.lastIndex);
      if (end === -1) break;
      MARK.lastIndex = end + 1;
    } else if (char === "<" || char === "[") {
      depth += 1;
    } else if (depth > 0) {
      depth -= 1;
    } else {
      cursor.at = MARK.lastIndex;
      return char === ">" ? null : problemAt(cursor, ">");
    }
  }
  return problemAt(cursor, "the document type's end");
}

const NAME = "[A-Za-z_:\\x80-\\xff][A-Za-z0-9_:.\\x80-\\xff-]*";

function readEndTag(cursor: Cursor): Problem {
  const tag = take(cursor, new RegExp(`</(${NAME})[ \\t\\r\\n]*>`, "y"));
  if (tag === null) return problemAt(cursor, "an end tag");
  return cursor.open.pop() === tag[1] ? null : problemAt(cursor, "the end tag of the element that is open");
}

function readStartTag(cursor: Cursor): Problem {
  const tag = take(cursor, new RegExp(`<(${NAME})`, "y"));
  if (tag === null) return problemAt(cursor, "a tag");
  if (cursor.open.length === 0) cursor.roots += 1;
  if (cursor.roots > 1) return problemAt(cursor, "one outermost element");
  if (cursor.open.length >= cursor.depthMax) return `XML: nested deeper than ${cursor.depthMax}`;
  for (;;) {
    const ending = take(cursor, /[ \t\r\n]*(\/?)>/y);
    if (ending !== null) {
      if (ending[1] === "") cursor.open.push(tag[1]!);
      return null;
    }
    const attribute = take(
      cursor,
      new RegExp(`[ \\t\\r\\n]+${NAME}[ \\t\\r\\n]*=[ \\t\\r\\n]*(?:"([^"<]*)"|'([^'<]*)')`, "y"),
    );
    if (attribute === null) return problemAt(cursor, "an attribute or the tag's end");
    if (cursor.attributes.length >= cursor.argumentsMax) return `XML: more than ${cursor.argumentsMax} attributes`;
    cursor.attributes.push(decodeReferences(attribute[1] ?? attribute[2] ?? ""));
  }
}

function take(cursor: Cursor, pattern: RegExp): RegExpExecArray | null {
  pattern.lastIndex = cursor.at;
  const match = pattern.exec(cursor.source);
  if (match !== null) cursor.at = pattern.lastIndex;
  return match;
}

function decodeReferences(text: string): string {
  if (!text.includes("&")) return text;
  return text.replace(
    /&(?:#x([0-9A-Fa-f]{1,6})|#([0-9]{1,7})|(lt|gt|amp|quot|apos));/g,
    (whole, hex: string | undefined, decimal: string | undefined, name: string | undefined) => {
      if (name !== undefined) return PREDEFINED[name] ?? whole;
      const point = hex === undefined ? Number(decimal) : Number.parseInt(hex, 16);
      return point > 0x10ffff ? whole : Buffer.from(String.fromCodePoint(point), "utf8").toString("latin1");
    },
  );
}

const PREDEFINED: Readonly<Record<string, string>> = { lt: "<", gt: ">", amp: "&", quot: '"', apos: "'" };

const problemAt = (cursor: Cursor, expected: string): Problem => `XML: expected ${expected} at byte ${cursor.at}`;
