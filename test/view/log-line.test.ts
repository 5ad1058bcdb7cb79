import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { parseLogLine, renderLogLine } from "../../src/view/log-line.ts";
import { PLAIN_STYLE } from "../../src/view/style.ts";
import { runTranscript } from "../support/transcript.ts";

runTranscript(new URL("../scenarios/view/log-lines.txt", import.meta.url), (input) =>
  input
    .split("\n")
    .map((line) => renderLogLine(line, { style: PLAIN_STYLE }))
    .join("\n"),
);

test("the time of day is the caller's to choose", () => {
  const line = '{"level":"info","time":"2026-11-22T12:03:04.123Z","cell":"a","class":"egg","event":"x"}';
  assert.equal(renderLogLine(line, { style: PLAIN_STYLE, timeOfDay: () => "noon" }), "noon egg    a x");
});

test("a class that we do not know is printed all the same", () => {
  const line = '{"level":"info","time":"2026-11-22T12:03:04.123Z","cell":"a","class":"mast","event":"x"}';
  const painted = renderLogLine(line, { style: { ...PLAIN_STYLE, color: true } });
  assert.match(painted, /mast/);
});

test("no line makes the reader throw, and none becomes empty", () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string({ minLength: 1 }),
        fc.json(),
        fc.object().map((one) => JSON.stringify(one)),
      ),
      (line) => {
        parseLogLine(line);
        assert.notEqual(renderLogLine(line, { style: PLAIN_STYLE }), "");
      },
    ),
  );
});
