/** What controls have taken, in this exchange, out of what rules look at. */
import type { Rule } from "../rule.ts";
import type { Transaction } from "../transaction.ts";
import type { CompiledRules, Link, Taken } from "./compile.ts";
import type { Evaluation } from "./evaluation.ts";

/** Null: nothing, as for nearly all rules. */
export function takenFrom(transaction: Transaction, evaluation: Evaluation, link: Link, head: Rule): Taken | null {
  const { removedTargets } = transaction;
  if (removedTargets.length === 0) return null;
  const memo = memoFor(removedTargets, evaluation.compiled);
  let taken = memo.get(link);
  if (taken === undefined) {
    taken = findTaken(removedTargets, evaluation.compiled, link, head);
    memo.set(link, taken);
  }
  return taken;
}

function findTaken(removed: RemovedTargets, compiled: CompiledRules, link: Link, head: Rule): Taken | null {
  const targets = removed
    .filter(({ select, target }) => link.variables.has(target.variable) && compiled.selected(select).has(head))
    .map(({ target }) => target);
  if (targets.length === 0) return null;
  const whole = targets.filter(({ selector }) => selector.kind === "all");
  return { targets, wholly: new Set(whole.map(({ variable }) => variable)) };
}

type RemovedTargets = Transaction["removedTargets"];

/** Most exchanges have the same targets removed as the one before: so the answers for these are kept. */
function memoFor(removed: RemovedTargets, { taken }: CompiledRules): Map<Link, Taken | null> {
  const isSame =
    taken.removed.length === removed.length &&
    removed.every(({ select, target }, index) => {
      const other = taken.removed[index]!;
      return select === other.select && target === other.target;
    });
  if (!isSame) {
    taken.removed = [...removed];
    taken.byLink = new Map();
  }
  return taken.byLink;
}
