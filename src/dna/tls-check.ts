/** Whether the certificates that a DNA names can be used. Asked before the start; B cells look again for themselves. */
import { readCertificate, type CertificateFault, type CertificateFiles } from "./certificate.ts";
import type { Diagnostic } from "./diagnostic.ts";
import type { Dna } from "./dna.ts";
import { formatKeyPath, type KeyPath } from "./key-path.ts";

export function checkCertificates({ listen }: Pick<Dna, "listen">, nowMs: number): Diagnostic[] {
  return listen.flatMap(({ tls }, index) => {
    if (tls === null) return [];
    const place: KeyPath = ["listen", index, "tls"];
    return [
      ...checkOne(place, tls, nowMs),
      ...tls.also.flatMap((files, i) => {
        const path: KeyPath = [...place, "also", i];
        return [...checkOne(path, files, nowMs), ...namelessness(path, files, nowMs)];
      }),
    ];
  });
}

function checkOne(path: KeyPath, files: CertificateFiles, nowMs: number): Diagnostic[] {
  const read = readCertificate(files, nowMs);
  const faults = read.ok ? read.certificate.warnings : [read.fault];
  return faults.map((fault) => diagnosticOf(path, fault));
}

function namelessness(path: KeyPath, files: CertificateFiles, nowMs: number): Diagnostic[] {
  const read = readCertificate(files, nowMs);
  if (!read.ok || read.certificate.names.length > 0) return [];
  return [
    diagnosticOf(path, {
      code: "CELLWS_E_TLS_NAMELESS",
      which: "cert",
      message: "the certificate is for no host name",
      found: `${files.cert}: no DNS name among its subject's alternative names`,
      expected: "at least one DNS name: further certificates are chosen by the name that the client asks for",
      hint: "Only the first certificate, `tls.cert`, can do without.",
    }),
  ];
}

function diagnosticOf(path: KeyPath, { code, which, message, found, expected, hint }: CertificateFault): Diagnostic {
  const place = formatKeyPath([...path, which]);
  return { code, path: place, message: `${place}: ${message}`, found, expected, hint };
}
