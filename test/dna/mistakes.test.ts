// What users get wrong in a DNA, and what they are told: code, key, found, expected, hint. Read each as they would.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Diagnostic } from "../../src/dna/diagnostic.ts";
import { laterKeys } from "../../src/dna/later.ts";
import { resolveDna } from "../../src/dna/resolve.ts";
import { diagnosticsOf, schema } from "./support.ts";

interface Mistake {
  title: string;
  dna: unknown;
  /** undefined: says nothing of the kind. */
  told: { [Key in keyof Diagnostic]?: Diagnostic[Key] | RegExp | undefined };
}

const app = "./server.js";

const mistakes: readonly Mistake[] = [
  {
    title: "a list is not a DNA",
    dna: [{ app }],
    told: {
      code: "CELLWS_E_DNA_NOT_OBJECT",
      found: "a list of 1",
      expected: 'an object such as { app: "./server.js" }',
    },
  },
  {
    title: "nothing is not a DNA",
    dna: undefined,
    told: { code: "CELLWS_E_DNA_NOT_OBJECT", found: "undefined" },
  },
  {
    title: "an app must come from somewhere",
    dna: {},
    told: {
      code: "CELLWS_E_APP_NOT_GIVEN",
      path: "app",
      found: "no app on the command line, none in the DNA, no main in package.json",
      hint: 'Name it: `cellws start server.js`; or write app: "./server.js" into dna.ts.',
    },
  },
  {
    title: "a misspelt key is known again",
    dna: { app, hormons: {} },
    told: {
      code: "CELLWS_E_DNA_UNKNOWN_KEY",
      path: "hormons",
      message: "hormons is not a key of the DNA",
      hint: "Did you mean hormones?",
    },
  },
  {
    title: "a misspelt key deep inside is known again, with its siblings",
    dna: { app, http: { timeouts: { hedMs: 1_000 } } },
    told: {
      code: "CELLWS_E_DNA_UNKNOWN_KEY",
      path: "http.timeouts.hedMs",
      expected:
        "one of headMs, bodyIdleMs, requestMs, keepAliveIdleMs, answerMs, answerIdleMs, answerTotalMs, slowReaderMs",
      hint: "Did you mean headMs?",
    },
  },
  {
    title: "a key in the wrong place is told where it belongs",
    dna: { app, port: 3_000 },
    told: { code: "CELLWS_E_DNA_UNKNOWN_KEY", path: "port", hint: "Did you mean listen[].port, or admin.port?" },
  },
  {
    title: "another program's word is translated",
    dna: { app, max_restarts: 3 },
    told: { code: "CELLWS_E_DNA_UNKNOWN_KEY", path: "max_restarts", hint: "Did you mean restarts.countMax?" },
  },
  {
    title: "a key that is like no other gets no guess",
    dna: { app, cells: { quux: 1 } },
    told: {
      code: "CELLWS_E_DNA_UNKNOWN_KEY",
      path: "cells.quux",
      expected: "one of daughtersMax, stem, neuron, bCell, tCell, drone",
      hint: undefined,
    },
  },
  {
    title: "a number in quotes",
    dna: { app, listen: [{ port: "8080" }] },
    told: {
      code: "CELLWS_E_DNA_TYPE",
      path: "listen[0].port",
      found: '"8080" (a string)',
      expected: "a port number from 0 to 65535",
      hint: "Remove the quotes: 8080.",
    },
  },
  {
    title: "a duration with a unit",
    dna: { app, drain: { msMax: "30s" } },
    told: {
      code: "CELLWS_E_DNA_TYPE",
      path: "drain.msMax",
      found: '"30s" (a string)',
      expected: "a whole number of ms from 0 to 3_600_000",
      hint: "Write it in ms, as a number: 30_000.",
    },
  },
  {
    title: "a size with a unit",
    dna: { app, logs: { fileBytesMax: "1.5 MB" } },
    told: { code: "CELLWS_E_DNA_TYPE", path: "logs.fileBytesMax", hint: "Write it in bytes, as a number: 1_572_864." },
  },
  {
    title: "a fraction where whole things are counted",
    dna: { app, cells: { drone: { min: 1.5 } } },
    told: {
      code: "CELLWS_E_DNA_TYPE",
      path: "cells.drone.min",
      found: "1.5",
      expected: "a whole number of cells from 1 to 1_024",
      hint: "Write 2; fractions mean nothing here.",
    },
  },
  {
    title: "no number at all",
    dna: { app, cells: { stem: { pool: Number.NaN } } },
    told: { code: "CELLWS_E_DNA_TYPE", path: "cells.stem.pool", found: "NaN" },
  },
  {
    title: "endless",
    dna: { app, drain: { msMax: Infinity } },
    told: { code: "CELLWS_E_DNA_TYPE", path: "drain.msMax", found: "Infinity" },
  },
  {
    title: "too many",
    dna: { app, cells: { drone: { max: 5_000 } } },
    told: {
      code: "CELLWS_E_DNA_RANGE",
      path: "cells.drone.max",
      found: "5_000",
      expected: "a whole number of cells from 1 to 1_024",
    },
  },
  {
    title: "too few, with the reason",
    dna: { app, cells: { drone: { min: 0 } } },
    told: {
      code: "CELLWS_E_DNA_RANGE",
      path: "cells.drone.min",
      message: "cells.drone.min is out of range",
      found: "0",
      expected: "a whole number of cells from 1 to 1_024",
      hint: "Never fewer. One neuron, one B cell and one drone are the first majority of three.",
    },
  },
  {
    title: "a negative number, where zero has a meaning of its own",
    dna: { app, dormancy: { idleMs: -1 } },
    told: {
      code: "CELLWS_E_DNA_RANGE",
      path: "dormancy.idleMs",
      found: "-1",
      hint: /^0: never\. Without a request/,
    },
  },
  {
    title: "a port that does not exist",
    dna: { app, listen: [{}, { port: 70_000 }] },
    told: {
      code: "CELLWS_E_DNA_RANGE",
      path: "listen[1].port",
      found: "70000",
      expected: "a port number from 0 to 65535",
    },
  },
  {
    title: "no listeners",
    dna: { app, listen: [] },
    told: {
      code: "CELLWS_E_DNA_RANGE",
      path: "listen",
      found: "an empty list",
      expected: 'a list of 1 to 16 objects such as { port: 8080, host: "127.0.0.1" }, of 1 to 16 items',
    },
  },
  {
    title: "one object where a list is meant",
    dna: { app, listen: { port: 80 } },
    told: {
      code: "CELLWS_E_DNA_TYPE",
      path: "listen",
      found: "an object with the key port",
      hint: "Put it in brackets: a list may have one item.",
    },
  },
  {
    title: "a number where an object is meant",
    dna: { app, cells: { drone: 4 } },
    told: {
      code: "CELLWS_E_DNA_TYPE",
      path: "cells.drone",
      found: "4",
      expected: "an object with the keys min and max",
    },
  },
  {
    title: "null where an object is meant",
    dna: { app, http: null },
    told: { code: "CELLWS_E_DNA_TYPE", path: "http", found: "null" },
  },
  {
    title: "a word that is nearly one of the choices",
    dna: { app, logs: { level: "wran" } },
    told: {
      code: "CELLWS_E_DNA_VALUE",
      path: "logs.level",
      found: '"wran" (a string)',
      expected: '"trace", "debug", "info", "warn", "error" or "fatal"',
      hint: 'Did you mean "warn"?',
    },
  },
  {
    title: "a number where a choice is meant",
    dna: { app, immune: { mode: 1 } },
    told: { code: "CELLWS_E_DNA_TYPE", path: "immune.mode", found: "1", expected: '"off", "detect" or "block"' },
  },
  {
    title: "true in quotes",
    dna: { app, immune: { dryRun: "true" } },
    told: {
      code: "CELLWS_E_DNA_TYPE",
      path: "immune.dryRun",
      expected: "true or false",
      hint: "Remove the quotes: true.",
    },
  },
  {
    title: "a name that no folder should have",
    dna: { app, name: "../etc" },
    told: {
      code: "CELLWS_E_DNA_VALUE",
      path: "name",
      found: '"../etc" (a string)',
      expected: "1 to 32 lower-case letters, digits and dashes, beginning with a letter or digit",
    },
  },
  {
    title: "an empty app",
    dna: { app: "" },
    told: { code: "CELLWS_E_DNA_RANGE", path: "app", found: 'an empty string ("")' },
  },
  {
    title: "an app that is no path",
    dna: { app: 8080 },
    told: {
      code: "CELLWS_E_DNA_TYPE",
      path: "app",
      found: "8_080",
      expected: "the path of a JavaScript or TypeScript file, or of a folder that holds one",
    },
  },
  {
    title: "a path longer than any",
    dna: { app, envFile: "x".repeat(5_000) },
    told: { code: "CELLWS_E_DNA_RANGE", path: "envFile", found: `"${"x".repeat(76)}... (a string)` },
  },
  {
    title: "an address with a slip in it is not looked up as a name",
    dna: { app, listen: [{ host: "127.0.0.256" }] },
    told: {
      code: "CELLWS_E_DNA_VALUE",
      path: "listen[0].host",
      expected: 'an IP address or a host name, such as "127.0.0.1", "::" or "localhost"',
    },
  },
  {
    title: "a host with a scheme",
    dna: { app, listen: [{ host: "http://localhost" }] },
    told: { code: "CELLWS_E_DNA_VALUE", path: "listen[0].host", found: '"http://localhost" (a string)' },
  },
  {
    title: "a listener that speaks TLS and redirects to it as well",
    dna: { app, listen: [{ tls: { key: "k", cert: "c" }, httpsRedirectPort: 443 }] },
    told: {
      code: "CELLWS_E_DNA_CONFLICT",
      path: "listen[0].httpsRedirectPort",
      found: "443, with listen[0].tls",
      expected: "the one or the other",
    },
  },
  {
    title: "preload for less than a year",
    dna: { app, listen: [{ tls: { key: "k", cert: "c", hsts: { maxAgeSeconds: 300, preload: true } } }] },
    told: {
      code: "CELLWS_E_DNA_CONFLICT",
      path: "listen[0].tls.hsts.preload",
      found: "true, with maxAgeSeconds at 300 and includeSubDomains false",
      expected: "includeSubDomains, and maxAgeSeconds of at least 31_536_000",
    },
  },
  {
    title: "a static folder at a path that leads upwards",
    dna: { app, http: { static: [{ at: "/a/../b", folder: "public" }] } },
    told: {
      code: "CELLWS_E_DNA_VALUE",
      path: "http.static[0].at",
      found: '"/a/../b" (a string)',
      expected: 'a path such as "/" or "/assets", without a slash at its end',
    },
  },
  {
    title: "half of a TLS pair",
    dna: { app, listen: [{ tls: { key: "key.pem" } }] },
    told: {
      code: "CELLWS_E_DNA_MISSING",
      path: "listen[0].tls.cert",
      message: "listen[0].tls.cert is missing",
      found: "nothing",
      expected: "the path of a file",
    },
  },
  {
    title: "a range that is none",
    dna: { app, http: { trustedProxies: ["10.0.0.0/8", "10.0.0.0/33"] } },
    told: {
      code: "CELLWS_E_DNA_VALUE",
      path: "http.trustedProxies[1]",
      found: '"10.0.0.0/33" (a string)',
      expected: "an IP address or a CIDR range",
      hint: "Write an address (192.0.2.7) or a CIDR range (10.0.0.0/8, 2001:db8::/32).",
    },
  },
  {
    title: "a range with bits beyond its prefix: either meaning is offered",
    dna: { app, immune: { allow: ["10.1.2.3/8"] } },
    told: {
      code: "CELLWS_E_DNA_VALUE",
      path: "immune.allow[0]",
      hint: "Write 10.0.0.0/8 for the range, or 10.1.2.3 for that one address.",
    },
  },
  {
    title: 'in a list of ranges that may also be "any", the wrong range is named and not the list',
    dna: { app, membrane: { connect: ["10.0.0.0/8", "db.internal"] } },
    told: {
      code: "CELLWS_E_DNA_VALUE",
      path: "membrane.connect[1]",
      found: '"db.internal" (a string)',
      expected: "an IP address or a CIDR range",
    },
  },
  {
    title: "a canary that is no path",
    dna: { app, membrane: { canary: { paths: ["/about", "about us"] } } },
    told: {
      code: "CELLWS_E_DNA_VALUE",
      path: "membrane.canary.paths[1]",
      found: '"about us" (a string)',
      expected: 'a path such as "/about", as it is sent: without spaces, from "/" on',
    },
  },
  {
    title: "drones of a user whose name is none",
    dna: { app, membrane: { user: "www data" } },
    told: {
      code: "CELLWS_E_DNA_VALUE",
      path: "membrane.user",
      found: '"www data" (a string)',
      expected: "the name or number of a user, or null for the user who starts cellws",
    },
  },
  {
    title: 'something that is neither "any" nor a list',
    dna: { app, membrane: { fsRead: "all" } },
    told: {
      code: "CELLWS_E_DNA_VALUE",
      path: "membrane.fsRead",
      found: '"all" (a string)',
      expected: 'a list of paths, or "any"',
    },
  },
  {
    title: "an environment variable that is a number",
    dna: { app, env: { PORT: 3_000 } },
    told: {
      code: "CELLWS_E_DNA_TYPE",
      path: "env.PORT",
      found: "3_000",
      expected: "a string",
      hint: "Environment variables are strings: put it in quotes.",
    },
  },
  {
    title: "an environment variable that was not set",
    dna: { app, env: { SECRET: undefined } },
    told: {
      code: "CELLWS_E_DNA_TYPE",
      path: "env.SECRET",
      found: "undefined",
      hint: "If it came from process.env: it is not set where cellws was started. Leave the key out, or give a default with ??.",
    },
  },
  {
    title: "a mistaken environment variable keeps its value to itself",
    dna: { app, env: { SECRET: "hunter2\0" } },
    told: { code: "CELLWS_E_DNA_VALUE", path: "env.SECRET", found: "a string that is not shown" },
  },
  {
    title: "a name that no environment variable can have",
    dna: { app, env: { "MY-KEY": "x" } },
    told: {
      code: "CELLWS_E_DNA_VALUE",
      path: 'env["MY-KEY"]',
      message: 'env["MY-KEY"] cannot be a name here',
      found: '"MY-KEY"',
    },
  },
  {
    title: "a name that is ours",
    dna: { app, env: { CELLWS_BIRTH: "x" } },
    told: {
      code: "CELLWS_E_DNA_VALUE",
      path: "env.CELLWS_BIRTH",
      expected: "names of letters, digits and underscores (not beginning with CELLWS_), with strings as values",
    },
  },
  {
    title: "a minimum above the maximum",
    dna: { app, cells: { bCell: { min: 5, max: 3 } } },
    told: {
      code: "CELLWS_E_DNA_CONFLICT",
      path: "cells.bCell.min",
      message: "cells.bCell.min is more than cells.bCell.max",
      found: "5, with cells.bCell.max at 3",
      expected: "at most 3",
      hint: "Lower the one or raise the other; without max it follows min by itself.",
    },
  },
  {
    title: "waits that shrink",
    dna: { app, restarts: { backoffMsMin: 5_000, backoffMsMax: 1_000 } },
    told: {
      code: "CELLWS_E_DNA_CONFLICT",
      path: "restarts.backoffMsMin",
      found: "5_000, with restarts.backoffMsMax at 1_000",
    },
  },
  {
    title: "a first ban longer than the longest",
    dna: { app, immune: { bans: { durationMsMax: 60_000 } } },
    told: {
      code: "CELLWS_E_DNA_CONFLICT",
      path: "immune.bans.durationMs",
      expected: "at most 60_000",
      hint: "The first ban cannot be longer than the longest. Not set, so at its default: immune.bans.durationMs.",
    },
  },
  {
    title: "marks so near that it would grow and shrink for ever",
    dna: { app, growth: { utilizationToGrow: 0.6 } },
    told: {
      code: "CELLWS_E_DNA_CONFLICT",
      path: "growth.utilizationToShrink",
      found: "0.3, with growth.utilizationToGrow at 0.6",
      expected: "less than half of growth.utilizationToGrow: under 0.3",
    },
  },
  {
    title: "a panic longer than calm",
    dna: { app, growth: { panicWindowMs: 60_000 } },
    told: { code: "CELLWS_E_DNA_CONFLICT", path: "growth.panicWindowMs", expected: "less than 60_000" },
  },
  {
    title: "hormones that would grow on their way",
    dna: { app, cells: { daughtersMax: 6 } },
    told: {
      code: "CELLWS_E_DNA_CONFLICT",
      path: "hormones.attenuation",
      found: "0.25, with cells.daughtersMax at 6",
      expected: "at most 1 / cells.daughtersMax: 0.166",
    },
  },
  {
    title: "two listeners in one place",
    dna: { app, listen: [{ port: 80 }, { port: 80 }] },
    told: {
      code: "CELLWS_E_DNA_CONFLICT",
      path: "listen[1].port",
      message: "listen[1] would listen where listen[0] does",
      found: "127.0.0.1:80, with listen[0] at 127.0.0.1:80",
    },
  },
  {
    title: "two spellings of one address",
    dna: {
      app,
      listen: [
        { port: 80, host: "::1" },
        { port: 80, host: "0:0:0:0:0:0:0:1" },
      ],
    },
    told: {
      code: "CELLWS_E_DNA_CONFLICT",
      path: "listen[1].port",
      found: "[0:0:0:0:0:0:0:1]:80, with listen[0] at [::1]:80",
    },
  },
  {
    title: "one address within all of them",
    dna: {
      app,
      listen: [
        { port: 80, host: "0.0.0.0" },
        { port: 80, host: "192.0.2.1" },
      ],
    },
    told: {
      code: "CELLWS_E_DNA_CONFLICT",
      path: "listen[1].port",
      hint: "0.0.0.0 takes in every IPv4 address, :: every address.",
    },
  },
  {
    title: "the admin listener on the app's port",
    dna: { app, admin: { port: 8_080 } },
    told: {
      code: "CELLWS_E_DNA_CONFLICT",
      path: "admin.port",
      found: "8080, with listen[0] at 127.0.0.1:8080",
      expected: "another port, or 0 for any free one",
    },
  },
];

