/** Parts of a request-target as rules see them. Nothing is normalized: what the client sent is what is judged. */

export interface TargetParts {
  /** Path and query, without the scheme and host that a proxy's client sends. */
  readonly uri: string;
  /** The path, with its percent escapes undone. */
  readonly filename: string;
  /** Behind the path's last slash or backslash. */
  readonly basename: string;
  /** Behind the first question mark. */
  readonly query: string;
}

export function splitTarget(target: string): TargetParts {
  const uri = target.replace(/^[A-Za-z][A-Za-z0-9+.-]*:\/\/[^/?#]*/, "");
  const question = uri.indexOf("?");
  const rawPath = question === -1 ? uri : uri.slice(0, question);
  const filename = decodePercent(rawPath);
  const basename = filename.slice(Math.max(filename.lastIndexOf("/"), filename.lastIndexOf("\\")) + 1);
  return { uri, filename, basename, query: question === -1 ? "" : uri.slice(question + 1) };
}

/** In a path + is itself. */
function decodePercent(text: string): string {
  if (!text.includes("%")) return text;
  return text.replace(/%([0-9A-Fa-f]{2})/g, (_whole, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 16)),
  );
}
