/** `cellws certificates`: a table, one certificate in full, and what a check has found. */
import type { DeathCertificate, Verdict } from "../wire/death-certificate.ts";
import type { Style } from "./style.ts";
import { paint } from "./style.ts";
import type { Column } from "./table.ts";
import { renderTable } from "./table.ts";
import { formatAge } from "./units.ts";

const columns: Column[] = [
  { title: "CELL", align: "left" },
  { title: "CLASS", align: "left" },
  { title: "PID", align: "right" },
  { title: "REASON", align: "left" },
  { title: "VOTES", align: "right" },
  { title: "AGE", align: "right" },
  { title: "FOUND", align: "left" },
];

export function renderCertificates(
  certificates: ReadonlyArray<{ readonly document: DeathCertificate; readonly ageMs: number }>,
  style: Style,
): string[] {
  const rows = certificates.map(({ document, ageMs }) => {
    const { certificate, class: cellClass, electors, finding } = document;
    const { id, charge, votes } = certificate.body;
    return [
      { text: id },
      { text: cellClass },
      { text: String(charge.pid) },
      { text: charge.reason },
      { text: `${votes.length}/${electors.length}` },
      { text: formatAge(ageMs) },
      { text: finding?.found ?? "" },
    ];
  });
  return renderTable(columns, rows, style);
}

export function renderCertificate(document: DeathCertificate): string[] {
  const { certificate, class: cellClass, at, electors, finding, organism, writtenBy } = document;
  const { id, charge, votes } = certificate.body;
  return [
    `${cellClass} ${id}, pid ${charge.pid} (began at tick ${charge.startTicks}), was voted out: ${charge.reason}`,
    `  organism   ${organism}`,
    `  at         ${at}, as ${writtenBy} wrote it down`,
    ...(finding === null ? [] : [`  found      ${finding.check}: ${finding.found}`]),
    `  electors   ${electors.join(", ")}`,
    ...votes.map(({ voter, signature }) => `  vote       ${voter}  ${signature}`),
    "",
  ];
}

export function renderVerdict({ certificate }: DeathCertificate, verdict: Verdict, style: Style): string[] {
  const { id, charge } = certificate.body;
  const untraced = verdict.voters.filter(({ traced }) => !traced).length;
  const votes = `${verdict.voters.length} of ${verdict.electors} electors (${verdict.quorum} needed)`;
  if (verdict.holds) {
    const note = untraced === 0 ? "" : `; ${untraced} of them untraced: their line to the egg is no longer known`;
    return [`${paint(style, "green", "holds")}  ${id}  ${charge.reason}, signed by ${votes}${note}`];
  }
  return [
    `${paint(style, "red", "DOES NOT HOLD")}  ${id}  ${charge.reason}, ${votes}`,
    ...verdict.faults.map((fault) => `  ${fault}`),
  ];
}
