/**
 * How many bytes a pattern finds at least: a shorter value cannot match, whatever it holds. Most parameters of most
 * requests are a word or a number, and most patterns of attacks need more than that.
 */
import type { Node } from "./parse.ts";

export function leastBytes(node: Node): number {
  switch (node.kind) {
    case "bytes":
      return 1;
    case "sequence":
      return node.parts.reduce((sum, part) => sum + leastBytes(part), 0);
    case "choice":
      return Math.min(...node.branches.map(leastBytes));
    case "repeat":
      return node.min * leastBytes(node.node);
    case "group":
      return leastBytes(node.node);
    // A group that took no part is referred back to by nothing.
    case "reference":
    case "look":
    case "assertion":
      return 0;
  }
}
