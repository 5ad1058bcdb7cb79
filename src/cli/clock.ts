/** The wall clock, for the ages and times of day that people read. Nothing is decided by it. */
import type { Clock } from "../view/ps.ts";

export function wallClock(): Clock {
  return { nowMs: Date.now(), parseTime: (rfc3339) => Date.parse(rfc3339) };
}

/** `12:03:04.123` in the local time zone. */
export function localTimeOfDay(rfc3339: string): string {
  const date = new Date(rfc3339);
  if (Number.isNaN(date.getTime())) return "??:??:??.???";
  const two = (value: number): string => String(value).padStart(2, "0");
  const millis = String(date.getMilliseconds()).padStart(3, "0");
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}.${millis}`;
}
