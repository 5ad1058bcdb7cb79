/** Figures as the proofs print them. */

/** Rows of a name and its figures, aligned: names to the left, figures to the right. */
export function table(rows: ReadonlyArray<readonly [string, ...Array<string | number>]>): string {
  const widths: number[] = [];
  const texts = rows.map((row) => row.map(String));
  for (const row of texts) for (const [i, cell] of row.entries()) widths[i] = Math.max(widths[i] ?? 0, cell.length);
  return texts
    .map((row) =>
      row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0))).join("  "),
    )
    .join("\n");
}
