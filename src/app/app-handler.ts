/**
 * What an app that does not listen offers instead: something among its exports that can answer requests.
 *
 * Looked at are `module.exports` (or the ES module's default export), its `default`, and the default of that,
 * since compilers nest them. A `fetch` method is a promise to answer; so is a server object, or a framework's.
 * A function is taken for `(req, res)`.
 */
import * as http from "node:http";
import * as https from "node:https";
import * as net from "node:net";
import type { FetchFunction } from "./fetch-handler.ts";

export type AppHandler =
  | { kind: "fetch"; fetch: FetchFunction; description: string }
  /** `open` makes the server that answers. */
  | { kind: "server"; open: () => net.Server | Promise<net.Server>; description: string };

export function findHandler(exported: unknown): AppHandler | null {
  for (const candidate of candidates(exported)) {
    for (const recognize of recognizers) {
      const handler = recognize(candidate);
      if (handler !== null) return handler;
    }
  }
  return null;
}

/** For a person who wonders why none was found. */
export function describeExports(exported: unknown): string {
  const [first] = candidates(exported);
  if (isNamespace(exported) && first === undefined) {
    const names = Object.keys(exported).slice(0, 10);
    return names.length === 0 ? "it exports nothing" : `it has no default export, only ${names.join(", ")}`;
  }
  if (typeof first === "function") return `it exports the class ${first.name || "(anonymous)"}`;
  if (typeof first !== "object" || first === null) return `it exports ${String(first)}`;
  const names = Object.keys(first).slice(0, 10);
  return names.length === 0 ? "it exports nothing" : `it exports an object with ${names.join(", ")}`;
}

/** True when the app exports something on purpose, handler or not. */
export function exportsAnything(exported: unknown): boolean {
  const [first] = candidates(exported);
  return first !== undefined && !(typeof first === "object" && first !== null && Object.keys(first).length === 0);
}

function candidates(exported: unknown): unknown[] {
  const outer = isNamespace(exported) ? exported["default"] : exported;
  const found = [outer];
  for (let depth = 0; depth < 2; depth += 1) {
    const inner = found.at(-1);
    if (inner === null || (typeof inner !== "object" && typeof inner !== "function") || !("default" in inner)) break;
    found.push(inner.default);
  }
  return found;
}

function isNamespace(value: unknown): value is Record<string, unknown> {
  return Object.prototype.toString.call(value) === "[object Module]";
}

type Loose = Record<string, unknown>;
type Recognizer = (candidate: unknown) => AppHandler | null;

const recognizers: readonly Recognizer[] = [
  function fetchMethod(candidate) {
    if (!isLoose(candidate) || typeof candidate["fetch"] !== "function") return null;
    const fetch = candidate["fetch"] as FetchFunction;
    return { kind: "fetch", fetch: fetch.bind(candidate), description: "a default export with fetch" };
  },
  function nodeServer(candidate) {
    if (!(candidate instanceof http.Server || candidate instanceof https.Server)) return null;
    return { kind: "server", open: () => candidate, description: "an exported server" };
  },
  function fastify(candidate) {
    if (!isLoose(candidate) || typeof candidate["ready"] !== "function") return null;
    const { ready, server } = candidate;
    if (!(server instanceof net.Server)) return null;
    const open = async (): Promise<net.Server> => {
      await (ready as () => Promise<unknown>).call(candidate);
      return server;
    };
    return { kind: "server", open, description: "an exported Fastify app" };
  },
  function koa(candidate) {
    if (!isLoose(candidate) || typeof candidate["callback"] !== "function") return null;
    if (typeof candidate["use"] !== "function") return null;
    const open = (): net.Server =>
      http.createServer((candidate["callback"] as () => http.RequestListener).call(candidate));
    return { kind: "server", open, description: "an exported Koa app" };
  },
  function requestListener(candidate) {
    if (typeof candidate !== "function" || isClass(candidate)) return null;
    const listener = candidate as http.RequestListener;
    const isExpress = typeof Reflect.get(candidate, "handle") === "function" && "mountpath" in candidate;
    const description = isExpress ? "an exported Express app" : "an exported (req, res) function";
    return { kind: "server", open: () => http.createServer(listener), description };
  },
];

function isLoose(value: unknown): value is Loose {
  return (typeof value === "object" && value !== null) || typeof value === "function";
}

/** A class cannot be called; a framework's controller, say. */
function isClass(candidate: Function): boolean {
  return /^class\b/.test(Function.prototype.toString.call(candidate));
}
