/**
 * Shapes: checks for values that came off a wire. A shape says what is wrong, or nothing.
 *
 * A validation library would do, and the DNA uses one; but every cell checks kin messages from its first millisecond,
 * and loading that library takes about as long as all the rest of a cell's birth. The protocol needs a dozen checks.
 */

/** Says what is wrong with a value ("class: expected one of ..."), or null. */
export type Shape = (value: unknown) => string | null;

export const text =
  (lengthMax: number): Shape =>
  (value) =>
    typeof value === "string" && value.length <= lengthMax ? null : `expected text of at most ${lengthMax} characters`;

export const integer =
  (min: number, max: number): Shape =>
  (value) =>
    typeof value === "number" && Number.isInteger(value) && value >= min && value <= max
      ? null
      : `expected an integer from ${min} to ${max}`;

/** Finite, whole or not. */
export const number =
  (min: number, max: number): Shape =>
  (value) =>
    typeof value === "number" && value >= min && value <= max ? null : `expected a number from ${min} to ${max}`;

export const boolean: Shape = (value) => (typeof value === "boolean" ? null : "expected true or false");

/** A field that may be left out. */
export const optional =
  (shape: Shape): Shape =>
  (value) =>
    value === undefined ? null : shape(value);

export const oneOf =
  (...values: readonly string[]): Shape =>
  (value) =>
    values.includes(value as string) ? null : `expected one of ${values.join(", ")}`;

export const nullable =
  (shape: Shape): Shape =>
  (value) =>
    value === null ? null : shape(value);

export const listOf =
  (lengthMax: number, item: Shape): Shape =>
  (value) => {
    if (!Array.isArray(value) || value.length > lengthMax) return `expected a list of at most ${lengthMax}`;
    for (const [i, member] of value.entries()) {
      const wrong = item(member);
      if (wrong !== null) return `[${i}]: ${wrong}`;
    }
    return null;
  };

/** A list of fixed length, each place with its own shape. */
export const tuple =
  (...items: readonly Shape[]): Shape =>
  (value) => {
    if (!Array.isArray(value) || value.length !== items.length) return `expected ${items.length} places`;
    for (const [i, item] of items.entries()) {
      const wrong = item(value[i]);
      if (wrong !== null) return `[${i}]: ${wrong}`;
    }
    return null;
  };

/** Exactly these fields, no others: an unknown field is a newer protocol or an attempt. */
export const object =
  (fields: Readonly<Record<string, Shape>>): Shape =>
  (value) => {
    if (typeof value !== "object" || value === null || Array.isArray(value)) return "expected an object";
    const given = value as Record<string, unknown>;
    for (const [name, shape] of Object.entries(fields)) {
      const wrong = shape(given[name]);
      if (wrong !== null) return `${name}: ${wrong}`;
    }
    for (const name of Object.keys(given)) if (!Object.hasOwn(fields, name)) return `${name}: not expected`;
    return null;
  };

/** Chooses the shape by a field's value, as in a discriminated union. */
export const variant =
  (field: string, shapes: Readonly<Record<string, Shape>>): Shape =>
  (value) => {
    const tag = typeof value === "object" && value !== null ? (value as Record<string, unknown>)[field] : undefined;
    const shape = typeof tag === "string" && Object.hasOwn(shapes, tag) ? shapes[tag] : undefined;
    return shape === undefined ? `${field}: expected one of ${Object.keys(shapes).join(", ")}` : shape(value);
  };
