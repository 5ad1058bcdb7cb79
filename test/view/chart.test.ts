// Charts are looked at by people; what can be asserted is that nothing is lost or breaks the file.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { niceStep, rulerOf } from "../../src/view/axis.ts";
import { renderChart } from "../../src/view/chart.ts";
import { escapeXml, pathThrough } from "../../src/view/svg.ts";

const texts = (ruler: ReturnType<typeof rulerOf>): string[] => ruler.ticks.map(({ text }) => text);

describe("an axis", () => {
  test("has its marks at round numbers, of time at what clocks show, and of a logarithm at powers of ten", () => {
    assert.deepEqual(texts(rulerOf({ label: "" }, [0, 7], 4)), ["0", "2", "4", "6", "8"]);
    assert.deepEqual(texts(rulerOf({ label: "" }, [0.1, 0.3], 3)), ["0", "0.1", "0.2", "0.3"]);
    assert.deepEqual(texts(rulerOf({ label: "", scale: "time" }, [0, 600_000], 6)), [
      "0",
      "2 min",
      "4 min",
      "6 min",
      "8 min",
      "10 min",
    ]);
    assert.deepEqual(texts(rulerOf({ label: "", scale: "time" }, [0, 86_400_000], 5)), [
      "0",
      "6 h",
      "12 h",
      "18 h",
      "24 h",
    ]);
    assert.deepEqual(texts(rulerOf({ label: "", scale: "log" }, [100, 100_000], 9)), ["100", "1k", "10k", "100k"]);
  });

  test("shows a range of its own where there is no data, or data of one value", () => {
    for (const values of [[], [0], [5], [Number.NaN], [Number.POSITIVE_INFINITY]]) {
      const ruler = rulerOf({ label: "" }, values, 5);
      assert.ok(ruler.to > ruler.from && ruler.ticks.length >= 2, String(values));
    }
  });

  test("holds all its data between its ends, with no more marks than there is room for, and one", () => {
    const number = fc.double({ min: -1e9, max: 1e9, noNaN: true, noDefaultInfinity: true });
    fc.assert(
      fc.property(
        fc.array(number, { minLength: 1, maxLength: 20 }),
        fc.integer({ min: 2, max: 12 }),
        (values, room) => {
          const ruler = rulerOf({ label: "" }, values, room);
          for (const value of values) {
            const place = ruler.place(value);
            assert.ok(place >= -1e-6 && place <= 1 + 1e-6, `${value} at ${place}`);
          }
          assert.ok(ruler.ticks.length >= 1 && ruler.ticks.length <= room + 3, `${ruler.ticks.length} marks`);
        },
      ),
    );
  });

  test("bears values that differ by less than there are steps for", () => {
    const ruler = rulerOf({ label: "" }, [0, 5e-324], 4);
    assert.deepEqual([ruler.place(0), ruler.place(5e-324) < 1e-6, ruler.ticks.length > 0], [0, true, true]);
    const large = rulerOf({ label: "" }, [-999_999_999.9999973, -999_999_999.9999974], 2);
    assert.ok(large.place(-999_999_999.9999973) >= 0 && large.place(-999_999_999.9999974) <= 1);
  });

  test("steps by 1, 2 or 5", () => {
    assert.deepEqual([0.03, 1, 1.1, 3, 7, 99].map(niceStep), [0.05, 1, 2, 5, 10, 100]);
  });
});

describe("a chart", () => {
  const points = Array.from({ length: 10_000 }, (_, i) => [i, i === 5_000 ? 1_000 : i % 7] as const);

  test("names its axes, its series and its marks, and escapes what would break it", () => {
    const svg = renderChart({
      title: "a <b> & c",
      notes: ["a note"],
      x: { label: "time", scale: "time" },
      panels: [
        { y: { label: "drones" }, series: [{ name: "real", kind: "step", color: "blue", points }] },
        {
          y: { label: "waiting, ms" },
          series: [{ name: '"simulated"', kind: "area", color: "orange", dash: "dashed", points }],
          marks: [{ x: 5_000, text: "killed" }],
        },
      ],
    });
    for (const text of ["a &lt;b&gt; &amp; c", "a note", ">time<", ">drones<", ">waiting, ms<", ">real<", "killed"])
      assert.ok(svg.includes(text), text);
    assert.ok(!svg.includes("NaN") && !svg.includes("undefined") && !svg.includes("Infinity"));
    assert.match(svg, /^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg" viewBox="0 0 960 [\d.]+"/);
    assert.match(svg, /<\/svg>\n$/);
  });

  test("stays small however long its series, and keeps the one point that stands out", () => {
    const draw = (kind: "line" | "dots"): string =>
      renderChart({
        title: "",
        x: { label: "" },
        panels: [{ y: { label: "", to: 1_000 }, series: [{ name: "", kind, color: "blue", points }] }],
      });
    const svg = draw("line");
    assert.ok(svg.length < 60_000, `${svg.length} characters`);
    const heights = [.../ d="(M[^"]*)"/.exec(svg)![1]!.matchAll(/ ([\d.]+)/g)].map(([, y]) => Number(y));
    assert.ok(Math.min(...heights) < 70, "the peak is drawn");
    assert.equal([...draw("dots").matchAll(/<circle/g)].length, 10_000 + 1);
  });

  test("breaks a line where nothing is known", () => {
    assert.equal(pathThrough([[0, 0], [1, 1], null, [2.04, 2]]), "M0 0L1 1M2 2");
    const gaps = [
      [0, 1],
      [1, null],
      [2, 3],
    ] as const;
    for (const kind of ["line", "step", "area", "dots", "marked"] as const) {
      const svg = renderChart({
        title: "",
        x: { label: "" },
        panels: [{ y: { label: "" }, series: [{ name: "", kind, color: "blue", points: gaps }] }],
      });
      assert.ok(!svg.includes("NaN"), kind);
    }
  });

  test("is sound without any data", () => {
    const svg = renderChart({
      title: "nothing",
      x: { label: "", scale: "log" },
      panels: [{ y: { label: "", scale: "log" }, series: [] }],
    });
    assert.ok(!svg.includes("NaN"));
  });

  test("carries no character that XML cannot", () => {
    assert.equal(escapeXml('<a b="c">\x00\x1b&\n'), "&lt;a b=&quot;c&quot;&gt;\ufffd\ufffd&amp;\n");
  });
});
