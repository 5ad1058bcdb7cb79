/**
 * Text of an SVG picture: elements, attributes, escaping. What is drawn is decided elsewhere (chart.ts).
 * Numbers keep one decimal: a tenth of a pixel is nothing to see, and a plot in a repository should be small.
 */

export type Attributes = Readonly<Record<string, string | number | undefined>>;

/** One element. `content` is markup already: other elements, or `escapeXml(text)`. */
export function element(name: string, attributes: Attributes, content: string | readonly string[] = ""): string {
  const written = Object.entries(attributes)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => ` ${key}="${typeof value === "number" ? tenth(value) : escapeXml(String(value))}"`)
    .join("");
  const inner = typeof content === "string" ? content : content.join("\n");
  if (inner === "") return `<${name}${written}/>`;
  return typeof content === "string"
    ? `<${name}${written}>${inner}</${name}>`
    : `<${name}${written}>\n${inner}\n</${name}>`;
}

export function textElement(attributes: Attributes, text: string): string {
  return element("text", attributes, escapeXml(text));
}

/** Fit for content and for attributes. Control characters, which XML cannot carry at all, become a replacement mark. */
export function escapeXml(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;")
    .replace(UNFIT, "\ufffd");
}

/** `M1 2L3 4`: a path through points; a null breaks the line. */
export function pathThrough(points: ReadonlyArray<readonly [x: number, y: number] | null>): string {
  let path = "";
  let isDown = false;
  for (const point of points) {
    if (point !== null) path += `${isDown ? "L" : "M"}${tenth(point[0])} ${tenth(point[1])}`;
    isDown = point !== null;
  }
  return path;
}

export function tenth(value: number): string {
  const rounded = Math.round(value * 10) / 10;
  return String(Object.is(rounded, -0) ? 0 : rounded);
}

// eslint-disable-next-line no-control-regex
const UNFIT = /[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]/g;
