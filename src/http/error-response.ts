/** The answer that cellws itself gives when a request fails: status, stable code, request id, and nothing of the inside. */
import { isNamed } from "./field-names.ts";
import { httpErrors, type HttpErrorCode } from "./http-error.ts";
import type { HeaderList, ResponseHead } from "./message.ts";

export interface ErrorAnswer {
  head: ResponseHead;
  body: Buffer;
}

export interface ErrorContext {
  /** Null when the request's head could not be read. */
  requestHeaders: HeaderList | null;
  requestId: string;
  retryAfterSeconds: number | null;
  /** Instead of the code's own. */
  status?: number | undefined;
}

/** JSON for clients that ask for it, plain text for everybody else. */
export function errorAnswer(code: HttpErrorCode, context: ErrorContext): ErrorAnswer {
  const { message } = httpErrors[code];
  const { requestId, status = httpErrors[code].status } = context;
  const isJson = context.requestHeaders !== null && prefersJson(context.requestHeaders);
  const text = code === "CELLWS_HTTP_REFUSED" ? refusalText(status, requestId, isJson) : errorText();
  const body = Buffer.from(text, "utf8");
  const headers: string[] = [];
  headers.push("Content-Type", isJson ? "application/json; charset=utf-8" : "text/plain; charset=utf-8");
  headers.push("Content-Length", String(body.length));
  // An error is a fact of this moment; a cache must not keep it.
  headers.push("Cache-Control", "no-store");
  headers.push("X-Content-Type-Options", "nosniff");
  headers.push("X-Request-Id", requestId);
  if (context.retryAfterSeconds !== null) headers.push("Retry-After", String(context.retryAfterSeconds));
  return { head: { status, reason: reasons[status] ?? "", headers }, body };

  function errorText(): string {
    return isJson
      ? `${JSON.stringify({ error: { status, code, message, requestId } })}\n`
      : `${status} ${reasons[status] ?? ""}\n${message}\n\ncode: ${code}\nrequest: ${requestId}\n`;
  }
}

/** Who was refused on purpose learns by what to ask for it, and nothing that would help to do better next time. */
function refusalText(status: number, requestId: string, isJson: boolean): string {
  if (isJson) return `${JSON.stringify({ error: { status, requestId } })}\n`;
  return `${`${status} ${reasons[status] ?? ""}`.trimEnd()}\nrequest: ${requestId}\n`;
}

function prefersJson(headers: HeaderList): boolean {
  for (let i = 0; i < headers.length; i += 2) {
    if (isNamed(headers[i] as string, "accept")) return /[/+]json\b/i.test(headers[i + 1] as string);
  }
  return false;
}

/** Of the statuses in the catalogue, and of those with which refusals are commonly disguised. */
const reasons: Readonly<Record<number, string>> = {
  400: "Bad Request",
  401: "Unauthorized",
  403: "Forbidden",
  404: "Not Found",
  405: "Method Not Allowed",
  406: "Not Acceptable",
  408: "Request Timeout",
  410: "Gone",
  413: "Content Too Large",
  414: "URI Too Long",
  417: "Expectation Failed",
  418: "I'm a Teapot",
  429: "Too Many Requests",
  431: "Request Header Fields Too Large",
  500: "Internal Server Error",
  501: "Not Implemented",
  502: "Bad Gateway",
  503: "Service Unavailable",
  504: "Gateway Timeout",
  505: "HTTP Version Not Supported",
};
