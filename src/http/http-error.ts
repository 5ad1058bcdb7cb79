/**
 * Every way in which a request can fail in cellws itself: its status, who is to blame, and a sentence.
 *
 * The code is for searching and for counting, and never changes. The sentence is shown to the client, so it
 * names what came and what would be right, and nothing of the inside. `blame` decides who hears of it: the
 * client's faults are evidence for the immune side, the app's go to its owner's log, ours are bugs or limits.
 */

export type Blame = "client" | "app" | "cellws";

export interface HttpErrorKind {
  status: number;
  blame: Blame;
  message: string;
}

export const httpErrors = {
  // The request line.
  CELLWS_HTTP_REQUEST_LINE: client(400, "The request line is not: method, one space, target, one space, version."),
  CELLWS_HTTP_METHOD_UNKNOWN: { status: 501, blame: "cellws", message: "The method is not one that is implemented." },
  CELLWS_HTTP_TARGET: client(400, "The request target has none of the forms of RFC 9112, section 3.2."),
  CELLWS_HTTP_TARGET_TOO_LONG: client(414, "The request target is too long."),
  CELLWS_HTTP_VERSION: { status: 505, blame: "client", message: "The version is neither HTTP/1.1 nor HTTP/1.0." },
  // Bytes and fields.
  CELLWS_HTTP_BARE_LF: client(400, "A line ends with LF alone instead of CR LF."),
  CELLWS_HTTP_BARE_CR: client(400, "A CR is not followed by LF."),
  CELLWS_HTTP_CONTROL_BYTE: client(400, "The head has a control character in it."),
  CELLWS_HTTP_FIELD_NAME: client(400, "A header line does not begin with a field name and a colon."),
  CELLWS_HTTP_FIELD_VALUE: client(400, "A header value has a byte in it that is not allowed."),
  CELLWS_HTTP_OBS_FOLD: client(400, "A header value goes on in the next line, which is obsolete."),
  CELLWS_HTTP_HEAD_TOO_LARGE: client(431, "The request's head is too large."),
  CELLWS_HTTP_FIELDS_TOO_MANY: client(431, "The request has too many header fields."),
  CELLWS_HTTP_HOST_MISSING: client(400, "An HTTP/1.1 request must have a Host field."),
  CELLWS_HTTP_HOST_DUPLICATE: client(400, "The request has more than one Host field."),
  CELLWS_HTTP_HOST_MALFORMED: client(400, "The Host field is not a host with an optional port."),
  CELLWS_HTTP_HOST_CONFLICT: client(400, "The Host field and the target name different hosts."),
  CELLWS_HTTP_EXPECTATION: client(417, "The only expectation that can be met is 100-continue."),
  // Where the body ends.
  CELLWS_HTTP_LENGTH_MALFORMED: client(400, "The Content-Length is not a decimal number."),
  CELLWS_HTTP_LENGTH_DUPLICATE: client(400, "The request has more than one Content-Length."),
  CELLWS_HTTP_FRAMING_CONFLICT: client(400, "The request has both a Content-Length and a Transfer-Encoding."),
  CELLWS_HTTP_CODING_MALFORMED: client(400, "The Transfer-Encoding must be chunked, once and last."),
  CELLWS_HTTP_CODING_UNKNOWN: {
    status: 501,
    blame: "cellws",
    message: "The only transfer coding that is implemented is chunked.",
  },
  CELLWS_HTTP_CHUNK_MALFORMED: client(400, "A chunk is not: hexadecimal size, CR LF, so many bytes, CR LF."),
  CELLWS_HTTP_CHUNK_EXTENSION: client(400, "A chunk extension is malformed, or they are too long together."),
  CELLWS_HTTP_TRAILER: client(400, "A trailer field is malformed, or is one that may not be a trailer."),
  CELLWS_HTTP_TRAILERS_TOO_LARGE: client(431, "The trailer fields are too large together."),
  CELLWS_HTTP_BODY_TOO_LARGE: client(413, "The request body is larger than is accepted here."),
  CELLWS_HTTP_INCOMPLETE: client(400, "The connection ended within a request."),
  // Time.
  CELLWS_HTTP_HEAD_TIMEOUT: client(408, "The request's head did not arrive in time."),
  CELLWS_HTTP_BODY_TIMEOUT: client(408, "The request's body did not go on arriving in time."),
  CELLWS_HTTP_BODY_TOO_SLOW: client(408, "The request's body arrived more slowly than is accepted here."),
  CELLWS_HTTP_REQUEST_TIMEOUT: client(408, "The request did not arrive as a whole in time."),
  CELLWS_HTTP_RESPONSE_TIMEOUT: { status: 504, blame: "app", message: "The app did not answer in time." },
  // HTTP/2.
  CELLWS_HTTP_HTTP2_ABUSE: client(429, "The connection does too much of what costs only the server."),
  // Static files, where the DNA leaves them to cellws alone.
  CELLWS_HTTP_FILE_NOT_FOUND: client(404, "There is no such file."),
  // Refused on purpose.
  CELLWS_HTTP_REFUSED: client(403, "The request was refused by a rule."),
  CELLWS_HTTP_BANNED: { status: 403, blame: "cellws", message: "Requests from this address are refused for now." },
  CELLWS_HTTP_RATE_LIMITED: {
    status: 429,
    blame: "cellws",
    message: "There are too many requests from this address; try again more slowly.",
  },
  // Between the B cell and the app.
  CELLWS_HTTP_NO_DRONE: { status: 503, blame: "cellws", message: "No process was ready to answer in time." },
  CELLWS_HTTP_OVERLOADED: { status: 503, blame: "cellws", message: "Too many requests are waiting already." },
  CELLWS_HTTP_APP_FAILED: { status: 503, blame: "app", message: "The app fails to start; its owner's log says why." },
  CELLWS_HTTP_DRAINING: { status: 503, blame: "cellws", message: "The server is going down." },
  CELLWS_HTTP_DRONE_LOST: {
    status: 502,
    blame: "app",
    message: "The process that worked on the request ended before it answered, and running it again may not be safe.",
  },
  CELLWS_HTTP_APP_RESET: { status: 502, blame: "app", message: "The app gave up before it answered." },
  CELLWS_HTTP_APP_RESPONSE: { status: 502, blame: "app", message: "The app's answer is not valid HTTP." },
} as const satisfies Record<`CELLWS_HTTP_${string}`, HttpErrorKind>;

export type HttpErrorCode = keyof typeof httpErrors;

function client(status: number, message: string): HttpErrorKind & { blame: "client" } {
  return { status, blame: "client", message };
}
