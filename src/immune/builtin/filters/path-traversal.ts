import { pattern, type Filter } from "../filter.ts";
import { INPUT } from "../places.ts";

/** What sites themselves refer to in this way. */
const ASSET =
  /\.(?:js|mjs|cjs|jsx|ts|tsx|css|scss|less|map|png|jpe?g|gif|svg|webp|avif|ico|woff2?|html?|md|json|vue|svelte)(?:[?#:]\S{0,100})?$/i;
const CLIMBS = /^(?:file:\/*)?(?:[\w.-]*[\\/]){0,6}?\.{2,}(?:[\\/]+\.{2,}){1,}(?:[\\/]|$)/;

/** A path is short. */
const CHARS_READ = 1024;

function search(text: string): string | null {
  const value = text.slice(0, CHARS_READ).trim();
  return CLIMBS.test(value) && !ASSET.test(value) ? value : null;
}

export const pathTraversal: Filter = {
  id: 100_401,
  name: "path-traversal",
  message: "A value climbs out of its folder",
  attackClass: "file-inclusion",
  score: 5,
  catches:
    "Paths that go up more than one folder (../../), and single steps that are encoded twice, overlong or broken up so that only a careless reader sees them; any step up in the request's path.",
  letsPass: "One step up; relative paths to scripts, styles, pictures and pages, as source maps and markup have them.",
  example: "../../../../etc/passwd",
  places: [...INPUT, "file-name", "header"],
  checks: [
    { kind: "search", form: "plain", inText: "excused", gate: /\.\.[/\\]/, search },
    pattern("raw", `(?:^|[/\\\\])\\.{2,3}(?:;[^/\\\\]*)?(?:[/\\\\]|$)`, { places: ["path"], inText: "counts" }),
    pattern("plain", `(?:^|[/\\\\])\\.{2,3}(?:;[^/\\\\]*)?[/\\\\]`, { places: ["path"], inText: "counts" }),
    pattern(
      "raw",
      `(?:%25|%)*(?:%2e|\\.|%c0%ae|%u002e){2}(?:%2f|%5c|%c0%af|%c1%9c|%u2215|%u2216|%252f|%255c|%c1%1c)|(?:%2e|%c0%ae|%252e){2}(?:[/\\\\]|%2f|%5c|%252f|%255c)|\\.\\.\\xc0\\xaf|\\xc0\\xae\\xc0\\xae`,
      { inText: "counts" },
    ),
    pattern(
      "plain",
      `(?:\\.\\.[/\\\\]+){2}(?:[\\w.-]+[/\\\\])*(?:etc|proc|windows|winnt|boot\\.ini|passwd|shadow|\\.env|\\.git|wp-config|web\\.config|web-inf|var[/\\\\]log|global\\.asa|config\\.(?:php|inc|ya?ml|xml))`,
    ),
    pattern("plain", `(?:^|[/\\\\=])\\.\\.\\.(?:[/\\\\]|$)\\.*[/\\\\]?\\.\\.|\\.\\.(?:;[^/]*)?[/\\\\]+\\.\\.;`),
  ],
};
