// What @detectXSS takes for script and, more important, what it does not.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import * as fc from "fast-check";
import { findCrossSiteScripting } from "../../src/immune/seclang/detect/cross-site-scripting.ts";

const attacks: Readonly<Record<string, readonly string[]>> = {
  tag: [
    "<script>alert(1)</script>",
    "www.example.org<script><img>",
    "<ScRiPt\n>x",
    "<script/x>",
    "<svg/onload=alert()>",
    "<iframe src=x>",
    "<object data=x>",
    "<meta http-equiv=refresh>",
    "<base href=//x>",
    "<style>*{}</style>",
    "</title><script>",
    "<svg><animate/>",
    "<script",
  ],
  handler: [
    "<img src=x onerror=alert(1)>",
    "<IMG SRC=x OnError = 'alert(1)'",
    "<x onfuture=1>",
    "<a\x0conclick=alert(1)>",
    "<img/src='x'onerror=alert(1)>",
    '" onmouseover="alert(1)',
    "\"onmouseover='prompt(1)'\"",
    "' onfocus='alert(1)' autofocus '",
    "x onfocus=alert(1)",
    "` onclick=alert(1) `",
    '"><b onclick=alert(1)>',
  ],
  url: [
    "<a href=javascript:alert(1)>",
    "<a href=' javascript:alert(1)'>",
    '<a href="java\nscript:alert(1)">',
    "<a href=javascript&colon;alert(1)>",
    "<a href=&#106;avascript:alert(1)>",
    "<form action=javascript:x>",
    "<button formaction=vbscript:x>",
    "<a xlink:href='data:text/html,x'>",
    '" href="javascript:x',
  ],
  style: ["<b style='width: expression(alert(1))'>", "<b style=behavior:url(x)>"],
  page: ["<x srcdoc='<b>'>"],
  declaration: ["<!DOCTYPE x>", "<!ENTITY x>", "<!--[if IE]>", "<?import x>"],
};

const harmless: Readonly<Record<string, readonly string[]>> = {
  markup: [
    "<b>bold</b> and <i>italic</i>",
    '<a href="https://example.org/a?b=c">link</a>',
    "<img src='data:image/png;base64,iVBORw0KGgo='>",
    '<p style="color: red">red</p>',
    "<br/><hr>",
    "<!-- comment -->",
    "<user@example.org>",
    "</p>",
    "<table data='5'>",
  ],
  texts: [
    "a < b and c > d",
    "x<y; y=z",
    "if (a<b && c=='d') {}",
    "I <3 you = me",
    "online=true",
    "  onload= ",
    "<x onend= ",
    "status online=yes once=2 only=3",
    'he said "hello" and x = 5',
    "name='John' on='now'",
    "https://example.org/?a=b&onclick=1",
    "based on a=b",
    "javascript: the good parts",
    "href=javascript",
    "the style = modern",
    "scripts and <= objects",
    "1<2>1=true",
    "a=b",
    "caf\xc3\xa9 = \xe2\x98\x95",
    "on = off",
    "data: a=b",
    "",
  ],
};

describe("@detectXSS finds", () => {
  for (const [finding, values] of Object.entries(attacks)) {
    for (const value of values) {
      test(`${finding}: ${JSON.stringify(value)}`, () => assert.equal(findCrossSiteScripting(value)?.finding, finding));
    }
  }
});

describe("@detectXSS leaves alone", () => {
  for (const [kind, values] of Object.entries(harmless)) {
    for (const value of values) {
      test(`${kind}: ${JSON.stringify(value)}`, () => assert.equal(findCrossSiteScripting(value), null));
    }
  }
});

describe("the reader of markup", () => {
  test("reads any pieces to an end", () => {
    const piece = fc.constantFrom(
      "<",
      ">",
      "/",
      "=",
      '"',
      "'",
      "`",
      " ",
      "a",
      "on",
      "script",
      "!",
      "?",
      "&",
      "&#",
      "\0",
      "\n",
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 200 }), (pieces) => {
        findCrossSiteScripting(pieces.join(""));
      }),
    );
  });

  test("finds an attack behind any text without markup", () => {
    const attack = fc.constantFrom(
      ...Object.values(attacks)
        .flat()
        .filter((value) => value.startsWith("<")),
    );
    fc.assert(
      fc.property(fc.stringMatching(/^[a-z0-9 .,;:()&-]{0,40}$/), attack, (text, value) => {
        assert.ok(findCrossSiteScripting(text + value), text + value);
      }),
    );
  });
});
