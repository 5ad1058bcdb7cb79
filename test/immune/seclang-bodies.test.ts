// What body readers make of bodies, sound and broken: what stood before a break is kept, and each oddity is flagged.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import * as fc from "fast-check";
import { readJson } from "../../src/immune/seclang/bodies/json.ts";
import { readMultipart } from "../../src/immune/seclang/bodies/multipart.ts";
import type { BodyReading, NamedValue } from "../../src/immune/seclang/bodies/reading.ts";
import { processorFor } from "../../src/immune/seclang/bodies/table.ts";
import { readUrlEncoded } from "../../src/immune/seclang/bodies/url-encoded.ts";
import { readXml } from "../../src/immune/seclang/bodies/xml.ts";

const bounds = { depthMax: 4, argumentsMax: 5 };

describe("a form", () => {
  const read = (text: string): BodyReading => readUrlEncoded(text, { separator: "&", argumentsMax: 5 });
  const cases: ReadonlyArray<[text: string, args: string[]]> = [
    ["", []],
    ["a=1&b=2", ["a=1", "b=2"]],
    ["a=1&a=2", ["a=1", "a=2"]],
    ["a&&b=", ["a=", "b="]],
    ["a%20b=c+d%26e=f", ["a b=c d&e=f"]],
    ["=x", ["=x"]],
    ["a=%zz", ["a=%zz"]],
  ];
  for (const [text, args] of cases) {
    test(`${JSON.stringify(text)} is ${args.length} arguments`, () => assert.deepEqual(pairs(read(text).args), args));
  }

  test("says where an escape is none", () => {
    assert.equal(read("a=%zz").invalidEncoding, true);
    assert.equal(read("a=%20").invalidEncoding, false);
  });

  test("of too many arguments is an error, with the first of them kept", () => {
    const { args, error } = read("a&b&c&d&e&f");
    assert.equal(args.length, 5);
    assert.match(error ?? "", /more than 5/);
  });
});

