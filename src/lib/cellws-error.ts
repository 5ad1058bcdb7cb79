/**
 * Failures that a person reads: the user's mistake, or something outside that the program cannot mend.
 *
 * Each has a stable code to search for, says what came, what was expected and what to do. Bugs are not
 * of this kind: they are InvariantErrors (assert.ts) and end the cell.
 */

/** 1: it failed though it was asked rightly; 2: the user's mistake. (0, done, needs no error.) */
export type ExitCode = 1 | 2;

export interface CellwsErrorDetails {
  /** Where in the DNA or the input: `cells.drone.max`, `listen[0].port`. */
  path?: string;
  /** What was found there, shortened for print. */
  found?: string;
  /** What would be right. */
  expected?: string;
  /** What to do about it. One sentence in the imperative. */
  hint?: string;
  cause?: unknown;
}

/**
 * @example throw new CellwsError("CELLWS_E_PORT_IN_USE", 1, "port 8080 on 127.0.0.1 is in use", {
 *   hint: "Stop the program that listens there, or choose another with --port.",
 * });
 */
export class CellwsError extends Error {
  override name = "CellwsError";
  readonly code: `CELLWS_E_${string}`;
  readonly exitCode: ExitCode;
  readonly details: CellwsErrorDetails;

  constructor(code: `CELLWS_E_${string}`, exitCode: ExitCode, message: string, details: CellwsErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.exitCode = exitCode;
    this.details = details;
  }
}
