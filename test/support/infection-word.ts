/** What a cell says of an infected drone; by default a stem cell, which has seen it start a shell. */
import type { InfectionWord } from "../../src/immune/report/infection.ts";

export const infectionWord = (changes: Partial<InfectionWord> = {}): InfectionWord => ({
  drone: "d1",
  pid: 7,
  startTicks: 70,
  stage: "seen",
  check: "children",
  found: "it has started sh (pid 9)",
  votes: 0,
  cell: "stem",
  atMs: 0,
  requests: [],
  ...changes,
});
