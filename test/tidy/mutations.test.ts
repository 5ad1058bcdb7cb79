// The table of rules that `npm run mutate` takes away must be about rules that are there.
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { mutations } from "../../scripts/mutations.ts";

test("each rule of the mutation table is still in its file, once, and taking it away changes it", () => {
  for (const { rule, file, find, replace } of mutations) {
    const source = fs.readFileSync(path.resolve(import.meta.dirname, "../..", file), "utf8");
    assert.equal(source.split(find).length - 1, 1, `"${rule}" in ${file}`);
    assert.notEqual(find, replace, rule);
  }
});