for (const { title, dna, told } of mistakes) {
  test(title, () => {
    const diagnostics = diagnosticsOf(dna);
    assert.equal(diagnostics.length, 1, JSON.stringify(diagnostics, null, 2));
    const [diagnostic] = diagnostics;
    for (const [key, expected] of Object.entries(told)) {
      const actual = diagnostic![key as keyof Diagnostic];
      if (expected instanceof RegExp) assert.match(String(actual), expected, key);
      else assert.equal(actual, expected, key);
    }
    // What a reader needs is always there.
    assert.ok(diagnostic!.message !== "" && !diagnostic!.message.endsWith("."));
    assert.ok((diagnostic!.expected ?? "") !== "");
  });
}

test("two listeners may share a port on different addresses, or both take any free one", () => {
  assert.deepEqual(
    diagnosticsOf({
      app,
      listen: [
        { port: 80, host: "127.0.0.1" },
        { port: 80, host: "192.0.2.1" },
      ],
    }),
    [],
  );
  assert.deepEqual(
    diagnosticsOf({
      app,
      listen: [
        { port: 80, host: "0.0.0.0" },
        { port: 80, host: "::1" },
      ],
    }),
    [],
  );
  assert.deepEqual(diagnosticsOf({ app, listen: [{ port: 0 }, { port: 0 }], admin: { port: 0 } }), []);
});

