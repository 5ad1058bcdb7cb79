/** What `cellws start` says once the egg is there: where it listens, what it waits for, what to do next. */
import type { OrganismFile } from "../wire/control.ts";
import type { Style } from "./style.ts";
import { paint } from "./style.ts";

export interface StartView {
  readonly file: OrganismFile;
  readonly eggPid: number;
  readonly leftovers: readonly string[];
  readonly isDetached: boolean;
}

export function renderStart({ file, eggPid, leftovers, isDetached }: StartView, style: Style): string[] {
  const { name, app, listen, admin, revision } = file;
  const lines = listen.map((address) => `  ${paint(style, "bold", urlOf(address))}`);
  return [
    ...(leftovers.length === 0 ? [] : [`cleared away what an earlier '${name}' had left: ${leftovers.length} files`]),
    `cellws: '${name}' is an egg now (pid ${eggPid}, revision ${revision}) and listens at`,
    ...lines,
    ...(admin === null ? [] : [`  ${urlOf({ ...admin, tls: false })} for administrators`]),
    `It sleeps until the first request; then it divides, loads ${app} and answers.`,
    isDetached
      ? `See it: cellws ps --name ${name}    end it: cellws stop --name ${name}`
      : `See it from another terminal: cellws ps, cellws tree. Ctrl-C ends it.`,
  ];
}

export function urlOf({ host, port, tls }: OrganismFile["listen"][number]): string {
  const shown = host === "0.0.0.0" || host === "::" ? "localhost" : host.includes(":") ? `[${host}]` : host;
  return `${tls ? "https" : "http"}://${shown}:${port}`;
}
