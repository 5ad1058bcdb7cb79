/**
 * Why an app cannot be hosted: a value, because a broken app is an ordinary day for an application server.
 *
 * The drone reports it (`cellws status`, the log, 503 to clients) and dies; what the hint says is what a
 * person should do next. The stack is the app's own, as it was thrown.
 */
import { inspect } from "node:util";

export type AppFailureCode =
  /** No such file, or a folder in which no entry can be found. */
  | "CELLWS_E_APP_NOT_FOUND"
  /** It threw while loading, or before it listened. */
  | "CELLWS_E_APP_LOAD"
  /** It loaded, exports no handler, and did not listen in time. */
  | "CELLWS_E_APP_NEVER_LISTENED"
  /** It loaded, and what it exports is nothing that can answer requests. */
  | "CELLWS_E_APP_NO_HANDLER"
  /** It called process.exit before it listened. */
  | "CELLWS_E_APP_EXITED"
  /** It forks workers with node:cluster, which is the organism's work. */
  | "CELLWS_E_APP_CLUSTER"
  /** Its server speaks HTTP/2 streams only. */
  | "CELLWS_E_APP_HTTP2";

export interface AppFailure {
  code: AppFailureCode;
  message: string;
  /** As it was thrown; absent when nothing was thrown. */
  stack?: string;
  /** What to do about it. */
  hint?: string;
}

/** A failure for whatever the app threw, with advice for the usual causes. */
export function failureOfThrown(thrown: unknown, file: string): AppFailure {
  if (thrown instanceof AppFault) return thrown.failure;
  const { message, stack, code, name } = describeThrown(thrown);
  const failure: AppFailure = {
    code: "CELLWS_E_APP_LOAD",
    message: `the app threw while loading: ${message}`,
    stack,
  };
  const hint = hints[code] ?? (name === "SyntaxError" ? syntaxHint(stack, file) : undefined);
  if (hint !== undefined) failure.hint = hint;
  return failure;
}

/** Thrown into the app where it asks for what a drone cannot give, so that the stack shows where it asked. */
export class AppFault extends Error {
  override name = "AppFault";
  readonly code: AppFailureCode;
  readonly hint: string;

  constructor(code: AppFailureCode, message: string, hint: string) {
    super(message);
    this.code = code;
    this.hint = hint;
  }

  get failure(): AppFailure {
    return { code: this.code, message: this.message, stack: this.stack ?? this.message, hint: this.hint };
  }
}

export function describeThrown(thrown: unknown): { message: string; stack: string; code: string; name: string } {
  if (!(thrown instanceof Error)) {
    const message = `a ${typeof thrown} was thrown: ${inspect(thrown)}`;
    return { message, stack: message, code: "", name: "" };
  }
  const code = Reflect.get(thrown, "code");
  return {
    message: thrown.message,
    stack: withCauses(thrown),
    code: typeof code === "string" ? code : "",
    name: thrown.name,
  };
}

/** An error may name itself as its cause, or a long chain. */
const CAUSES_SHOWN_MAX = 5;

function withCauses(error: Error): string {
  let text = error.stack ?? String(error);
  let cause = error.cause;
  for (let depth = 0; cause !== undefined && depth < CAUSES_SHOWN_MAX; depth += 1) {
    text += `\ncaused by: ${cause instanceof Error ? (cause.stack ?? String(cause)) : inspect(cause)}`;
    cause = cause instanceof Error ? cause.cause : undefined;
  }
  return text;
}

const missingModule = "Is everything installed? Run `npm install` in the app's folder.";
const hints: Readonly<Record<string, string>> = {
  MODULE_NOT_FOUND: missingModule,
  ERR_MODULE_NOT_FOUND: missingModule,
  ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX:
    "Node runs TypeScript by leaving the types out, so enums, namespaces, parameter properties and decorators do not run. Compile the app and start the JavaScript.",
  ERR_UNSUPPORTED_NODE_MODULES_TYPE_STRIPPING:
    "Node runs no TypeScript below node_modules. That package must ship JavaScript.",
  ERR_UNKNOWN_FILE_EXTENSION: "Node runs .js .mjs .cjs .ts .mts and .cts files. Compile anything else first.",
  ERR_REQUIRE_ASYNC_MODULE: "A module with top-level await cannot be required. Use import().",
  ERR_ACCESS_DENIED: "The membrane forbids it. Widen `membrane` in the DNA if the app needs it.",
  EADDRINUSE: "The app opens that port itself, and every drone would. Let the organism listen there, or remove it.",
};

function syntaxHint(stack: string, file: string): string | undefined {
  // Errors of CommonJS files begin with "file:line"; those of ES modules do not say where they are.
  if (/^(file:|\/).*:\d+\n/.test(stack)) return undefined;
  return `Run \`node ${file}\` to see where: Node keeps the place of a syntax error in an ES module to itself.`;
}
