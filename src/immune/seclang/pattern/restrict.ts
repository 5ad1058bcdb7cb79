/**
 * What a pattern comes to on values that hold some bytes only: branches that need another one go, and so do optional
 * parts. `b["'\\]*u["'\\]*s["'\\]*y` is no more than the word "busy" where there are no quotes and no backslashes.
 */
import type { ByteSet, Node } from "./parse.ts";

/** Null: on such values it cannot match. */
export function restrictTo(node: Node, bytes: ByteSet): Node | null {
  // Sets are shared by the nodes of a pattern: it has thousands of nodes, and some dozens of sets.
  return restrict(node, bytes, new Map());
}

type Restricted = Map<ByteSet, ByteSet | null>;

function restrict(node: Node, bytes: ByteSet, known: Restricted): Node | null {
  switch (node.kind) {
    case "bytes": {
      const both = intersect(node.bytes, bytes, known);
      return both === null ? null : { kind: "bytes", bytes: both };
    }
    case "sequence": {
      const parts: Node[] = [];
      for (const part of node.parts) {
        const restricted = restrict(part, bytes, known);
        if (restricted === null) return null;
        parts.push(restricted);
      }
      return { kind: "sequence", parts };
    }
    case "choice": {
      const branches = node.branches.flatMap((branch) => restrict(branch, bytes, known) ?? []);
      return branches.length === 0 ? null : { kind: "choice", branches };
    }
    case "repeat": {
      const inner = restrict(node.node, bytes, known);
      if (inner !== null) return { ...node, node: inner };
      return node.min === 0 ? { kind: "sequence", parts: [] } : null;
    }
    case "group": {
      const inner = restrict(node.node, bytes, known);
      return inner === null ? null : { ...node, node: inner };
    }
    case "look":
      return !node.negated && restrict(node.node, bytes, known) === null ? null : node;
    case "assertion":
    case "reference":
      return node;
  }
}

/** Null: they share none. */
function intersect(left: ByteSet, right: ByteSet, known: Restricted): ByteSet | null {
  let both = known.get(left);
  if (both === undefined) {
    const shared = left.map((is, byte) => is & right[byte]!);
    both = shared.includes(1) ? shared : null;
    known.set(left, both);
  }
  return both;
}
