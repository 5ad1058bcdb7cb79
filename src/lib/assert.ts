/**
 * Assertions that stay on in production: a broken invariant means a bug, and a cell with a bug
 * should die and be replaced rather than go on with a state that nobody has thought about.
 */

/** Thrown by `assert`. Never caught to continue: the cell logs it and dies. */
export class InvariantError extends Error {
  override name = "InvariantError";
}

/** Throws an InvariantError unless `condition` holds. `message` says what should have been true. */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new InvariantError(message);
}

/** For the default branch of an exhaustive switch: the compiler proves that it is never reached. */
export function unreachable(value: never): never {
  throw new InvariantError(`unexpected value: ${JSON.stringify(value)}`);
}