test("all mistakes are told at once, those between keys too", () => {
  const diagnostics = diagnosticsOf({
    app: 3,
    nmae: "x",
    listen: [{ port: "80" }, 5, { port: 99_999, hosst: "a" }],
    cells: { drone: { min: 5, max: 3 }, stem: { pool: 0 } },
    http: { timeouts: { headMs: 5 } },
    logs: { level: "loud" },
  });
  assert.deepEqual(diagnostics.map(({ code, path }) => `${code.replace("CELLWS_E_DNA_", "")} ${path}`).sort(), [
    "CONFLICT cells.drone.min",
    "RANGE cells.stem.pool",
    "RANGE http.timeouts.headMs",
    "RANGE listen[2].port",
    "TYPE app",
    "TYPE listen[0].port",
    "TYPE listen[1]",
    "UNKNOWN_KEY listen[2].hosst",
    "UNKNOWN_KEY nmae",
    "VALUE logs.level",
  ]);
});

test("one slip is not told twice: a mistaken key takes no part in conflicts", () => {
  // Read as its default, the second port would collide with the first.
  const diagnostics = diagnosticsOf({
    app,
    listen: [{ port: 8_080 }, { port: "x" }],
    cells: { drone: { min: 9_999, max: 2 } },
  });
  assert.deepEqual(
    diagnostics.map(({ path }) => path),
    ["listen[1].port", "cells.drone.min"],
  );
});

