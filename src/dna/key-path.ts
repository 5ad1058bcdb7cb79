/**
 * Where in the DNA something is: ["listen", 0, "port"], written `listen[0].port`.
 *
 * A pattern stands for many places: `listen[].port` is the port of every listener, `cells.*.max` the
 * maximum of every class. Pure text and comparison; nothing here knows which keys exist.
 */

export type KeyPath = ReadonlyArray<string | number>;

/** `listen[0].port`, `env["my-key"]`; the root is "". */
export function formatKeyPath(path: KeyPath): string {
  let text = "";
  for (const key of path) {
    if (typeof key === "number") text += `[${key}]`;
    else if (!/^[A-Za-z_$][\w$]*$/.test(key)) text += `[${JSON.stringify(key)}]`;
    else text += text === "" ? key : `.${key}`;
  }
  return text;
}

/** True when `path` is `ancestor` or lies under it. */
export function isWithin(path: KeyPath, ancestor: KeyPath): boolean {
  return ancestor.length <= path.length && ancestor.every((key, index) => key === path[index]);
}

/** The value at `path`; undefined when there is nothing. */
export function valueAt(root: unknown, path: KeyPath): unknown {
  let value = root;
  for (const key of path) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, key)) return undefined;
    value = (value as Record<string | number, unknown>)[key];
  }
  return value;
}

/** All places in `root` that a pattern names and that hold something other than undefined or null. */
export function placesOf(root: unknown, pattern: string): KeyPath[] {
  let places: Array<{ path: KeyPath; value: unknown }> = [{ path: [], value: root }];
  for (const step of pattern.replaceAll("[]", ".[]").split(".")) {
    places = places.flatMap(({ path, value }) =>
      childrenBy(step, value).map((child) => ({ path: [...path, child.key], value: child.value })),
    );
  }
  return places.map(({ path }) => path);
}

function childrenBy(step: string, value: unknown): Array<{ key: string | number; value: unknown }> {
  if (typeof value !== "object" || value === null) return [];
  if (Array.isArray(value) !== (step === "[]")) return [];
  const children = Array.isArray(value)
    ? value.map((item: unknown, key) => ({ key, value: item }))
    : Object.entries(value).flatMap(([key, item]: [string, unknown]) =>
        step === "*" || step === key ? [{ key, value: item }] : [],
      );
  return children.filter((child) => child.value !== undefined && child.value !== null);
}
