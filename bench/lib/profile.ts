/**
 * What V8's sampling profiler wrote (.cpuprofile, the format of the Chrome DevTools protocol's Profiler.Profile), as sums and as
 * a flame graph. A frame's width is the share of samples in which it was on the stack; what stands beside what says
 * nothing about time, only about who called whom.
 */
import { element, escapeXml, tenth, textElement } from "../../src/view/svg.ts";

interface ProfileNode {
  readonly id: number;
  readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number };
  readonly children?: readonly number[];
}

export interface CpuProfile {
  readonly nodes: readonly ProfileNode[];
  /** The node that was on top of the stack at each sample, and microseconds since the one before. */
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

export interface Frame {
  readonly name: string;
  /** File and line; empty for what is no code of anybody's. */
  readonly place: string;
  selfUs: number;
  totalUs: number;
  readonly children: Map<string, Frame>;
}

/** V8's own frames that are no work: waiting, and the program outside of JavaScript while nothing runs. */
const idle = new Set(["(idle)", "(program)"]);

/** The call tree of several profiles together, without idle time. Its root's `totalUs` is all the time that was busy. */
export function mergeProfiles(profiles: readonly CpuProfile[]): Frame {
  const root: Frame = { name: "all", place: "", selfUs: 0, totalUs: 0, children: new Map() };
  for (const { nodes, samples, timeDeltas } of profiles) {
    const selfUs = new Map<number, number>();
    for (const [i, id] of samples.entries()) selfUs.set(id, (selfUs.get(id) ?? 0) + Math.max(0, timeDeltas[i] ?? 0));
    const byId = new Map(nodes.map((node) => [node.id, node]));
    const top = nodes.find(({ callFrame }) => callFrame.functionName === "(root)");
    for (const id of top?.children ?? []) addTree(root, id, byId, selfUs);
  }
  root.totalUs = [...root.children.values()].reduce((sum, { totalUs }) => sum + totalUs, 0);
  return root;
}

/** Functions by the time that they spent themselves, the dearest first. */
export function dearest(root: Frame, countMax: number): Array<{ name: string; place: string; selfUs: number }> {
  const sums = new Map<string, { name: string; place: string; selfUs: number }>();
  const visit = (frame: Frame): void => {
    const key = `${frame.name} ${frame.place}`;
    const sum = sums.get(key) ?? { name: frame.name, place: frame.place, selfUs: 0 };
    sums.set(key, { ...sum, selfUs: sum.selfUs + frame.selfUs });
    for (const child of frame.children.values()) visit(child);
  };
  visit(root);
  return [...sums.values()].sort((a, b) => b.selfUs - a.selfUs).slice(0, countMax);
}

const width = 1200;
const rowHeight = 16;
/** Narrower than this nobody can see, and the file would be megabytes. */
const widthMin = 0.6;
const letterWidth = 6.4;

/** The flame graph as SVG: callers below, the called above; hover for names. */
export function flameGraph(root: Frame, title: string): string {
  const rows: string[] = [];
  let depthMax = 0;
  const draw = (frame: Frame, x: number, depth: number): void => {
    const w = (frame.totalUs / root.totalUs) * width;
    if (w < widthMin) return;
    depthMax = Math.max(depthMax, depth);
    rows.push(bar(frame, root, { x, depth, w }));
    let at = x;
    for (const child of [...frame.children.values()].sort((a, b) => b.totalUs - a.totalUs)) {
      draw(child, at, depth + 1);
      at += (child.totalUs / root.totalUs) * width;
    }
  };
  draw(root, 0, 0);
  const height = (depthMax + 3) * rowHeight;
  // Depth 0 is the lowest row.
  const flipped = rows.map((row) =>
    row.replaceAll(/DEPTH(\d+)/g, (_, depth: string) => String(height - (Number(depth) + 1) * rowHeight)),
  );
  return element(
    "svg",
    {
      xmlns: "http://www.w3.org/2000/svg",
      width,
      height,
      viewBox: `0 0 ${width} ${height}`,
      "font-family": "sans-serif",
      "font-size": 11,
    },
    [
      element("rect", { width, height, fill: "#ffffff" }),
      textElement({ x: 4, y: 14, "font-size": 13 }, title),
      ...flipped,
    ],
  );
}

function bar({ name, place, totalUs }: Frame, root: Frame, at: { x: number; depth: number; w: number }): string {
  const share = ((100 * totalUs) / root.totalUs).toFixed(1);
  const text = `${name}${place === "" ? "" : ` ${place}`}`;
  const lettersMax = Math.floor((at.w - 6) / letterWidth);
  const label = lettersMax < 4 ? "" : text.length <= lettersMax ? text : `${text.slice(0, lettersMax - 1)}…`;
  const y = `DEPTH${at.depth}`;
  return element("g", {}, [
    element("title", {}, escapeXml(`${text}: ${share} %`)),
    element("rect", {
      x: tenth(at.x),
      y,
      width: tenth(Math.max(0.4, at.w - 0.4)),
      height: rowHeight - 1,
      fill: colorOf(place, name),
    }),
    ...(label === "" ? [] : [textElement({ x: tenth(at.x + 3), y, dy: 11.5 }, label)]),
  ]);
}

/** By whose code it is: ours, Node's, the app's or a library's, V8's and the system's. */
function colorOf(place: string, name: string): string {
  if (place.startsWith("cellws ")) return "#f4b183";
  if (place.startsWith("node:")) return "#9dc3e6";
  if (place !== "") return "#a9d18e";
  return name === "(garbage collector)" ? "#d0a0c0" : "#d9d9d9";
}

function addTree(
  parent: Frame,
  id: number,
  byId: ReadonlyMap<number, ProfileNode>,
  selfUs: ReadonlyMap<number, number>,
): number {
  const node = byId.get(id);
  if (node === undefined || idle.has(node.callFrame.functionName)) return 0;
  const { functionName, url, lineNumber } = node.callFrame;
  const name = functionName === "" ? "(anonymous)" : functionName;
  const place = placeOf(url, lineNumber);
  const key = `${name} ${place}`;
  const frame = parent.children.get(key) ?? { name, place, selfUs: 0, totalUs: 0, children: new Map<string, Frame>() };
  parent.children.set(key, frame);
  const own = selfUs.get(id) ?? 0;
  let total = own;
  for (const child of node.children ?? []) total += addTree(frame, child, byId, selfUs);
  frame.selfUs += own;
  frame.totalUs += total;
  return total;
}

/** Ours by its folder in the package, others by the end of their path. */
function placeOf(url: string, line: number): string {
  if (url === "" || url.startsWith("node:")) return url;
  const path = url.replace(/^file:\/\//, "");
  const own = /\/(?:src|dist)\/((?:app|cells|core|host|http|immune|lib|wire)\/.*)$/.exec(path)?.[1];
  return own === undefined ? path.split("/").slice(-2).join("/") : `cellws ${own}:${line + 1}`;
}
