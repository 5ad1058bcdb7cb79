/** All checks, in the order in which they are made: the cheap ones first, and what harms most before what harms less. */
import type { Check } from "./check.ts";
import { children } from "./checks/children.ts";
import { code } from "./checks/code.ts";
import { cpu } from "./checks/cpu.ts";
import { executable } from "./checks/executable.ts";
import { files } from "./checks/files.ts";
import { listening } from "./checks/listening.ts";
import { outgoing } from "./checks/outgoing.ts";
import { privilege } from "./checks/privilege.ts";
import { remoteShell } from "./checks/remote-shell.ts";

export const checkNames = [
  "executable",
  "privilege",
  "children",
  "remote-shell",
  "listening",
  "outgoing",
  "files",
  "code",
  "cpu",
] as const;
export type CheckName = (typeof checkNames)[number];

export const checks = {
  executable,
  privilege,
  children,
  "remote-shell": remoteShell,
  listening,
  outgoing,
  files,
  code,
  cpu,
} satisfies Record<CheckName, Check>;
