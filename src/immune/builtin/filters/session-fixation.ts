import { headerOf } from "../../seclang/facts.ts";
import type { Filter, Finding } from "../filter.ts";
import { pattern } from "../filter.ts";
import type { ParsedRequest } from "../parsed-request.ts";
import { INPUT } from "../places.ts";

/** Names that servers give to sessions, and applications to nothing else. */
const NAMES =
  /^(?:jsessionid|aspsessionid\w*|asp\.net_sessionid|phpsession|phpsessid|weblogicsession|cfid|cftoken|cfsid|jservsession|jwsession|connect\.sid)$/i;

function find({ request, query }: ParsedRequest): Finding | null {
  const given = query.args.find(({ name }) => NAMES.test(name));
  if (given === undefined) return null;
  const referer = headerOf(request.headers, "referer");
  const from = referer === null ? null : (/^https?:\/\/([^/?#]*)/i.exec(referer)?.[1] ?? null);
  return from !== null && from === headerOf(request.headers, "host")
    ? null
    : { where: `ARGS:${given.name}`, matched: given.value };
}

export const sessionFixation: Filter = {
  id: 100_106,
  name: "session-fixation",
  message: "A link from elsewhere brings a session of its own",
  attackClass: "other",
  score: 5,
  catches:
    "Parameters with the names of sessions (PHPSESSID, JSESSIONID) in links that do not come from the site itself, and values that set cookies by script or markup.",
  letsPass: "Such links within the site, and parameters named session_id, sid or token.",
  example: "?PHPSESSID=attacker-knows-it",
  places: INPUT,
  checks: [pattern("plain", `\\.cookie\\b.*?;.*?(?:expires|domain)\\s*=|\\bhttp-equiv\\s*=[\\s"']*set-cookie\\b`)],
  judge: { phase: "head", find },
};