// ---- Keys that nothing acts on yet -----------------------------------------------------------------------

test("a key whose mechanism is not built is refused by name, with what to do meanwhile", () => {
  const [diagnostic, ...others] = diagnosticsOf(
    { app, listen: [{}, { port: 443, tls: { key: "k", cert: "c" } }] },
    { later: [{ pattern: "listen[].tls", mechanism: "TLS at listeners", meanwhile: "End TLS in front." }] },
  );
  assert.deepEqual(others, []);
  assert.deepEqual(diagnostic, {
    code: "CELLWS_E_NOT_YET",
    path: "listen[1].tls",
    message: "listen[1].tls: TLS at listeners is not built yet",
    found: "an object with the keys key, cert",
    expected: "no such key for now",
    hint: "End TLS in front.",
  });
});

test("what stands under such a key is not judged besides, and null or undefined ask for nothing", () => {
  const later = [{ pattern: "immune", mechanism: "The filter", meanwhile: "Wait." }];
  const told = diagnosticsOf({ app, immune: { mode: "blok", nonsense: 1 } }, { later });
  assert.deepEqual(
    told.map(({ code, path }) => [code, path]),
    [["CELLWS_E_NOT_YET", "immune"]],
  );
  assert.deepEqual(diagnosticsOf({ app, listen: [{ tls: null }], immune: undefined }, { later }), []);
});

