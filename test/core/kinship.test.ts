// Which links a cell keeps, and whom it asks about when one has died; on states made by hand.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { linkOpened } from "../../src/core/kinship.ts";
import { step } from "../../src/core/step.ts";
import { elders, grown, knowing, nowMs } from "../support/knowing.ts";

describe("a link that opens", () => {
  /** e3 holds a link to its mother. Who are its kin once another link has opened, and to whom does it close one? */
  const opened = (peer: string): { kin: string[]; closed: string[] } => {
    const state = { ...knowing("e3", elders(6)), kin: new Set(["egg"]) };
    const [{ kin }, effects] = linkOpened(state, peer);
    return { kin: [...kin], closed: effects.flatMap((effect) => (effect.type === "disconnect" ? [effect.from] : [])) };
  };

  test("to a second elder is closed again: there is one way between any two cells", () => {
    assert.deepEqual(opened("e1"), { kin: ["egg"], closed: ["e1"] });
  });

  test("to a younger cell, or to the same elder anew, is kept", () => {
    assert.deepEqual(opened("e5"), { kin: ["egg", "e5"], closed: [] });
    assert.deepEqual(opened("egg"), { kin: ["egg"], closed: [] });
  });
});

test("a death makes one ask about the mother and the daughters of the dead: they may have died together", () => {
  const daughter = { ...grown("d", "stem"), mother: "e1", lineage: ["egg", "e1"] };
  const state = knowing("e2", [...elders(4), daughter]);
  const [, effects] = step(state, { type: "inspected", id: "e1", running: false, wear: null, nowMs });
  const asked = effects.flatMap((effect) => (effect.type === "inspect" ? [effect.id] : []));
  assert.deepEqual(asked, ["egg", "d"]);
});
