/**
 * Reads a certificate and its key, and says what is wrong with them: before the start, for `cellws check`, and in a B cell
 * whenever the files have changed.
 *
 * What a client would refuse is a fault: a key that belongs to another certificate, a date that has passed. Who
 * signed it is not judged here; organisms behind a company's own authority, or on a developer's machine, are sound.
 */
import { createPrivateKey, X509Certificate, type KeyObject } from "node:crypto";
import { readFileSync } from "node:fs";
import { createSecureContext } from "node:tls";
import type { DiagnosticCode } from "./diagnostic.ts";
import { look } from "./files.ts";

export interface CertificateFiles {
  readonly key: string;
  readonly cert: string;
}

export interface Certificate {
  /** PEM, as they are in the files. */
  readonly key: Buffer;
  readonly cert: Buffer;
  /** DNS names, wildcards among them, in lower case. */
  readonly names: readonly string[];
  readonly validFromMs: number;
  readonly validToMs: number;
  /** It works, but perhaps not everywhere or not for long. */
  readonly warnings: readonly CertificateFault[];
}

export interface CertificateFault {
  readonly code: DiagnosticCode;
  /** Which of the two files to look at. */
  readonly which: keyof CertificateFiles;
  /** One sentence without a full stop. */
  readonly message: string;
  readonly found: string;
  readonly expected: string;
  readonly hint: string;
}

export type ReadCertificate = { ok: true; certificate: Certificate } | { ok: false; fault: CertificateFault };

/** A chain of certificates takes some KB; more is not one. */
const fileBytesMax = 1_048_576;
const DAY_MS = 24 * 3_600_000;
/** Most are renewed with a third of their time left: whoever gets this near to the end has not been. */
const soonMsMax = 7 * DAY_MS;

export function readCertificate(files: CertificateFiles, nowMs: number): ReadCertificate {
  const key = readPem(files, "key");
  if (!("bytes" in key)) return { ok: false, fault: key };
  const cert = readPem(files, "cert");
  if (!("bytes" in cert)) return { ok: false, fault: cert };
  const chain = readChain(files, cert.bytes);
  if (!Array.isArray(chain)) return { ok: false, fault: chain };
  const [leaf] = chain as [X509Certificate];
  const fault =
    keyFault(files, key.bytes, leaf) ?? dateFault(files, leaf, nowMs) ?? contextFault(files, key.bytes, cert.bytes);
  if (fault !== null) return { ok: false, fault };
  return {
    ok: true,
    certificate: {
      key: key.bytes,
      cert: cert.bytes,
      names: namesOf(leaf),
      validFromMs: leaf.validFromDate.getTime(),
      validToMs: leaf.validToDate.getTime(),
      warnings: [...chainWarnings(files, chain), ...expiryWarnings(files, leaf, nowMs)],
    },
  };
}

/** Without a look at the date: for a B cell that is born after the end of a certificate, where a late one is better than none. */
export function readCertificateOfAnyDate(files: CertificateFiles): ReadCertificate {
  const cert = readPem(files, "cert");
  if (!("bytes" in cert)) return { ok: false, fault: cert };
  const chain = readChain(files, cert.bytes);
  if (!Array.isArray(chain)) return { ok: false, fault: chain };
  return readCertificate(files, (chain as [X509Certificate])[0].validFromDate.getTime());
}

function readPem(files: CertificateFiles, which: keyof CertificateFiles): { bytes: Buffer } | CertificateFault {
  const file = files[which];
  const expected = `a PEM file of at most ${fileBytesMax} bytes that this user may read`;
  const failed = (found: string, hint: string): CertificateFault => ({
    code: "CELLWS_E_TLS_FILE",
    which,
    message: `the ${nameOf[which]} cannot be read`,
    found,
    expected,
    hint,
  });
  const stats = look(file);
  if (stats === null) return failed(`nothing at ${file}`, "Paths in the DNA start from the folder that it lies in.");
  // Each B cell reads it, and again when it changes: what can be read once is no use.
  if (!stats.isFile()) return failed(`${file} is not a regular file`, "Write it into a file with mode 0600.");
  if (stats.size > fileBytesMax) return failed(`${file} has ${stats.size} bytes`, "Name the PEM file itself.");
  try {
    return { bytes: readFileSync(file) };
  } catch (error) {
    const hint = "Let the user that the organism runs as read it (its group, or an ACL), and nobody else.";
    return failed(error instanceof Error ? error.message : String(error), hint);
  }
}

const nameOf = { key: "private key", cert: "certificate" } as const;

const BLOCK = /-----BEGIN (?:TRUSTED )?CERTIFICATE-----[^-]*-----END (?:TRUSTED )?CERTIFICATE-----/g;
/** Longer chains are files of authorities. */
const chainLengthMax = 16;

function readChain(files: CertificateFiles, bytes: Buffer): X509Certificate[] | CertificateFault {
  const failed = (found: string, hint: string): CertificateFault => ({
    code: "CELLWS_E_TLS_CERT",
    which: "cert",
    message: "the certificate is none",
    found: `${files.cert}: ${found}`,
    expected: "a PEM file that begins with the server's certificate",
    hint,
  });
  const text = bytes.toString("latin1");
  const blocks = text.match(BLOCK) ?? [];
  if (blocks.length === 0) {
    const isKey = /-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(text);
    if (isKey) return failed("a private key", "`key` and `cert` may have been exchanged.");
    const isDer = bytes[0] === 0x30;
    return isDer
      ? failed("DER, not PEM", `Convert it: openssl x509 -inform der -in ${files.cert} -out cert.pem`)
      : failed("no certificate in it", "Certbot calls the right file fullchain.pem.");
  }
  if (blocks.length > chainLengthMax) {
    return failed(`${blocks.length} certificates`, "Name the server's own chain, not a bundle of authorities.");
  }
  try {
    return blocks.map((block) => new X509Certificate(block));
  } catch (error) {
    return failed(error instanceof Error ? error.message : String(error), "It is damaged; get it anew.");
  }
}