test("a key may be refused as later before the schema knows it", () => {
  const later = [{ pattern: "immune.potions", mechanism: "Potions of your own", meanwhile: "Use rules." }];
  const told = diagnosticsOf({ app, immune: { potions: [1] } }, { later });
  assert.deepEqual(
    told.map(({ code, message }) => [code, message]),
    [["CELLWS_E_NOT_YET", "immune.potions: potions of your own is not built yet"]],
  );
});

test("without a line in the table, a key is accepted", () => {
  assert.deepEqual(diagnosticsOf({ app, immune: { mode: "block" } }, { later: [] }), []);
});

test("every key that stands in the table is one that the schema knows", () => {
  // For patterns below the top: what sets them.
  const written: Record<string, object> = {};
  for (const { pattern } of laterKeys) {
    const dna = { app, ...(written[pattern] ?? { [pattern]: {} }) };
    assert.deepEqual(diagnosticsOf(dna), [], pattern);
    assert.deepEqual(
      diagnosticsOf(dna, { later: laterKeys }).map(({ code }) => code),
      ["CELLWS_E_NOT_YET"],
      pattern,
    );
  }
});

// ---- The command line ------------------------------------------------------------------------------------

test("flags go before the DNA, and reach the first listener only", () => {
  const resolution = resolveDna({
    input: { app, name: "shop", listen: [{ port: 1, host: "::1" }, { port: 2 }] },
    schema,
    overrides: { app: "./other.js", port: "3000", host: "0.0.0.0", name: "other" },
  });
  assert.ok(resolution.ok);
  const { dna } = resolution;
  assert.equal(dna.app, "./other.js");
  assert.equal(dna.name, "other");
  assert.deepEqual(
    dna.listen.map(({ host, port }) => `${host}:${port}`),
    ["0.0.0.0:3000", "127.0.0.1:2"],
  );
});

