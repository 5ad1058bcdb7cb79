import { headerOf } from "../../seclang/facts.ts";
import type { Filter, Finding } from "../filter.ts";
import type { ParsedRequest } from "../parsed-request.ts";

/** A viewer of documents asks for a few pieces at once. More make a server do much work for little. */
const RANGES_MAX = 32;

function find({ request: { method, headers, target } }: ParsedRequest): Finding | null {
  for (let i = 0; i + 1 < headers.length; i += 2) {
    const name = headers[i]!.toLowerCase();
    const value = headers[i + 1]!;
    const reason = ODD[name]?.(value);
    if (reason === true) return { where: `REQUEST_HEADERS:${headers[i]!}`, matched: value };
  }
  if (!/^[A-Z][A-Z-]{0,19}$/.test(method)) return { where: "REQUEST_METHOD", matched: method };
  if (method === "TRACE" || method === "TRACK" || method === "DEBUG")
    return { where: "REQUEST_METHOD", matched: method };
  if ((method === "GET" || method === "HEAD") && headerOf(headers, "transfer-encoding") !== null) {
    return { where: "REQUEST_HEADERS:Transfer-Encoding", matched: headerOf(headers, "transfer-encoding")! };
  }
  return /^(?:[a-z][a-z\d+.-]*:)?\/|^\*$|^[\w.-]+:\d+$|^\?/i.test(target)
    ? null
    : { where: "REQUEST_URI_RAW", matched: target };
}

const type = /^[\w.+!#$&^-]+\/[\w.+!#$&^*-]+(?:\s*;\s*[\w*-]+=(?:"[^"]*"|[^\s;,"]+))*\s*;?\s*$/;
const inner = /;[^;]*(?:application|audio|image|message|model|multipart|text|video|font)\/|=\s*"?\w+\/[\w.+-]+/i;
const charsets =
  /charset\s*=\s*"?\s*(?!(?:utf-?8|utf-?16(?:le|be)?|us-ascii|ascii|iso-?8859-\d{1,2}|latin-?1|windows-\d{3,4}|cp\d{3,4}|shift[_-]?jis|sjis|euc-(?:jp|kr|tw|cn)|gb2312|gbk|gb18030|big5(?:-hkscs)?|koi8-[ru]|iso-2022-(?:jp|kr)|tis-620|macintosh|x-[\w-]+|undefined|none)\b)/i;

/** Headers that no honest client sends in this way. */
const ODD: Readonly<Record<string, (value: string) => boolean>> = {
  "content-type": (value) =>
    value !== "" && (!type.test(value) || inner.test(value) || charsets.test(value) || /charset.*charset/i.test(value)),
  "content-length": (value) => !/^\d*$/.test(value),
  range: (value) =>
    value.split(",").length > RANGES_MAX || /^\s*bytes\s*=\s*(?:$|,)/.test(value) || hasBackwards(value),
  "request-range": () => true,
  proxy: () => true,
  "transfer-encoding": (value) => !/^\s*(?:chunked|identity|gzip|deflate|compress|trailers|,|\s)*$/i.test(value),
  "x-original-url": (value) => value.startsWith("/"),
  "x-rewrite-url": (value) => value.startsWith("/"),
  translate: () => true,
  expect: (value) => !/^\s*(?:100-continue)?\s*$/i.test(value),
  connection: (value) => /(?:keep-alive|close)\s*,\s*(?:keep-alive|close)/i.test(value),
  cookie: (value) => /(?:^|[;,]\s*)\$(?:version|path|domain|port)\s*=/i.test(value),
};

/** `bytes=5-0`. */
function hasBackwards(value: string): boolean {
  return value.split(",").some((range) => {
    const ends = /(\d{1,18})\s*-\s*(\d{1,18})/.exec(range);
    return ends !== null && Number(ends[1]) > Number(ends[2]);
  });
}

export const oddRequest: Filter = {
  id: 100_104,
  name: "odd-request",
  message: "The request is made to be read in two ways",
  attackClass: "protocol",
  score: 5,
  catches:
    "Content types within content types and in unknown character sets, ranges that are many or run backwards, headers by which others are fooled (Proxy, X-Original-URL), methods that trace, cookies that set rules for cookies.",
  letsPass: "Missing headers, hosts that are numbers, unusual methods and types of content: clients of APIs are plain.",
  example: "Proxy: http://198.51.100.7:3128/",
  places: [],
  checks: [],
  judge: { phase: "head", find },
};
