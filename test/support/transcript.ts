/** Transcripts: a file of cases, each `=== title`, input, `----`, expected output. The title is the test's name. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

export interface TranscriptCase {
  title: string;
  input: string;
  expected: string;
}

export function readTranscript(file: URL): TranscriptCase[] {
  const parts = readFileSync(file, "utf8").split(/^=== /m).slice(1);
  return parts.map((part) => {
    const [head = "", expected] = part.split("\n----\n");
    const [title = "", ...input] = head.split("\n");
    assert.ok(expected !== undefined, `${file.pathname}: "${title}" has no ----`);
    return { title, input: input.join("\n"), expected: expected.trimEnd() };
  });
}

/** One test a case. */
export function runTranscript(file: URL, render: (input: string) => string): void {
  for (const { title, input, expected } of readTranscript(file)) {
    test(title, () => assert.equal(render(input).trimEnd(), expected));
  }
}
