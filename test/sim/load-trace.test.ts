// A load over time, as users give it.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { CellwsError } from "../../src/lib/cellws-error.ts";
import { parseTraceCsv, shapedTrace, shapeNames, timesAsMuch, TraceReader } from "../../src/sim/load-trace.ts";

const read = (text: string): ReturnType<typeof parseTraceCsv> => parseTraceCsv(text, { file: "load.csv", costMs: 20 });

function mistakeOf(text: string): CellwsError {
  try {
    read(text);
  } catch (error) {
    assert.ok(error instanceof CellwsError);
    assert.deepEqual([error.code, error.exitCode], ["CELLWS_E_TRACE", 2]);
    assert.match(error.details.hint ?? "", /Nothing was simulated or written\.$/);
    return error;
  }
  return assert.fail("it was accepted");
}

describe("a CSV", () => {
  test("is read with names or without, with units or without, with comments, quotes and any end of line", () => {
    const expected = [
      { atMs: 0, ratePerSecond: 10, costMs: 12 },
      { atMs: 90_000, ratePerSecond: 2.5, costMs: 20 },
      { atMs: 120_000, ratePerSecond: 0, costMs: 1_500 },
    ];
    for (const text of [
      "0,10,12\n90,2.5\n120,0,1500\n",
      "\ufefftime,requests/s,cost\r\n0,10,12ms\r\n\r\n90s,2.5,\r\n2m,0,1.5s",
      '# measured\ntime_s, rps , cost (ms)\n"0", "10" , "12"\n 1.5m , 2.5 , 20 ms\n# then\n2min,0,1500',
      "1700000000,10,12\n1700000090,2.5,20\n1700000120,0,1500\n",
    ]) {
      const trace = read(text);
      assert.deepEqual(trace.points, expected, text);
      // The last row holds as long as the one before it.
      assert.equal(trace.durationMs, 150_000);
    }
  });

  test("with a mistake is refused with line, column, what was found and what was expected", () => {
    const cases: Array<[text: string, place: string, found: string, expected: RegExp]> = [
      ["0,10\n60,x\n", "load.csv:2:4", "x", /requests a second/],
      ["0,10\n60,-1\n", "load.csv:2:4", "-1", /from 0/],
      ["0,1e9", "load.csv:1:3", "1e9", /requests a second/],
      ["time,rps\n\n0,10,0\n", "load.csv:3:6", "0", /above 0/],
      ["0,10\n0,20\n", "load.csv:2:1", "0", /after the row before it \(0 s\)/],
      ["0;10;20\n", "load.csv:1:1", "0;10;20", /commas and not by semicolons/],
      ["0,10,1,5\n", "load.csv:1:8", "5", /point and not a comma/],
      ["soon,10\n0,10\n", "load.csv:1:1", "soon", /./],
      ["rps,time\n0,10\n", "load.csv:1:1", "rps", /time as the first column/],
      ["0,\n", "load.csv:1:3", "nothing", /requests a second/],
    ];
    for (const [text, path, found, expected] of cases) {
      const { details } = mistakeOf(text);
      assert.deepEqual([details.path, details.found], [path, found], text);
      assert.match(details.expected ?? "", expected);
    }
  });

  test("has all its mistakes told, and of very many their number", () => {
    assert.match(mistakeOf("0,x\n1,y\n2,z\n").details.hint ?? "", /line 2, column 3: .*\nline 3, column 3: /);
    const many = Array.from({ length: 500 }, (_, i) => `${i},x`).join("\n");
    const hint = mistakeOf(many).details.hint ?? "";
    assert.ok(hint.split("\n").length < 15);
    assert.match(hint, /and 489 more/);
  });

  test("without rows, or of more than a month, is refused", () => {
    for (const text of ["", "\n# nothing\n", "time,rps,cost\n"]) assert.match(mistakeOf(text).message, /no rows/);
    assert.match(mistakeOf("0,1\n1000d,1\n").details.found ?? "", /1000 days/);
  });

  test("of whatever text is read or refused, and nothing else", () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...Array.from('0123456789.,;\n" #smt-e')) }), (text) => {
        try {
          const { points, durationMs } = read(text);
          assert.ok(points.length > 0 && durationMs > 0);
        } catch (error) {
          assert.ok(error instanceof CellwsError, String(error));
        }
      }),
    );
  });
});

describe("a shape", () => {
  const options = { from: 10, to: 80, durationMs: 600_000, costMs: 5 };

  test("begins at rest, reaches its height, and never leaves the two", () => {
    for (const name of shapeNames) {
      const trace = shapedTrace(name, options);
      const reader = new TraceReader(trace);
      const rates = Array.from({ length: 601 }, (_, i) => reader.at(i * 1_000).ratePerSecond);
      assert.equal(Math.max(...rates), 80, name);
      assert.ok(Math.min(...rates) >= 10 && Math.min(...rates) < 11, name);
      assert.ok(trace.points.every(({ costMs }) => costMs === 5));
    }
  });

  test("goes straight between its points, and jumps where two are of one time", () => {
    const at = (name: (typeof shapeNames)[number], ms: number): number =>
      new TraceReader(shapedTrace(name, options)).at(ms).ratePerSecond;
    assert.equal(at("ramp", 120_000), 45);
    assert.deepEqual(
      [at("step", 59_999), at("step", 60_000), at("step", 359_999), at("step", 360_000)],
      [10, 80, 80, 10],
    );
  });

  test("can be had several times as high", () => {
    const reader = new TraceReader(timesAsMuch(shapedTrace("step", options), 10));
    assert.equal(reader.at(100_000).ratePerSecond, 800);
  });
});
