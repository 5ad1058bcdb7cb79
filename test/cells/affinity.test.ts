import assert from "node:assert/strict";
import { test } from "node:test";
import { AddressAffinity, type Affinity, affinityCookieName, CookieAffinity } from "../../src/cells/b-cell/affinity.ts";
import type { ResponseHead } from "../../src/http/message.ts";
import { exchangeRequest } from "../support/axon-pair.ts";
import { answer, rig, type Rig, type TestDrone } from "../support/ingress-rig.ts";

const key = Buffer.alloc(32, 7);
const ok = (headers: string[] = []): ResponseHead => ({ status: 200, reason: "OK", headers });

function cookieAffinity(...drones: string[]): CookieAffinity {
  const affinity = new CookieAffinity(key);
  for (const drone of drones) affinity.learn(drone);
  return affinity;
}

/** What a browser would send back. */
function cookieFrom(fields: readonly string[] | null): string {
  const [pair = ""] = (fields?.[1] ?? "").split(";");
  return pair;
}

test("the cookie leads back to its drone, in every B cell with the same key, and says nothing of it", () => {
  const [one, other] = [cookieAffinity("dronea", "droneb"), cookieAffinity("droneb", "dronea")];
  const fields = one.fieldsFor(exchangeRequest(), ok(), null, "droneb");
  assert.match(fields?.[1] ?? "", /^cellws_drone=[\w-]{22}; Path=\/; HttpOnly; SameSite=Lax$/);
  assert.doesNotMatch(fields?.[1] ?? "", /droneb/);
  const back = exchangeRequest({ headers: ["Cookie", `a=1; ${cookieFrom(fields)}; b=2`] });
  const wish = other.wishOf(back);
  assert.deepEqual(wish, { kind: "drone", droneId: "droneb" });
  assert.equal(other.fieldsFor(back, ok(), wish, "droneb"), null, "it is not set anew");
  assert.match(
    cookieFrom(other.fieldsFor(back, ok(), wish, "dronea")),
    /^cellws_drone=/,
    "unless the drone is another",
  );
});

test("a cookie that was not given by the organism, or leads to a drone that is gone, is as none", () => {
  const affinity = cookieAffinity("dronea");
  const cookie = cookieFrom(affinity.fieldsFor(exchangeRequest(), ok(), null, "dronea"));
  const forgeries = [`${affinityCookieName}=dronea`, `${affinityCookieName}=`, "cellws_dronex=1", cookie.slice(0, -1)];
  for (const forged of forgeries) assert.equal(affinity.wishOf(exchangeRequest({ headers: ["Cookie", forged] })), null);
  const strange = new CookieAffinity(Buffer.alloc(32, 8));
  strange.learn("dronea");
  assert.equal(strange.wishOf(exchangeRequest({ headers: ["Cookie", cookie] })), null);
  affinity.forget("dronea");
  assert.equal(affinity.wishOf(exchangeRequest({ headers: ["Cookie", cookie] })), null);
});

test("the cookie is Secure where the client's line is, and left out where a shared cache may keep the answer", () => {
  const affinity = cookieAffinity("d");
  const set = (request: Parameters<typeof exchangeRequest>[0], headers: string[] = []): string | undefined =>
    affinity.fieldsFor(exchangeRequest(request), ok(headers), null, "d")?.[1];
  assert.match(set({ encrypted: true }) ?? "", /; Secure$/);
  assert.match(set({ headers: ["X-Forwarded-Proto", "https"] }) ?? "", /; Secure$/);
  assert.doesNotMatch(set({}) ?? "", /Secure/);
  assert.equal(set({}, ["Cache-Control", "public, max-age=60"]), undefined);
  assert.notEqual(set({}, ["Cache-Control", "no-cache"]), undefined);
});

async function manyDrones(
  t: Parameters<typeof rig>[0],
  affinity: Affinity,
): Promise<{ rig: Rig; drones: TestDrone[] }> {
  const made = await rig(t, { trustedProxies: ["127.0.0.1"] }, { affinity });
  const drones: TestDrone[] = [];
  for (let i = 0; i < 5; i += 1) drones.push(await made.addDrone(answer(`drone ${i}`)));
  return { rig: made, drones };
}

async function ask({ connect }: Rig, headers: string): Promise<{ drone: string; cookie: string | undefined }> {
  const client = await connect();
  const text = await client.send(`GET / HTTP/1.1\r\nHost: a\r\n${headers}\r\n`).until(/drone \d$/);
  client.socket.destroy();
  return { drone: text.slice(-1), cookie: /Set-Cookie: (cellws_drone=[^;]*)/.exec(text)?.[1] };
}

test("by cookie a client stays with its drone, and gets another when that is gone", async (t) => {
  const { rig: made, drones } = await manyDrones(t, new CookieAffinity(key));
  const first = await ask(made, "");
  assert.ok(first.cookie !== undefined);
  for (let i = 0; i < 20; i += 1) {
    assert.deepEqual(await ask(made, `Cookie: ${first.cookie}\r\n`), { drone: first.drone, cookie: undefined });
  }
  drones[Number(first.drone)]?.kill();
  while (made.pool.readyCount === 5) await new Promise(setImmediate);
  const second = await ask(made, `Cookie: ${first.cookie}\r\n`);
  assert.notEqual(second.drone, first.drone);
  assert.ok(second.cookie !== undefined && second.cookie !== first.cookie);
});

test("by address clients are spread, stay, and move only when their own drone goes", async (t) => {
  const { rig: made, drones } = await manyDrones(t, new AddressAffinity());
  const of = async (client: number): Promise<string> =>
    (await ask(made, `X-Forwarded-For: 192.0.2.${client}\r\n`)).drone;
  const before = new Map<number, string>();
  for (let client = 1; client <= 30; client += 1) before.set(client, await of(client));
  assert.equal(new Set(before.values()).size, 5);
  drones[0]?.kill();
  while (made.pool.readyCount === 5) await new Promise(setImmediate);
  for (const [client, drone] of before) {
    const now = await of(client);
    assert.ok(drone === "0" ? now !== "0" : now === drone, `client ${client}: ${drone}, then ${now}`);
  }
  const half = async (end: string): Promise<string> =>
    (await ask(made, `X-Forwarded-For: 2001:db8:1:2:${end}\r\n`)).drone;
  assert.equal(await half("a::1"), await half("b::2"));
});
