/**
 * A mean over the last while, in bounded memory and integers: samples fall into buckets, and old buckets fall away.
 * One record serves two windows: the long one to decide by, the short one to notice a burst (Knative's stable and panic
 * windows, scaled down to processes).
 */

export interface LoadWindow {
  readonly bucketMs: number;
  /** Oldest first, at most bucketsMax. `at` is the bucket's number since time began. */
  readonly buckets: ReadonlyArray<{ readonly at: number; readonly sum: number; readonly count: number }>;
}

/** Fine enough that the short window, a tenth of the long one, has several of them. */
const bucketsMax = 60;

export function loadWindow(spanMs: number): LoadWindow {
  return { bucketMs: Math.max(1, Math.ceil(spanMs / bucketsMax)), buckets: [] };
}

export function withSample(window: LoadWindow, value: number, nowMs: number): LoadWindow {
  const at = Math.floor(nowMs / window.bucketMs);
  const last = window.buckets.at(-1);
  const kept = window.buckets.filter((bucket) => bucket.at > at - bucketsMax && bucket.at !== at);
  const present = last?.at === at ? last : { at, sum: 0, count: 0 };
  return { ...window, buckets: [...kept, { at, sum: present.sum + value, count: present.count + 1 }] };
}

/** The mean of what was sampled within the last `spanMs`; null where nothing was. */
export function meanOver(window: LoadWindow, spanMs: number, nowMs: number): number | null {
  const since = Math.floor((nowMs - spanMs) / window.bucketMs);
  let sum = 0;
  let count = 0;
  for (const bucket of window.buckets) {
    if (bucket.at <= since) continue;
    sum += bucket.sum;
    count += bucket.count;
  }
  return count === 0 ? null : sum / count;
}
