/** The user's mistakes: a stable code, what was found and where, exit code 2, and nothing is left behind. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { describe, test } from "node:test";
import { appFile, cellws, Organism } from "./organism.ts";

interface Mistake {
  title: string;
  /** Arguments of `cellws`. `DNA` stands for the path of the file with the DNA. */
  args: string[];
  dna?: string;
  says: RegExp[];
}

const app = appFile("http-esm.mjs");

const mistakes: Mistake[] = [
  { title: "an unknown flag", args: ["start", app, "--prot", "8080"], says: [/CELLWS_E_/, /--prot/, /--port/] },
  { title: "an unknown command", args: ["strat", app], says: [/CELLWS_E_/, /strat/, /start/] },
  { title: "a port that is none", args: ["start", app, "--port", "eighty"], says: [/CELLWS_E_/, /port/, /eighty/] },
  {
    title: "a name that is none",
    args: ["start", app, "--name", "../up"],
    says: [/CELLWS_E_/, /name/, /\.\.\/up/],
  },
  { title: "an app that is not there", args: ["start", "/nowhere/app.js"], says: [/CELLWS_E_/, /\/nowhere\/app\.js/] },
  {
    title: "a DNA file that is not there",
    args: ["start", app, "--dna", "/nowhere/dna.ts"],
    says: [/CELLWS_E_/, /\/nowhere\/dna\.ts/],
  },
  {
    title: "a value of the wrong type in the DNA",
    args: ["start", app, "--dna", "DNA"],
    dna: `export default { http: { headBytesMax: "16k" } };`,
    says: [/CELLWS_E_DNA/, /http\.headBytesMax/, /16k/],
  },
  {
    title: "an unknown key in the DNA",
    args: ["start", app, "--dna", "DNA"],
    dna: `export default { cells: { drone: { maximum: 3 } } };`,
    says: [/CELLWS_E_DNA/, /cells\.drone/, /maximum/],
  },
  {
    title: "bounds that contradict each other, in `check` as in `start`",
    args: ["check", "--dna", "DNA"],
    dna: `export default { app: ${JSON.stringify(app)}, cells: { drone: { min: 4, max: 2 } } };`,
    says: [/CELLWS_E_DNA/, /cells\.drone/],
  },
  {
    title: "a DNA that does not parse",
    args: ["start", app, "--dna", "DNA"],
    dna: `export default { cells: `,
    says: [/CELLWS_E_DNA/, /dna\.mjs/],
  },
  {
    title: "a DNA that throws",
    args: ["start", app, "--dna", "DNA"],
    dna: `throw new Error("who wrote this");`,
    says: [/CELLWS_E_DNA/, /who wrote this/],
  },
];

describe("a mistake ends with exit code 2, a code, and what is wrong", () => {
  for (const { title, args, dna, says } of mistakes) {
    test(title, async (t) => {
      // Not started: only for its home, its environment, and its look at what is left.
      const organism = new Organism({ app: "http-esm.mjs" });
      t.after(() => organism.end());
      const file = organism.scratch("dna.mjs");
      if (dna !== undefined) writeFileSync(file, dna);
      const { code, stdout, stderr } = await cellws(
        args.map((arg) => (arg === "DNA" ? file : arg)),
        { env: organism.env, cwd: organism.workDir },
      );
      // Without the line breaks, which depend on the length of paths.
      const said = stderr.replaceAll(/\s+/g, " ");
      for (const expected of says) assert.match(said, expected);
      assert.equal(code, 2, stderr);
      assert.equal(stdout, "", "what went wrong is told on stderr");
      assert.doesNotMatch(stderr, /^\s+at .*\/src\//m, "no stack of ours");
      assert.deepEqual(organism.pids(), []);
    });
  }
});

test("check says so when nothing is wrong", async (t) => {
  const organism = new Organism({ app: "http-esm.mjs" });
  t.after(() => organism.end());
  const dna = organism.writeDna({ app, cells: { drone: { min: 2 } } });
  const { code, stderr } = await cellws(["check", "--dna", dna], { env: organism.env, cwd: organism.workDir });
  assert.equal(code, 0, stderr);
});
