/** How loud a log line is, quietest first. The names are those of most loggers, so that nobody has to learn them. */
export const logLevels = ["trace", "debug", "info", "warn", "error", "fatal"] as const;
export type LogLevel = (typeof logLevels)[number];

/** Whether `level` is at least as loud as `least`. A level that we do not know is never hidden. */
export function isAtLeast(level: string, least: LogLevel): boolean {
  const rank = logLevels.findIndex((known) => known === level);
  return rank < 0 || rank >= logLevels.indexOf(least);
}
