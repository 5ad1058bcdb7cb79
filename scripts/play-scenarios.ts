/** Plays the mind's scenarios and stops at the first that ends otherwise than written: for `npm run mutate`. */
import { readdirSync } from "node:fs";
import { playScenario } from "../test/support/mind-scenario.ts";
import { readTranscript } from "../test/support/transcript.ts";

const folder = new URL("../test/scenarios/mind/", import.meta.url);

for (const file of readdirSync(folder).sort()) {
  for (const { title, input, expected } of readTranscript(new URL(file, folder))) {
    const outcome = playScenario(input);
    if (outcome.trimEnd() === expected) continue;
    console.error(`${file}: ${title}\n${outcome}`);
    process.exit(1);
  }
}