function keyFault(files: CertificateFiles, bytes: Buffer, leaf: X509Certificate): CertificateFault | null {
  let key: KeyObject;
  try {
    key = createPrivateKey(bytes);
  } catch (error) {
    const text = bytes.toString("latin1");
    const isEncrypted = /ENCRYPTED/.test(text) && /PRIVATE KEY/.test(text);
    return {
      code: "CELLWS_E_TLS_KEY",
      which: "key",
      message: isEncrypted ? "the private key needs a passphrase" : "the private key is none",
      found: `${files.key}: ${isEncrypted ? "an encrypted key" : text.includes("BEGIN CERTIFICATE") ? "a certificate" : error instanceof Error ? error.message : String(error)}`,
      expected: "a PEM file with an unencrypted private key",
      hint: isEncrypted
        ? `No cell can type it in: openssl pkey -in ${files.key} -out key.pem, with mode 0600.`
        : "Certbot calls the right file privkey.pem.",
    };
  }
  if (leaf.checkPrivateKey(key)) return null;
  return {
    code: "CELLWS_E_TLS_PAIR",
    which: "key",
    message: "key and certificate do not belong together",
    found: `${files.key}, with a certificate for ${shortNames(leaf)}`,
    expected: `the key that ${files.cert} was made for`,
    hint: "Where both were just replaced, one of them is still the old one.",
  };
}

function dateFault(files: CertificateFiles, leaf: X509Certificate, nowMs: number): CertificateFault | null {
  const fromMs = leaf.validFromDate.getTime();
  const toMs = leaf.validToDate.getTime();
  if (fromMs <= nowMs && nowMs <= toMs) return null;
  const hasExpired = toMs < nowMs;
  return {
    code: hasExpired ? "CELLWS_E_TLS_EXPIRED" : "CELLWS_E_TLS_NOT_YET_VALID",
    which: "cert",
    message: hasExpired ? "the certificate has expired" : "the certificate is not valid yet",
    found: `${files.cert}: for ${shortNames(leaf)}, from ${dayOf(fromMs)} to ${dayOf(toMs)}`,
    expected: `one that is valid today, ${dayOf(nowMs)}`,
    hint: hasExpired ? "Renew it; browsers refuse this one." : "Look at this machine's clock first.",
  };
}

/** What OpenSSL has against it, such as a key that is too short for its security level. */
function contextFault(files: CertificateFiles, key: Buffer, cert: Buffer): CertificateFault | null {
  try {
    createSecureContext({ key, cert });
    return null;
  } catch (error) {
    return {
      code: "CELLWS_E_TLS_CERT",
      which: "cert",
      message: "OpenSSL does not take the certificate",
      found: `${files.cert}: ${error instanceof Error ? error.message : String(error)}`,
      expected: "RSA of at least 2048 bits, or ECDSA, signed with SHA-256 or better",
      hint: "Get a new one with a stronger key.",
    };
  }
}

function chainWarnings(files: CertificateFiles, chain: readonly X509Certificate[]): CertificateFault[] {
  const broken = chain.findIndex((cert, i) => i > 0 && !isSignedBy(chain[i - 1] as X509Certificate, cert));
  if (broken === -1) return [];
  return [
    {
      code: "CELLWS_W_TLS_CHAIN",
      which: "cert",
      message: "the certificates are not in order",
      found: `${files.cert}: certificate ${broken + 1} did not sign certificate ${broken}`,
      expected: "the server's certificate first, then each with the one that signed it after it",
      hint: "Some clients put them in order, others refuse the connection.",
    },
  ];
}

/** By name and by signature: authorities have had several keys under one name. */
function isSignedBy(cert: X509Certificate, issuer: X509Certificate): boolean {
  return cert.checkIssued(issuer) && cert.verify(issuer.publicKey);
}

function expiryWarnings(files: CertificateFiles, leaf: X509Certificate, nowMs: number): CertificateFault[] {
  const toMs = leaf.validToDate.getTime();
  // Some live for six days only.
  const soonMs = Math.min(soonMsMax, (toMs - leaf.validFromDate.getTime()) / 4);
  if (toMs - nowMs > soonMs) return [];
  return [
    {
      code: "CELLWS_W_TLS_EXPIRES_SOON",
      which: "cert",
      message: "the certificate expires soon",
      found: `${files.cert}: for ${shortNames(leaf)}, until ${dayOf(toMs)}`,
      expected: "one that has been renewed by now",
      hint: "Look why it was not. A new file in its place is taken up without a restart.",
    },
  ];
}

/** Of the subject's alternative names those that a client can ask for; without any, the common name of old certificates. */
function namesOf(leaf: X509Certificate): string[] {
  const alternatives = [...(leaf.subjectAltName ?? "").matchAll(/(?:^|, )DNS:([^,"]+)/g)].map((match) => match[1]);
  const common = /(?:^|\n)CN=([^\n]+)/.exec(leaf.subject ?? "")?.[1];
  const names = leaf.subjectAltName === undefined && common !== undefined ? [common] : alternatives;
  return [...new Set(names.flatMap((name) => (name === undefined ? [] : [name.trim().toLowerCase()])))];
}

function shortNames(leaf: X509Certificate): string {
  const names = namesOf(leaf);
  if (names.length === 0) return "no host";
  return names.length <= 3 ? names.join(", ") : `${names.slice(0, 3).join(", ")} and ${names.length - 3} more`;
}

function dayOf(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}
