/** Certificates for tests, made anew with openssl: none lies in the repository to expire or to be trusted by mistake. */
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface CertificateRequest {
  /** DNS names. */
  names?: readonly string[];
  /** Valid from and to, as openssl writes it: 20250101000000Z. By default from now on for 90 days. */
  from?: string;
  to?: string;
  /** Name of the two files, without extension. */
  name?: string;
  /** Of an RSA key; by default it is elliptic. */
  rsaBits?: number;
}

export interface CertificatePair {
  key: string;
  cert: string;
}

export function opensslMissing(): string | false {
  return spawnSync("openssl", ["version"]).status === 0 ? false : "openssl is not installed";
}

export function makeCertificate(
  folder: string,
  { names = ["localhost"], from, to, name = "one", rsaBits }: CertificateRequest = {},
): CertificatePair {
  const files = { key: join(folder, `${name}.key.pem`), cert: join(folder, `${name}.cert.pem`) };
  const kind = rsaBits === undefined ? ["ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"] : [`rsa:${rsaBits}`];
  const alternatives = ["IP:127.0.0.1", ...names.map((one) => `DNS:${one}`)].join(",");
  const request = join(folder, `${name}.csr`);
  const extension = ["-addext", `subjectAltName=${alternatives}`];
  openssl([
    "req",
    "-new",
    "-nodes",
    "-newkey",
    ...kind,
    "-keyout",
    files.key,
    "-out",
    request,
    "-subj",
    "/O=test",
    ...extension,
  ]);
  const dates = from === undefined || to === undefined ? ["-days", "90"] : ["-not_before", from, "-not_after", to];
  sign({ request, key: files.key, cert: files.cert, dates, folder });
  return files;
}

/** `openssl x509` of older versions has no dates to give; `openssl ca` has always had. */
function sign(wanted: { request: string; key: string; cert: string; dates: string[]; folder: string }): void {
  const { request, key, cert, dates, folder } = wanted;
  if (dates[0] === "-days") {
    openssl(["x509", "-req", "-in", request, "-key", key, "-out", cert, "-copy_extensions", "copy", ...dates]);
    return;
  }
  const home = mkdtempSync(join(folder, "ca-"));
  const config = join(home, "ca.cnf");
  const index = join(home, "index.txt");
  execFileSync("sh", [
    "-c",
    `: > "${index}"; printf '%s\\n' '[ca]' 'default_ca=d' '[d]' 'database=${index}' 'new_certs_dir=${home}' 'rand_serial=yes' 'default_md=sha256' 'policy=p' 'copy_extensions=copy' 'email_in_dn=no' '[p]' 'organizationName=optional' > "${config}"`,
  ]);
  const [, from, , to] = dates as [string, string, string, string];
  openssl([
    "ca",
    "-batch",
    "-config",
    config,
    "-selfsign",
    "-keyfile",
    key,
    "-in",
    request,
    "-out",
    cert,
    "-notext",
    "-startdate",
    from,
    "-enddate",
    to,
  ]);
  rmSync(home, { recursive: true });
}

function openssl(args: string[]): void {
  execFileSync("openssl", args, { stdio: ["ignore", "ignore", "pipe"] });
}

/** A folder that is gone when the test is over. */
export function certificateFolder(scope: { after: (hook: () => void) => void }): string {
  const folder = mkdtempSync(join(tmpdir(), "cw-cert-"));
  scope.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