test("an input that flags are laid over is left as it was", () => {
  const input = Object.freeze({ app, listen: Object.freeze([Object.freeze({ port: 1 })]) });
  assert.ok(resolveDna({ input, schema, overrides: { port: 5 } }).ok);
  assert.equal(input.listen[0]!.port, 1);
});

const flagMistakes: ReadonlyArray<
  [title: string, overrides: object, code: string, path: string, found: string | undefined]
> = [
  ["a port that is a word", { port: "eighty" }, "CELLWS_E_DNA_TYPE", "--port", '"eighty" (a string)'],
  ["a port beyond the last", { port: "99999" }, "CELLWS_E_DNA_RANGE", "--port", "99999"],
  ["a negative port", { port: "-1" }, "CELLWS_E_DNA_RANGE", "--port", "-1"],
  ["a host that is none", { host: "a b" }, "CELLWS_E_DNA_VALUE", "--host", '"a b" (a string)'],
  ["a name that no folder should have", { name: "A/B" }, "CELLWS_E_DNA_VALUE", "--name", '"A/B" (a string)'],
  ["an admin port that is a word", { adminPort: "x" }, "CELLWS_E_DNA_TYPE", "--admin-port", '"x" (a string)'],
  [
    "an admin port on the app's",
    { adminPort: "8080" },
    "CELLWS_E_DNA_CONFLICT",
    "--admin-port",
    "8080, with listen[0] at 127.0.0.1:8080",
  ],
  ["an empty app", { app: "" }, "CELLWS_E_DNA_RANGE", "app (on the command line)", 'an empty string ("")'],
];

