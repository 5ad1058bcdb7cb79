/** `cellws certificates`: who was voted out, for what, by whom; and whether that can be proven. */
import fs from "node:fs";
import path from "node:path";
import { listCertificates, namesWithCertificates, readCertificateFile } from "../../host/certificates.ts";
import { seals } from "../../host/identity.ts";
import { CellwsError } from "../../lib/cellws-error.ts";
import { renderCertificate, renderCertificates, renderVerdict } from "../../view/certificates.ts";
import type { DeathCertificate, Verdict } from "../../wire/death-certificate.ts";
import { verifyDeathCertificate } from "../../wire/death-certificate.ts";
import { wallClock } from "../clock.ts";
import type { CliCommand, OrganismOptions } from "../command.ts";
import { addExamples, addOrganismOptions } from "../command.ts";
import { findOrganism } from "../organism.ts";

const actions = ["list", "show", "verify"] as const;

export const command: CliCommand<OrganismOptions> = {
  define(command) {
    command
      .argument("[what]", "list, show or verify (default: list)")
      .argument("[which...]", "cells that were voted out, or files; show, verify: default all");
    addOrganismOptions(command);
    addExamples(command, [
      ["cellws certificates", "who was voted out"],
      ["cellws certificates show 4b2k9x01ab", "with electors, voters and evidence"],
      ["cellws certificates verify", "check every signature, offline"],
      ["cellws certificates verify file.json", "on another machine"],
    ]);
    command.addHelpText(
      "after",
      `
Certificates are kept in the state directory, by the organism's name, and
outlive it. verify asks nobody: it checks that each vote is signed by the key
of a cell of that organism, as certified by its mother up to the founding egg,
that the condemned is that very process, and that the votes are a majority of
the electors named. Exit 1 if one does not hold.`,
    );
  },
  async run(context, [what = "list", ...which], { name, json }) {
    if (!actions.includes(what as (typeof actions)[number])) {
      throw new CellwsError("CELLWS_E_USAGE", 2, `unknown action '${what}'`, {
        expected: `one of ${actions.join(", ")}`,
      });
    }
    const found = await gather(which, { name, cwd: context.cwd });
    if (what === "verify") {
      const verdicts = found.map((certificate) => ({
        certificate,
        verdict: verifyDeathCertificate(certificate, seals),
      }));
      if (json === true) context.out(JSON.stringify({ certificates: verdicts.map(verdictJson) }));
      else if (verdicts.length === 0) context.out("nobody was voted out");
      else
        for (const { certificate, verdict } of verdicts) {
          for (const line of renderVerdict(certificate, verdict, context.style)) context.out(line);
        }
      return verdicts.every(({ verdict }) => verdict.holds) ? 0 : 1;
    }
    if (json === true) context.out(JSON.stringify({ certificates: what === "show" ? found : found.map(summaryJson) }));
    else if (found.length === 0) context.out("nobody was voted out");
    else if (what === "list") {
      const { nowMs } = wallClock();
      const aged = found.map((document) => ({ document, ageMs: nowMs - Date.parse(document.at) }));
      for (const line of renderCertificates(aged, context.style)) context.out(line);
    } else for (const certificate of found) for (const line of renderCertificate(certificate)) context.out(line);
    return 0;
  },
};

/** What was asked for: files, cells, or all of the organism. */
async function gather(
  which: readonly string[],
  { name, cwd }: { name: string | undefined; cwd: string },
): Promise<DeathCertificate[]> {
  const isFile = (word: string): boolean => word.includes("/") || word.endsWith(".json");
  const ids = which.filter((word) => !isFile(word));
  const files = which.filter(isFile).map((file) => readFile(path.resolve(cwd, file)));
  if (which.length > 0 && ids.length === 0) return files;
  const whose = await whichName(name, cwd);
  const { certificates, damaged } = listCertificates(whose);
  // A damaged one must not look like one that never was.
  const [first] = damaged;
  if (ids.length === 0 && first !== undefined) throw unreadable(first, "it is no death certificate");
  if (ids.length === 0) return certificates;
  return [
    ...files,
    ...ids.map((id) => {
      const found = certificates.find(({ certificate }) => certificate.body.id === id);
      if (found !== undefined) return found;
      throw new CellwsError("CELLWS_E_NO_CERTIFICATE", 1, `there is no death certificate of ${id}`, {
        found: certificates.length === 0 ? `none of ${whose}` : `${certificates.length} of others`,
        hint: "`cellws certificates` lists them; who crashed or left by itself has none.",
      });
    }),
  ];
}

async function whichName(name: string | undefined, cwd: string): Promise<string> {
  if (name !== undefined) return name;
  try {
    return (await findOrganism(undefined, { cwd, accept: "any" })).run.name;
  } catch (error) {
    const [only, ...others] = namesWithCertificates();
    if (only !== undefined && others.length === 0) return only;
    throw error;
  }
}

function readFile(file: string): DeathCertificate {
  const read = readCertificateFile(file);
  if (read.ok) return read.value;
  throw unreadable(file, fs.existsSync(file) ? read.reason : "there is no such file");
}

function unreadable(file: string, reason: string): CellwsError {
  return new CellwsError("CELLWS_E_CERTIFICATE_FILE", 1, `cannot read ${file} as a death certificate`, {
    found: reason,
    hint: "It must be as cellws wrote it; look into the state directory, or at a backup of it.",
  });
}

function summaryJson({ at, class: cellClass, certificate, finding, organism }: DeathCertificate): object {
  const { id, charge, votes } = certificate.body;
  return {
    id,
    class: cellClass,
    pid: charge.pid,
    reason: charge.reason,
    at,
    organism,
    votes: votes.length,
    voters: votes.map(({ voter }) => voter),
    finding,
  };
}

function verdictJson({ certificate, verdict }: { certificate: DeathCertificate; verdict: Verdict }): object {
  return { ...summaryJson(certificate), ...verdict };
}
