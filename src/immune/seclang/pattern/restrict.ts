/**
 * What a pattern comes to on values that hold some bytes only: branches that need another one go, and so do optional
 * parts. `b["'\\]*u["'\\]*s["'\\]*y` is no more than the word "busy" where there are no quotes and no backslashes.
 */
import type { ByteSet, Node } from "./parse.ts";

/** Null: on such values it cannot match. */
export function restrictTo(node: Node, bytes: ByteSet): Node | null {
  switch (node.kind) {
    case "bytes": {
      const both = node.bytes.map((is, byte) => is & bytes[byte]!);
      return both.includes(1) ? { kind: "bytes", bytes: both } : null;
    }
    case "sequence": {
      const parts: Node[] = [];
      for (const part of node.parts) {
        const restricted = restrictTo(part, bytes);
        if (restricted === null) return null;
        parts.push(restricted);
      }
      return { kind: "sequence", parts };
    }
    case "choice": {
      const branches = node.branches.flatMap((branch) => restrictTo(branch, bytes) ?? []);
      return branches.length === 0 ? null : { kind: "choice", branches };
    }
    case "repeat": {
      const inner = restrictTo(node.node, bytes);
      if (inner !== null) return { ...node, node: inner };
      return node.min === 0 ? { kind: "sequence", parts: [] } : null;
    }
    case "group": {
      const inner = restrictTo(node.node, bytes);
      return inner === null ? null : { ...node, node: inner };
    }
    case "look":
      return !node.negated && restrictTo(node.node, bytes) === null ? null : node;
    case "assertion":
    case "reference":
      return node;
  }
}
