// Imports go one way, pure folders stay pure, and the checks that say so can fail: each is shown a planted violation.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { describe, test } from "node:test";

const root = path.resolve(import.meta.dirname, "../..");

/** Who may import whom: a layer's own files and those of the layers that it names, transitively spelled out. */
const pureLayers = ["lib", "core", "wire", "http", "view", "spec", "immune"];
const mayImport: Record<string, readonly string[]> = {
  lib: [],
  core: ["lib"],
  wire: ["lib", "core", "http", "immune"],
  http: ["lib"],
  view: ["lib", "core", "wire", "immune"],
  immune: ["lib", "core", "http"],
  spec: ["lib", "core"],
  dna: ["lib", "core"],
  app: ["lib", "core", "http", "wire", "dna"],
  sim: ["lib", "core", "wire", "dna", "spec"],
  host: ["lib", "core", "wire", "http", "dna", "app", "spec", "view", "immune"],
  body: ["lib", "core", "wire", "http", "dna", "app", "spec", "host", "immune"],
  cli: ["lib", "core", "wire", "http", "dna", "app", "view", "host", "sim", "body", "spec", "immune"],
  root: ["lib", "dna"],
};
/** The contract types of these single files may be used from anywhere: they hold no code. */
const typesForAll = new Set(["src/app/exchange.ts", "src/dna/dna.ts"]);

describe("imports", () => {
  test("go one way only", () => {
    assert.deepEqual(wrongImports(path.join(root, "src")), []);
  });

  test("are found where they go the wrong way", () => {
    const wrong = wrongImports(path.join(root, "test/tidy/planted/src"));
    assert.deepEqual(wrong, ["src/core/violation.ts imports ../host/proc.ts (core may not import host)"]);
  });

  test("do not join the production host with the simulated one", () => {
    assert.ok(!mayImport["host"]?.includes("sim") && !mayImport["sim"]?.includes("host"));
  });
});

describe("pure folders", () => {
  const impure =
    /\b(?:Math\.random|Date\.now|new Date\b|performance\.now|setTimeout|setInterval|setImmediate|process\.(?!title))/;

  test("use no clock, no randomness and no timer", () => {
    const found = pureFiles().filter((file) => impure.test(codeOf(file)));
    assert.deepEqual(found, []);
  });

  test("are found out where they do", () => {
    assert.match(codeOf("test/tidy/planted/src/core/violation.ts"), impure);
  });

  test("are refused by the compiler when they reach for Node", () => {
    const options = [
      "--noEmit",
      "--types",
      "",
      "--lib",
      "es2024",
      "--module",
      "nodenext",
      "--strict",
      "--skipLibCheck",
    ];
    const extra = ["--allowImportingTsExtensions", "--ignoreConfig"];
    const { status, stdout } = spawnSync(
      path.join(root, "node_modules/.bin/tsc"),
      [...options, ...extra, "test/tidy/planted/src/core/violation.ts", "src/lib/pure-globals.d.ts"],
      { cwd: root, encoding: "utf8" },
    );
    assert.notEqual(status, 0);
    for (const name of ["node:fs", "process", "setTimeout"])
      assert.match(stdout, new RegExp(`violation\\.ts.*${name}`));
  });

  test("are all in the compiler's list of pure folders", () => {
    const { include } = JSON.parse(codeOf("tsconfig.pure.json").replace(/^\s*\/\/.*$/gm, "")) as { include: string[] };
    for (const folder of ["lib", "core", "wire", "http", "view", "immune"])
      assert.ok(include.includes(`src/${folder}`), folder);
  });
});

function pureFiles(): string[] {
  return sourceFiles(path.join(root, "src"))
    .map((file) => path.relative(root, file))
    .filter((file) => pureLayers.includes(layerOf(file)) || file.startsWith("src/sim/"));
}

function wrongImports(folder: string): string[] {
  const base = path.dirname(folder);
  const wrong: string[] = [];
  for (const file of sourceFiles(folder)) {
    const from = path.relative(base, file);
    for (const specifier of importsOf(fs.readFileSync(file, "utf8"))) {
      const target = path.relative(base, path.resolve(path.dirname(file), specifier));
      const [layer, other] = [layerOf(from), layerOf(target)];
      const allowed = layer === other || mayImport[layer]?.includes(other) === true || typesForAll.has(target);
      if (!allowed) wrong.push(`${from} imports ${specifier} (${layer} may not import ${other})`);
    }
  }
  return wrong;
}

function layerOf(file: string): string {
  const [, folder = "", ...rest] = file.split(path.sep);
  if (rest.length === 0) return "root";
  if (folder !== "cells") return folder;
  return file.endsWith("spec.ts") || file.endsWith("specs.ts") ? "spec" : "body";
}

function importsOf(source: string): string[] {
  const pattern = /(?:\bfrom|\bimport)\s*\(?\s*"(\.[^"]+)"/g;
  return [...source.matchAll(pattern)].map((match) => match[1] ?? "");
}

/** Without comments, which may name what they speak about. */
function codeOf(file: string): string {
  const text = fs.readFileSync(path.join(root, file), "utf8");
  return text.replace(/\/\*[\s\S]*?\*\//g, "").replace(/\s\/\/.*$/gm, "");
}

function sourceFiles(folder: string): string[] {
  return fs
    .readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts") && !name.endsWith(".d.ts"))
    .map((name) => path.join(folder, name));
}
