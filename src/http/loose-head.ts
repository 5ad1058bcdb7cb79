/**
 * Reads what can be read of a head that was refused: for rules, which may know what its sender wanted. Nothing that it
 * finds is ever acted on, so it need not be right, only quick and bounded by the head's own length.
 */
import type { HeaderList } from "./message.ts";

export interface LooseHead {
  readonly method: string;
  readonly target: string;
  /** As it came; HTTP/0.9 where there is none. */
  readonly protocol: string;
  readonly headers: HeaderList;
}

export function readLooseHead(text: string): LooseHead {
  const end = /\r?\n\r?\n/.exec(text);
  const [line = "", ...fields] = (end === null ? text : text.slice(0, end.index)).split(/\r?\n/);
  // A blank belongs into no target, and attackers put some there: so the first and the last divide.
  const first = line.indexOf(" ");
  const last = line.lastIndexOf(" ");
  const hasProtocol = last > first && /^HTTP\//i.test(line.slice(last + 1));
  const headers: string[] = [];
  for (const field of fields) {
    const colon = field.indexOf(":");
    if (colon > 0) headers.push(field.slice(0, colon), field.slice(colon + 1).trim());
  }
  return {
    method: first === -1 ? line : line.slice(0, first),
    target: first === -1 ? "" : line.slice(first + 1, hasProtocol ? last : undefined),
    protocol: hasProtocol ? line.slice(last + 1) : "HTTP/0.9",
    headers,
  };
}
