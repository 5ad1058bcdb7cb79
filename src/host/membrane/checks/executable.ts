/**
 * A drone whose process runs another program than before is no drone any more: it was replaced by `exec`, which keeps pid
 * and start time. No app does that and goes on answering requests, so this is looked at whatever the DNA says.
 *
 * The file may go away (Node is updated under a running organism) or another may take its path: what is compared is the
 * path that the kernel remembers, with that one drone's own earlier one.
 */
import type { Check } from "../check.ts";
import { deletedSuffix } from "../look.ts";

export const executable: Check = {
  isOn: () => true,
  everyMs: 0,
  afterMs: 0,
  watch: () => {
    let before: string | null = null;
    return (look) => {
      const now = look.executable()?.replace(deletedSuffix, "") ?? null;
      if (now === null) return null;
      before ??= now;
      return now === before ? null : `it runs ${now} instead of ${before}`;
    };
  },
};
