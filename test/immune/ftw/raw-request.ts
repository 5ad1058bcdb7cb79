/**
 * Turns a go-ftw test's request into what the engine is told, without a socket.
 *
 * go-ftw writes a request as text and sends it. What a server would make of that text (and which texts it would refuse
 * before any rule sees them) is the HTTP reader's matter, not the rules'; here it is read as leniently as can be.
 */
import type { RequestFacts } from "../../../src/immune/seclang/facts.ts";

/** A stage's input, as the YAML has it. */
export interface FtwInput {
  readonly method?: string;
  readonly uri?: string;
  readonly version?: string;
  readonly headers?: Readonly<Record<string, string | number>>;
  readonly data?: string;
  readonly encoded_request?: string;
  readonly autocomplete_headers?: boolean;
  readonly stop_magic?: boolean;
}

export interface FtwRequest {
  readonly facts: RequestFacts;
  readonly body: string;
  /** Any server answers 400 to it, and no rule sees it. */
  readonly isRefused: boolean;
}

export function requestOf(input: FtwInput): FtwRequest {
  const { method, target, protocol, headers, body } =
    input.encoded_request === undefined ? fromFields(input) : fromText(decodeBase64(input.encoded_request));
  const isFramed = headers.some((text, i) => i % 2 === 0 && /^(?:content-length|transfer-encoding)$/i.test(text));
  return {
    // Without either header a request has no body, whatever follows.
    body: isFramed ? body : "",
    isRefused: headers.some((text) => /[\r\n\0]/.test(text)),
    facts: {
      uniqueId: "0123456789abcdef",
      // Not loopback: the Core Rule Set lets the server's own requests pass.
      clientAddress: "192.0.2.7",
      clientPort: 51_234,
      serverAddress: "192.0.2.1",
      serverPort: 80,
      method,
      target,
      protocol,
      headers,
    },
  };
}

/** The bytes that go-ftw would send. */
export function bytesOf(input: FtwInput): Buffer {
  if (input.encoded_request !== undefined) return Buffer.from(input.encoded_request, "base64");
  const { method, target, protocol, headers, body } = fromFields(input);
  const lines = [protocol === "HTTP/0.9" ? `${method} ${target}` : `${method} ${target} ${protocol}`];
  for (let i = 0; i + 1 < headers.length; i += 2) lines.push(`${headers[i]}: ${headers[i + 1]}`);
  return Buffer.from(`${lines.join("\r\n")}\r\n\r\n${body}`, "latin1");
}

interface Parts {
  method: string;
  target: string;
  protocol: string;
  headers: string[];
  body: string;
}

function fromFields(input: FtwInput): Parts {
  const headers: string[] = [];
  for (const [name, value] of Object.entries(input.headers ?? {})) headers.push(bytes(name), bytes(String(value)));
  const has = (name: string): boolean => headers.some((text, i) => i % 2 === 0 && text.toLowerCase() === name);
  const body = bytes(input.data ?? "");
  // As go-ftw completes a request, unless told not to.
  if (input.autocomplete_headers !== false && input.stop_magic !== true) {
    if (!has("connection")) headers.push("Connection", "close");
    if (body !== "") {
      if (!has("content-type")) headers.push("Content-Type", "application/x-www-form-urlencoded");
      if (!has("content-length") && !has("transfer-encoding")) headers.push("Content-Length", String(body.length));
    }
  }
  const [method, target, version] = [input.method ?? "GET", input.uri ?? "/", input.version ?? "HTTP/1.1"];
  // A request line without a version is that of HTTP/0.9.
  const protocol = version === "" ? "HTTP/0.9" : bytes(version);
  return { method: bytes(method), target: bytes(target), protocol, headers, body };
}

function fromText(text: string): Parts {
  const end = /\r?\n\r?\n/.exec(text);
  const head = end === null ? text : text.slice(0, end.index);
  const [line = "", ...fields] = head.split(/\r?\n/);
  const [method = "", target = "", protocol = "HTTP/0.9"] = line.split(" ");
  const headers: string[] = [];
  for (const field of fields) {
    const colon = field.indexOf(":");
    if (colon > 0) headers.push(field.slice(0, colon), field.slice(colon + 1).trim());
  }
  return { method, target, protocol, headers, body: end === null ? "" : text.slice(end.index + end[0].length) };
}

const bytes = (text: string): string => Buffer.from(text, "utf8").toString("latin1");
const decodeBase64 = (text: string): string => Buffer.from(text, "base64").toString("latin1");
