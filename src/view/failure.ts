/** A failure as the command line prints it: `cellws: CODE: message`, then what helps, indented. */
import type { CellwsError } from "../lib/cellws-error.ts";
import type { Style } from "./style.ts";
import { paint } from "./style.ts";

export function renderFailure({ code, message, details }: CellwsError, style: Style): string[] {
  const help: Array<[label: string, text: string | undefined]> = [
    ["at", details.path],
    ["found", details.found],
    ["expected", details.expected],
    ["", details.hint],
  ];
  return [
    `cellws: ${paint(style, "red", code)}: ${message}`,
    ...help.flatMap(([label, text]) => {
      if (text === undefined) return [];
      return text.split("\n").map((line) => `  ${label === "" ? "" : `${paint(style, "dim", `${label}:`)} `}${line}`);
    }),
  ];
}
