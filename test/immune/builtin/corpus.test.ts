// No false alarm: none of many legitimate requests is caught by any filter.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { buildBuiltin } from "../../../src/immune/builtin/screen.ts";
import { prngFrom, prngNext } from "../../../src/lib/prng.ts";
import { kindsOfRequests, legitRequests } from "../../corpus/legit/requests.ts";
import { hitsOf, requestOf } from "./one-value.ts";

/** The corpus is these requests; another seed gives others, for whoever widens filters. */
const SEED = Number(process.env["CELLWS_CORPUS_SEED"] ?? 1);
const COUNT = 10_500;

describe("the built-in filters", () => {
  const screen = buildBuiltin();

  test(`find nothing in ${COUNT} legitimate requests (seed ${SEED})`, () => {
    const seen = new Set<string>();
    const alarms: string[] = [];
    for (const { kind, facts, body } of legitRequests(SEED, COUNT)) {
      seen.add(`${facts.method} ${facts.target} ${facts.headers.join()} ${body}`);
      for (const { name, where, matched } of hitsOf(screen, facts, body)) {
        alarms.push(`${name} in ${where} of ${kind}: ${matched}`);
      }
    }
    assert.deepEqual(alarms, []);
    // Varied: a corpus of the same request again and again would show nothing.
    assert.ok(seen.size > 0.97 * COUNT, `${seen.size} different ones`);
    assert.ok(kindsOfRequests().length >= 40);
  });

  test("find nothing in the passwords that password managers make", () => {
    const characters = Array.from({ length: 94 }, (_, i) => String.fromCharCode(33 + i));
    let state = prngFrom(SEED, 0);
    const below = (limit: number): number => {
      const [word, next] = prngNext(state);
      state = next;
      return word % limit;
    };
    const alarms: string[] = [];
    for (let i = 0; i < 2000; i += 1) {
      const password = Array.from({ length: 10 + below(20) }, () => characters[below(94)]!).join("");
      const { facts, body } = requestOf({ form: new URLSearchParams({ user: "anna", password }).toString() });
      for (const { name, matched } of hitsOf(screen, facts, body)) alarms.push(`${name} in ${password}: ${matched}`);
    }
    assert.deepEqual(alarms, []);
  });
});