for (const [title, overrides, code, path, found] of flagMistakes) {
  test(`${title}, on the command line, is told by the flag's name`, () => {
    const [diagnostic, ...others] = diagnosticsOf({ app }, { overrides });
    assert.deepEqual(others, []);
    assert.deepEqual([diagnostic!.code, diagnostic!.path, diagnostic!.found], [code, path, found]);
    assert.ok(diagnostic!.message.startsWith(path), diagnostic!.message);
  });
}

test("a flag that collides with what the DNA says is named, though the complaint is about another key", () => {
  const [diagnostic] = diagnosticsOf({ app, listen: [{ port: 1 }, { port: 2 }] }, { overrides: { port: 2 } });
  assert.equal(diagnostic!.path, "--port");
  assert.match(diagnostic!.hint!, /listen\[0\]\.port came from --port\.$/);
});

test("a flag for a key that is not built yet is refused by the flag's name", () => {
  const later = [{ pattern: "admin", mechanism: "The admin listener", meanwhile: "Use status." }];
  const [diagnostic] = diagnosticsOf({ app }, { overrides: { adminPort: "0" }, later });
  assert.deepEqual([diagnostic!.code, diagnostic!.path], ["CELLWS_E_NOT_YET", "--admin-port"]);
  assert.equal(diagnostic!.message, "--admin-port: the admin listener is not built yet");
});

test("a DNA's own mistake is not blamed on a flag that covers it", () => {
  assert.deepEqual(
    diagnosticsOf({ app, name: "A/B", listen: [{ port: "x" }] }, { overrides: { name: "ab", port: 1 } }),
    [],
  );
});

test("flags lie over a DNA whose listen is mistaken, and the DNA's mistake is told", () => {
  const told = diagnosticsOf({ app, listen: "8080" }, { overrides: { port: 1 } });
  assert.deepEqual(
    told.map(({ code, path }) => [code, path]),
    [["CELLWS_E_DNA_TYPE", "listen"]],
  );
});

test("a $schema for editors is no key of the DNA, and no mistake", () => {
  assert.deepEqual(diagnosticsOf({ $schema: "./dna.schema.json", app }), []);
});
