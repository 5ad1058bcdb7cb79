/**
 * What an unknown key was probably meant to be: misspelt, in the wrong place, or another program's word.
 *
 * In that order of certainty, best first: a key of exactly this name elsewhere; another program's word for
 * it; a key here that is spelt almost so. It suggests and never corrects.
 */
import { nearest } from "../lib/nearest.ts";
import { fieldAt, fieldsOf, groupOf, type FieldNode } from "./fields.ts";
import type { KeyPath } from "./key-path.ts";

/** Paths of keys that may have been meant, most likely first; empty when nothing is near. */
export function suggestKeys(tree: FieldNode, parent: KeyPath, unknownKey: string): string[] {
  const known = fieldsOf(tree).map((field) => field.pattern);
  const sameName = known.filter((pattern) => lastKey(pattern).toLowerCase() === unknownKey.toLowerCase());
  if (sameName.length > 0) return sameName.slice(0, SUGGESTIONS_MAX);

  const foreign = foreignWords[unknownKey.toLowerCase().replaceAll(/[-_]/g, "")];
  if (foreign !== undefined && parent.length === 0) return [foreign];

  const siblings = Object.keys(groupOf(fieldAt(tree, parent) ?? {}).properties ?? {});
  const sibling = nearest(unknownKey, siblings);
  if (sibling !== null) return [sibling];

  const elsewhere = nearest(unknownKey, known.map(lastKey));
  return elsewhere === null ? [] : known.filter((pattern) => lastKey(pattern) === elsewhere).slice(0, SUGGESTIONS_MAX);
}

/** More would be a list of contents and no hint. */
const SUGGESTIONS_MAX = 3;

function lastKey(pattern: string): string {
  return pattern.slice(pattern.lastIndexOf(".") + 1);
}

/** Words of PM2's ecosystem file, node:cluster, Docker Compose and nginx; lower case, without - and _. */
const foreignWords: Readonly<Record<string, string>> = {
  script: "app",
  main: "app",
  entry: "app",
  entrypoint: "app",
  instances: "cells.drone.min",
  workers: "cells.drone.min",
  replicas: "cells.drone.min",
  hostname: "listen[].host",
  address: "listen[].host",
  ports: "listen",
  ssl: "listen[].tls",
  https: "listen[].tls",
  workingdir: "cwd",
  environment: "env",
  envproduction: "env",
  dotenv: "envFile",
  killtimeout: "drain.msMax",
  shutdowntimeout: "drain.msMax",
  stopgraceperiod: "drain.msMax",
  listentimeout: "startup.listenTimeoutMs",
  maxrestarts: "restarts.countMax",
  restartdelay: "restarts.backoffMsMin",
  bodylimit: "http.bodyBytesMax",
  clientmaxbodysize: "http.bodyBytesMax",
  keepalivetimeout: "http.timeouts.keepAliveIdleMs",
  trustproxy: "http.trustedProxies",
  stickysessions: "http.sticky",
  loglevel: "logs.level",
};
