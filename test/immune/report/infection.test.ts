// What the words of several cells about one infected drone add up to, in whatever order they come.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { CarriedRequest, InfectionIncident, InfectionWord } from "../../../src/immune/report/infection.ts";
import { withWord } from "../../../src/immune/report/infection.ts";
import { infectionWord } from "../../support/infection-word.ts";

const toTime = (atMs: number): string => new Date(atMs).toISOString();
const word = (changes: Partial<InfectionWord> = {}): InfectionWord => infectionWord({ atMs: 1_000, ...changes });
const request = (requestId: string, changes: Partial<CarriedRequest> = {}): CarriedRequest => ({
  requestId,
  client: "192.0.2.1",
  method: "GET",
  path: "/ping",
  atMs: 900,
  isOpen: false,
  ...changes,
});
const sentence = word({ stage: "condemned", check: null, found: null, votes: 3, cell: "neuron", atMs: 1_400 });

function told(...words: InfectionWord[]): InfectionIncident {
  let incident: InfectionIncident | null = null;
  for (const one of words) incident = withWord(incident, one, toTime);
  assert.ok(incident !== null);
  return incident;
}

describe("an incident of an infection", () => {
  test("is the same whichever word comes first", () => {
    const words = [
      word({ requests: [request("r1", { isOpen: true })], cell: "b" }),
      word({ cell: "stem", atMs: 1_100 }),
      sentence,
      word({
        stage: "condemned",
        votes: 4,
        cell: "b",
        atMs: 1_500,
        requests: [request("r1"), request("r2", { atMs: 950 })],
      }),
    ];
    const sorted = ({ witnesses, ...rest }: InfectionIncident) => ({ ...rest, witnesses: [...witnesses].sort() });
    assert.deepEqual(sorted(told(...words.toReversed())), sorted(told(...words)));
    const { condemned, witnesses, firstSeen, lastSeen, findings } = told(...words);
    assert.deepEqual(condemned, { votes: 4, at: toTime(1_400) });
    assert.deepEqual(witnesses.toSorted(), ["b", "stem"]);
    assert.deepEqual([firstSeen, lastSeen], [toTime(1_000), toTime(1_500)]);
    assert.deepEqual(findings, [{ check: "children", found: "it has started sh (pid 9)" }]);
  });

  test("without a sentence says so, and a sentence alone is no sight", () => {
    assert.equal(told(word()).condemned, null);
    assert.deepEqual(told(sentence).witnesses, []);
  });

  test("names what the drone still had in hand first, and keeps that it had it", () => {
    const { requests } = told(
      word({ requests: [request("held", { isOpen: true, atMs: 10 }), request("new", { atMs: 999 })] }),
      word({ requests: [request("held", { isOpen: false, atMs: 10 }), request("newer", { atMs: 1_000 })] }),
    );
    assert.deepEqual(
      requests.map(({ requestId, isOpen }) => [requestId, isOpen]),
      [
        ["held", true],
        ["newer", false],
        ["new", false],
      ],
    );
  });

  test("holds nothing that is personal but the clients' addresses, and has its bounds", () => {
    const many = Array.from({ length: 64 }, (_, i) => request(`a${i}`));
    const more = Array.from({ length: 64 }, (_, i) => request(`b${i}`));
    const last = [request("c", { isOpen: true, path: "/reset/eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOjF9.x/me@example.com" })];
    const { requests } = told(word({ requests: many }), word({ requests: more }), word({ requests: last }));
    assert.equal(requests.length, 128);
    assert.equal(requests[0]?.path, "/reset/[token]/[mail address]");
  });
});
