import type { Filter, Finding } from "../filter.ts";
import { pattern } from "../filter.ts";
import type { ParsedRequest } from "../parsed-request.ts";
import type { MultipartFlag } from "../../seclang/bodies/reading.ts";

/** Oddities by which two readers come to different parts. Line ends alone are no sign: some libraries write them. */
const FLAGS: readonly MultipartFlag[] = [
  "MULTIPART_INVALID_QUOTING",
  "MULTIPART_INVALID_HEADER_FOLDING",
  "MULTIPART_HEADER_FOLDING",
  "MULTIPART_INVALID_PART",
  "MULTIPART_MISSING_SEMICOLON",
  "MULTIPART_FILE_LIMIT_EXCEEDED",
];

function find({ body, processor }: ParsedRequest): Finding | null {
  if (processor !== "MULTIPART") return null;
  const flag = FLAGS.find((each) => body.flags.has(each));
  if (flag !== undefined) return { where: flag, matched: "1" };
  const file = body.files.find(({ filename }) => /['"]\s*;|;\s*\w+\s*=/.test(filename));
  return file === undefined ? null : { where: `FILES:${file.field}`, matched: file.filename };
}

export const oddMultipart: Filter = {
  id: 100_105,
  name: "odd-multipart",
  message: "An upload is made to be read in two ways",
  attackClass: "protocol",
  score: 5,
  catches:
    "Parts of a form whose headers are folded, quoted wrongly, encoded or in odd character sets, so that a filter and an application see different files.",
  letsPass:
    "File names in any language and with any punctuation; line ends without carriage return; parts marked as binary.",
  example: "Content-Type: text/plain; charset=utf-7",
  places: ["part"],
  checks: [
    pattern(
      "raw",
      `^content-type\\s*:[^\\n]*charset\\s*=\\s*"?\\s*(?:[^u i"'wa]|u[^t s]|i[^s]|utf-?7|utf-?1(?:[^6]|$)|ibm|iso-?(?:2022|10646)|us-?$)|^content-type\\s*:[^\\n]*charset[^\\n]*charset`,
      { inText: "counts" },
    ),
    pattern("raw", `^content-transfer-encoding\\s*:\\s*(?:[^78b\\s]|b[^i])|[^\\t\\x20-\\x7e\\x80-\\xff]`, {
      inText: "counts",
    }),
    pattern("raw", `name\\s*=\\s*"?_charset_`, { inText: "counts" }),
    pattern("raw", `^content-type\\s*:[^\\n;]*;[^\\n]*(?:application|text|multipart|image|audio|video)/`, {
      inText: "counts",
    }),
  ],
  judge: { phase: "body", find },
};
