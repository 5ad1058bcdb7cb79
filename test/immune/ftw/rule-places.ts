// Where the rule sets lie that tests use but the project does not carry. Tests that miss them say so and are skipped.
import fs from "node:fs";
import path from "node:path";

const root = path.resolve(import.meta.dirname, "../../..");

/** The Core Rule Set 4 with its regression tests: rules/, tests/, crs-setup.conf.example. */
export const crsFolder = process.env["CRS_DIR"] ?? path.join(root, "../shared/crs");
export const skipWithoutCrs: string | false = fs.existsSync(path.join(crsFolder, "rules"))
  ? false
  : "no Core Rule Set at CRS_DIR: rules/, tests/ and crs-setup.conf.example of coreruleset/coreruleset";

/** Debian's package modsecurity-crs, version 3.3.4. */
export const debianCrs = { setup: "/etc/modsecurity/crs/crs-setup.conf", rules: "/usr/share/modsecurity-crs/rules" };
export const skipWithoutDebianCrs: string | false =
  fs.existsSync(debianCrs.setup) && fs.existsSync(debianCrs.rules) ? false : "apt-get install modsecurity-crs";
