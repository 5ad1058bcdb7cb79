/** Makes plain data unchangeable all the way down, so that it can be handed to anybody without copies. */

/** Freezes `value` in place and returns it. For trees of plain objects and arrays only: a cycle would not end. */
export function deepFreeze<T>(value: T): T {
  if (typeof value === "object" && value !== null) {
    for (const child of Object.values(value)) deepFreeze(child);
    Object.freeze(value);
  }
  return value;
}
