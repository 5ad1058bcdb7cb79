// Transcripts of what organisms went through: bugs that were found once, and what cells that lie may try.
import { readdirSync } from "node:fs";
import { describe } from "node:test";
import { playScenario } from "../support/mind-scenario.ts";
import { runTranscript } from "../support/transcript.ts";

const folder = new URL("../scenarios/mind/", import.meta.url);

for (const file of readdirSync(folder).sort()) {
  describe(`scenario, ${file.replace(".txt", "")}:`, () => runTranscript(new URL(file, folder), playScenario));
}
