/**
 * Columns that line up. Widths follow the contents; a narrow terminal gets narrower gaps before anything else. A cell's text may
 * come from anybody (a ban's reason, a mail server's answer): it is made fit for a terminal here.
 */
import type { Ink, Style } from "./style.ts";
import { paint } from "./style.ts";
import { pad, printable } from "./text.ts";

export interface Column {
  title: string;
  align: "left" | "right";
}

export interface TableCell {
  text: string;
  ink?: Ink | null;
}

/** One string a line, the header first. */
export function renderTable(
  columns: readonly Column[],
  given: ReadonlyArray<readonly TableCell[]>,
  style: Style,
): string[] {
  // No colours but ours: they would count as width.
  const plain = { ...style, color: false };
  const rows = given.map((row) => row.map((cell) => ({ ...cell, text: printable(cell.text, plain) })));
  const widths = columns.map((column, index) =>
    Math.max(column.title.length, ...rows.map((row) => row[index]?.text.length ?? 0)),
  );
  const contentWidth = widths.reduce((sum, width) => sum + width, 0);
  const gap = contentWidth + 2 * (columns.length - 1) > style.columns ? " " : "  ";
  const header = columns.map((column): TableCell => ({ text: column.title, ink: "dim" }));
  return [header, ...rows].map((row) => renderRow(row, columns, widths, style, gap));
}

function renderRow(
  row: readonly TableCell[],
  columns: readonly Column[],
  widths: readonly number[],
  style: Style,
  gap: string,
): string {
  const cells = columns.map((column, index) => {
    const { text, ink } = row[index] ?? { text: "" };
    const padding = pad("", (widths[index] ?? 0) - text.length, "left");
    const painted = paint(style, ink ?? null, text);
    return column.align === "left" ? painted + padding : padding + painted;
  });
  return cells.join(gap).trimEnd();
}
