/** Requests that hold one value in one place, for cases: `"x"` is an argument, `{ "path": "/x" }` the path. */
import { evaluateBuiltin, type BuiltinHit } from "../../../src/immune/builtin/evaluate.ts";
import { parseBody, parseHead } from "../../../src/immune/builtin/parsed-request.ts";
import type { BuiltinScreen } from "../../../src/immune/builtin/screen.ts";
import type { RequestFacts } from "../../../src/immune/seclang/facts.ts";
import { urlEncode } from "../../../src/immune/seclang/transformations/url-encode.ts";

/** Values are text; `bytes` stands for those that are no UTF-8. */
export type Case =
  | string
  | { readonly bytes: string }
  | { readonly path: string }
  | { readonly query: string }
  | { readonly header: readonly [name: string, value: string] }
  | { readonly method: string }
  | { readonly cookie: string }
  | { readonly form: string }
  | { readonly json: unknown }
  | { readonly xml: string }
  | { readonly file: string }
  | { readonly part: string };

export const utf8 = (text: string): string => Buffer.from(text, "utf8").toString("latin1");

const BOUNDARY = "x5f2";

export function requestOf(value: Case): { facts: RequestFacts; body: string } {
  if (typeof value === "string") return get(`/search?q=${urlEncode(utf8(value))}`);
  if ("bytes" in value) return get(`/search?q=${urlEncode(value.bytes)}`);
  if ("path" in value) return get(value.path);
  if ("query" in value) return get(`/search?${value.query}`);
  if ("header" in value) return get("/", [value.header[0], utf8(value.header[1])]);
  if ("cookie" in value) return get("/", ["Cookie", utf8(value.cookie)]);
  if ("method" in value) return { facts: { ...get("/").facts, method: value.method }, body: "" };
  if ("form" in value) return post("application/x-www-form-urlencoded", value.form);
  if ("json" in value) return post("application/json", utf8(JSON.stringify(value.json)));
  if ("xml" in value) return post("application/xml", utf8(value.xml));
  const head =
    "file" in value
      ? `Content-Disposition: form-data; name="upload"; filename="${utf8(value.file).replaceAll('"', "%22")}"\r\nContent-Type: application/octet-stream`
      : `Content-Disposition: form-data; name="field"\r\n${value.part}`;
  return post(
    `multipart/form-data; boundary=${BOUNDARY}`,
    `--${BOUNDARY}\r\n${head}\r\n\r\ntext\r\n--${BOUNDARY}--\r\n`,
  );
}

function get(target: string, headers: readonly string[] = []): { facts: RequestFacts; body: string } {
  return {
    body: "",
    facts: {
      uniqueId: "1",
      clientAddress: "192.0.2.7",
      clientPort: 51_234,
      serverAddress: "192.0.2.1",
      serverPort: 80,
      method: "GET",
      target,
      protocol: "HTTP/1.1",
      headers: [
        "Host",
        "shop.example.org",
        "User-Agent",
        "Mozilla/5.0 (X11; Linux x86_64)",
        "Accept",
        "*/*",
        ...headers,
      ],
    },
  };
}

function post(type: string, body: string): { facts: RequestFacts; body: string } {
  const { facts } = get("/form", ["Content-Type", type, "Content-Length", String(body.length)]);
  return { facts: { ...facts, method: "POST" }, body };
}

export function hitsOf(screen: BuiltinScreen, facts: RequestFacts, body: string): BuiltinHit[] {
  const head = parseHead(facts);
  const { hits } = evaluateBuiltin(screen, head, "head");
  return body === "" ? hits : [...hits, ...evaluateBuiltin(screen, parseBody(head, body), "body").hits];
}
