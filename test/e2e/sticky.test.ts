/** A client stays with its drone where the DNA asks for it, as long as that drone lives. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { ofClass, sharedOrganism } from "./organism.ts";

describe("with http.sticky by cookie", () => {
  const organism = sharedOrganism({
    app: "slow.mjs",
    dna: { cells: { drone: { min: 2 } }, http: { sticky: "cookie" } },
  });

  test("a client comes back to its drone, and to another when that one has been killed", async () => {
    await organism().request({ path: "/pid" });
    const drones = ofClass(await organism().grown({ drone: 2 }), "drone");
    const first = await organism().request({ path: "/pid" });
    const [setCookie = ""] = first.headers["set-cookie"] ?? [];
    assert.match(setCookie, /^cellws_drone=[\w-]{22}; Path=\/; HttpOnly; SameSite=Lax$/);
    const headers = { cookie: setCookie.split(";")[0] };
    for (let i = 0; i < 20; i += 1) {
      const again = await organism().request({ path: "/pid", headers });
      assert.deepEqual([again.text, again.headers["set-cookie"]], [first.text, undefined]);
    }
    const own = drones.find(({ pid }) => String(pid) === first.text);
    assert.ok(own !== undefined, `no drone has the pid ${first.text}`);
    organism().kill(own);
    const other = await organism().request({ path: "/pid", headers });
    assert.equal(other.status, 200);
    assert.notEqual(other.text, first.text);
    assert.notEqual(other.headers["set-cookie"]?.[0], setCookie);
  });
});