describe("a JSON body", () => {
  const cases: ReadonlyArray<[text: string, args: string[], error: RegExp | null]> = [
    ['{"a":{"b":1,"c":"x"}}', ["json.a.b=1", "json.a.c=x"], null],
    ["[1,[true],null]", ["json.array_0=1", "json.array_1.array_0=true", "json.array_2="], null],
    ['"lone"', ["json=lone"], null],
    [" -1.5e3 ", ["json=-1.5e3"], null],
    ['{"a":1,"a":2}', ["json.a=1", "json.a=2"], null],
    [String.raw`{"\u0061":"\n\u00e9\ud83d\ude00\/"}`, ["json.a=\n\xc3\xa9\xf0\x9f\x98\x80/"], null],
    ["{}", [], null],
    ['{"a":1,', ["json.a=1"], /member's name/],
    ['{"a":1} x', ["json.a=1"], /the end/],
    ['{"a":01}', ["json.a=0"], /comma/],
    ['{"a":"\n"}', [], /a string/],
    [String.raw`{"a":"\x"}`, [], /a string/],
    ["[1,]", ["json.array_0=1"], /a value/],
    ["{'a':1}", [], /member's name/],
    ["", [], /a value/],
    ["[[[[1]]]]", ["json.array_0.array_0.array_0.array_0=1"], null],
    ["[[[[[1]]]]]", [], /deeper than 4/],
    [
      "[1,2,3,4,5,6]",
      ["json.array_0=1", "json.array_1=2", "json.array_2=3", "json.array_3=4", "json.array_4=5"],
      /more than 5/,
    ],
  ];
  for (const [text, args, error] of cases) {
    test(`${JSON.stringify(text)} gives ${args.length} arguments${error === null ? "" : " and an error"}`, () => {
      const read = readJson(text, bounds);
      assert.deepEqual(pairs(read.args), args);
      if (error === null) assert.equal(read.error, null);
      else assert.match(read.error ?? "", error);
    });
  }

  test("is read without an error exactly where the platform's own reader takes it", () => {
    const roomy = { depthMax: 100, argumentsMax: 10_000 };
    const broken = fc
      .tuple(fc.json(), fc.nat(), fc.constantFrom("", '"', "}", ",", "1", "\\"))
      .map(([text, at, put]) => {
        const place = at % (text.length + 1);
        return text.slice(0, place) + put + text.slice(place + 1);
      });
    fc.assert(
      fc.property(fc.oneof(fc.json(), broken), (text) => {
        const bytes = Buffer.from(text, "utf8").toString("latin1");
        assert.equal(readJson(bytes, roomy).error === null, isJson(text), text);
      }),
      { numRuns: 500 },
    );
  });

  function isJson(text: string): boolean {
    try {
      JSON.parse(text);
      return true;
    } catch {
      return false;
    }
  }
});

describe("an XML body", () => {
  const cases: ReadonlyArray<[text: string, seen: string, attributes: string[], error: RegExp | null]> = [
    ['<?xml version="1.0"?><a x="1" y=\'2\'>b<c/>d</a>\n', "bd", ["1", "2"], null],
    ["<a>&lt;&#65;&#x42;&amp;</a>", "<AB&", [], null],
    ["<a><![CDATA[<b>&lt;]]></a>", "<b>&lt;", [], null],
    ["<a><!-- <b> --><?p <c> ?>t</a>", "t", [], null],
    ['<!DOCTYPE a [<!ENTITY x "]>y"><!-- -->]><a>&x;</a>', "&x;", [], null],
    ["\xef\xbb\xbf<a>\xc3\xa9</a>", "\xc3\xa9", [], null],
    ["<a>t</b>", "t", [], /end tag/],
    ["<a>t", "t", [], /<\/a>/],
    ["<a/><b/>", "", [], /outermost/],
    ["text", "", [], /outside/],
    ["", "", [], /an element/],
    ["<a x=1/>", "", [], /attribute/],
    ["<a><b><c><d/></c></b></a>", "", [], null],
    ["<a><b><c><d><e/></d></c></b></a>", "", [], /deeper than 4/],
    ['<a b="1" c="2" d="3" e="4" f="5" g="6"/>', "", ["1", "2", "3", "4", "5"], /more than 5/],
    ["<!DOCTYPE a [", "", [], /document type/],
  ];
  for (const [text, seen, attributes, error] of cases) {
    test(`${JSON.stringify(text)} gives its text and attributes${error === null ? "" : ", and an error"}`, () => {
      const read = readXml(text, bounds);
      assert.deepEqual(read.xml, { text: seen, attributes });
      if (error === null) assert.equal(read.error, null);
      else assert.match(read.error ?? "", error);
    });
  }
});

describe("a multipart body", () => {
  const read = (body: string, type = "multipart/form-data; boundary=xx"): BodyReading =>
    readMultipart(body.replaceAll("\n", "\r\n"), type, { argumentsMax: 5 });
  const part = (head: string, data: string): string => `--xx\n${head}\n\n${data}\n`;
  const field = part('Content-Disposition: form-data; name="a"', "1");

  test("gives fields, files and raw header lines", () => {
    const file = part('content-disposition: form-data; name="f"; filename="x.png"\nContent-Type: image/png', "123");
    const reading = read(`${field}${file}--xx--\n`);
    assert.deepEqual(pairs(reading.args), ["a=1"]);
    assert.deepEqual(reading.files, [{ field: "f", filename: "x.png", bytes: 3 }]);
    assert.deepEqual(pairs(reading.partHeaders), [
      'a=Content-Disposition: form-data; name="a"',
      'f=content-disposition: form-data; name="f"; filename="x.png"',
      "f=Content-Type: image/png",
    ]);
    assert.deepEqual([reading.error, [...reading.flags]], [null, []]);
  });

  test("keeps line breaks within a value and drops the one before the boundary", () => {
    const reading = read(`${part('Content-Disposition: form-data; name="a"', "1\n\n2\n")}--xx--`);
    assert.deepEqual(pairs(reading.args), ["a=1\r\n\r\n2\r\n"]);
  });

  test("takes quotes and backslashes within names as browsers write them", () => {
    const reading = read(
      `${part(String.raw`Content-Disposition: form-data; name="a\"b"; filename="c\\d"`, "1")}--xx--`,
    );
    assert.deepEqual(reading.files, [{ field: 'a"b', filename: "c\\d", bytes: 1 }]);
  });

  const oddities: ReadonlyArray<[what: string, body: string, flag: string, type?: string]> = [
    ["data before the first boundary", `x\n${field}--xx--\n`, "MULTIPART_DATA_BEFORE"],
    ["data behind the last boundary", `${field}--xx--\nx`, "MULTIPART_DATA_AFTER"],
    [
      "a folded header",
      part('Content-Disposition: form-data;\n name="a"', "1") + "--xx--\n",
      "MULTIPART_HEADER_FOLDING",
    ],
    [
      "a lacking semicolon",
      part('Content-Disposition: form-data name="a"', "1") + "--xx--\n",
      "MULTIPART_MISSING_SEMICOLON",
    ],
    ["single quotes", part("Content-Disposition: form-data; name='a'", "1") + "--xx--\n", "MULTIPART_INVALID_QUOTING"],
    [
      "a second name",
      part('Content-Disposition: form-data; name="a"; name="b"', "1") + "--xx--\n",
      "MULTIPART_INVALID_PART",
    ],
    [
      "an extended filename",
      part("Content-Disposition: form-data; name=a; filename*=u''b", "1") + "--xx--\n",
      "MULTIPART_INVALID_PART",
    ],
    [
      "a line that begins as the boundary",
      `${part('Content-Disposition: form-data; name="a"', "--xxy")}--xx--\n`,
      "MULTIPART_UNMATCHED_BOUNDARY",
    ],
    ["a quoted boundary", `${field}--xx--\n`, "MULTIPART_BOUNDARY_QUOTED", 'multipart/form-data; boundary="xx"'],
    [
      "blanks around the boundary",
      `${field}--xx--\n`,
      "MULTIPART_BOUNDARY_WHITESPACE",
      "multipart/form-data; boundary = xx",
    ],
  ];
  for (const [what, body, flag, type] of oddities) {
    test(`with ${what} is flagged`, () => {
      const reading = read(body, type);
      assert.deepEqual([...reading.flags], [flag]);
      assert.equal(reading.args.length + reading.files.length, 1);
    });
  }

  test("with bare line feeds is flagged", () => {
    const body = '--xx\nContent-Disposition: form-data; name="a"\n\n1\n--xx--\n';
    const type = "multipart/form-data; boundary=xx";
    assert.deepEqual([...readMultipart(body, type, { argumentsMax: 5 }).flags], ["MULTIPART_LF_LINE"]);
    const mixed = readMultipart(body.replace("--xx\n", "--xx\r\n"), type, { argumentsMax: 5 });
    assert.deepEqual([...mixed.flags], ["MULTIPART_CRLF_LF_LINES"]);
  });

  const broken: ReadonlyArray<[what: string, body: string, error: RegExp, type?: string]> = [
    ["without a boundary in its type", field, /no boundary/, "multipart/form-data"],
    ["with two boundaries in its type", field, /no boundary/, "multipart/form-data; boundary=xx; boundary=yy"],
    ["without its last boundary", field, /last boundary/],
    ["without any part", "nothing", /no part/],
    ["with a nameless part", `${part("Content-Type: text/plain", "1")}--xx--`, /without a name/],
    ["with too many fields", `${field.repeat(6)}--xx--`, /more than 5/],
    ["with an endless part header", `--xx\n${"a: b\n".repeat(40)}\n--xx--`, /too large/],
  ];
  for (const [what, body, error, type] of broken) {
    test(`${what} is an error`, () => assert.match(read(body, type).error ?? "", error));
  }

  test("of any bytes is read to an end", () => {
    const pieces = fc.constantFrom(
      "--xx",
      "--",
      "\r\n",
      "\n",
      "Content-Disposition: form-data; name=",
      '"',
      "a",
      ";",
      " ",
      "\0",
    );
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 40 }), (list) => {
        const reading = readMultipart(list.join(""), "multipart/form-data; boundary=xx", { argumentsMax: 5 });
        assert.ok(reading.args.length <= 5);
      }),
    );
  });
});

describe("a content type", () => {
  const cases: ReadonlyArray<[type: string, processor: string | null]> = [
    ["application/x-www-form-urlencoded; charset=utf-8", "URLENCODED"],
    ["Multipart/Form-Data; boundary=x", "MULTIPART"],
    ["application/json", "JSON"],
    ["application/vnd.api+json", "JSON"],
    ["text/xml", "XML"],
    ["application/soap+xml; action=x", "XML"],
    ["text/plain", null],
    ["application/jsonp", null],
    ["", null],
  ];
  for (const [type, processor] of cases) {
    test(`${JSON.stringify(type)} chooses ${processor ?? "no reader"}`, () =>
      assert.equal(processorFor(type), processor));
  }
});

const pairs = (values: readonly NamedValue[]): string[] => values.map(({ name, value }) => `${name}=${value}`);
