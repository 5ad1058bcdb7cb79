/**
 * A drone that holds a file open outside of `membrane.fsRead` and `membrane.fsWrite`. The permission model refuses to open such
 * a file; who has it open all the same did it by native code.
 *
 * What libraries below Node open by themselves to read (the resolver, time zones, certificates, shared libraries) is not
 * counted, nor what is no file: pipes, sockets, devices, the kernel's own tables.
 */
import type { Check } from "../check.ts";
import { settledMs } from "../check.ts";
import { deletedSuffix } from "../look.ts";
import { isWithin, programFolders } from "../rules.ts";

/** What the kernel makes up: no files. A drone reads its neighbours' /proc itself. */
const kernelPlaces = ["/proc", "/sys", "/dev"];
/** Where libraries find what they need. */
const systemPlaces = ["/usr", "/lib", "/lib64", "/etc", "/opt", "/nix/store", "/run/nscd", "/var/lib/sss"];
/** Which are files all the same. */
const sharedMemory = ["/dev/shm"];
/** Below /etc nobody but root's own programs has business with these. */
const secrets = ["/etc/shadow", "/etc/gshadow", "/etc/sudoers", "/etc/ssh"];

export const files: Check = {
  isOn: (rules) => rules.fsRead !== null || rules.fsWrite !== null,
  everyMs: 1_000,
  afterMs: settledMs,
  watch: ({ fsRead, fsWrite }, { runDir, events }) => {
    const own = [runDir, ...(events === null ? [] : [events])];
    const mayRead = fsRead === null ? null : [...fsRead, ...(fsWrite ?? []), ...own, ...programFolders()];
    const mayWrite = fsWrite === null ? null : [...fsWrite, ...own];

    return (look) => {
      for (const { fd, target } of look.files() ?? []) {
        if (!target.startsWith("/") || target.startsWith("/memfd:")) continue;
        const file = target.replace(deletedSuffix, "");
        // Standard output and error, wherever the one who started the organism has led them.
        if (fd <= 2 || (isWithin(file, kernelPlaces) && !isWithin(file, sharedMemory))) continue;
        const isOpenToRead = mayRead === null || isWithin(file, mayRead);
        const isSystems = isWithin(file, systemPlaces) && !isWithin(file, secrets);
        const wrong =
          !isOpenToRead && !isSystems
            ? `it has ${file} open`
            : mayWrite !== null && !isWithin(file, mayWrite) && look.writes(fd)
              ? `it has ${file} open for writing`
              : null;
        // A descriptor that was closed meanwhile and given to something else would be judged by both.
        if (wrong !== null && look.leadsTo(fd) === target) return wrong;
      }
      return null;
    };
  },
};
