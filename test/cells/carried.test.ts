// The book of what each drone was given: what it remembers of whom, and for how long.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Carried, ringLengthMax } from "../../src/cells/b-cell/carried.ts";
import type { ExchangeRequest } from "../../src/http/message.ts";
import { infectionLimits } from "../../src/immune/report/infection.ts";

const request = (requestId: string, target = "/"): ExchangeRequest => ({
  method: "GET",
  target,
  versionMinor: 1,
  headers: [],
  remoteAddress: "192.0.2.1",
  remotePort: 1,
  localAddress: "127.0.0.1",
  localPort: 80,
  encrypted: false,
  listener: 0,
  requestId,
  hasBody: false,
  upgrade: false,
});

test("tells what a drone was given, without its query, and of nobody else", () => {
  const carried = new Carried();
  carried.note("d1", request("r1", "/find?name=Ann")).isOpen = false;
  carried.note("d2", request("r2"));
  const [told, ...others] = carried.of("d1");
  assert.deepEqual(others, []);
  assert.ok(told !== undefined);
  const { requestId, client, method, path, isOpen } = told;
  assert.deepEqual([requestId, client, method, path, isOpen], ["r1", "192.0.2.1", "GET", "/find", false]);
  assert.deepEqual(carried.of("nobody"), []);
});

test("a request that is in hand is not forgotten for those that came after it", () => {
  const carried = new Carried();
  const shell = carried.note("d1", request("shell"));
  for (let i = 0; i < 3 * ringLengthMax; i += 1) carried.note("d1", request(`r${i}`)).isOpen = false;
  const told = carried.of("d1");
  assert.equal(told.length, infectionLimits.requestsMax);
  assert.deepEqual([told[0]?.requestId, told[0]?.isOpen], ["shell", true]);
  shell.isOpen = false;
  assert.ok(carried.of("d1").every(({ requestId }) => requestId !== "shell"));
});
