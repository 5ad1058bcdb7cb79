/**
 * All actions, by the names that rules use. A new one is a file, a line here and its cases.
 *
 * ModSecurity has more. Those that run programs, proxy, rewrite the response or pause are not here, and a rule that
 * asks for one is refused.
 */
import { nearest } from "../../../lib/nearest.ts";
import type { ActionUse } from "../ast.ts";
import type { Place } from "../rule-error.ts";
import { ruleError } from "../rule-error.ts";
import { accuracy } from "./accuracy.ts";
import { allow } from "./allow.ts";
import { auditlog } from "./auditlog.ts";
import { block } from "./block.ts";
import { capture } from "./capture.ts";
import { chain } from "./chain.ts";
import { ctl } from "./ctl.ts";
import { deny } from "./deny.ts";
import { drop } from "./drop.ts";
import { expirevar } from "./expirevar.ts";
import { id } from "./id.ts";
import { initcol } from "./initcol.ts";
import type { Action, RuleDraft } from "./kind.ts";
import { badAction } from "./kind.ts";
import { log } from "./log.ts";
import { logdata } from "./logdata.ts";
import { maturity } from "./maturity.ts";
import { msg } from "./msg.ts";
import { multiMatch } from "./multi-match.ts";
import { noauditlog } from "./noauditlog.ts";
import { nolog } from "./nolog.ts";
import { pass } from "./pass.ts";
import { phase } from "./phase.ts";
import { rev } from "./rev.ts";
import { setvar } from "./setvar.ts";
import { severity } from "./severity.ts";
import { skipAfter } from "./skip-after.ts";
import { skip } from "./skip.ts";
import { status } from "./status.ts";
import { t } from "./t.ts";
import { tag } from "./tag.ts";
import { ver } from "./ver.ts";

export const ACTIONS = {
  accuracy,
  allow,
  auditlog,
  block,
  capture,
  chain,
  ctl,
  deny,
  drop,
  expirevar,
  id,
  initcol,
  log,
  logdata,
  maturity,
  msg,
  multiMatch,
  noauditlog,
  nolog,
  pass,
  phase,
  rev,
  setvar,
  severity,
  skip,
  skipAfter,
  status,
  t,
  tag,
  ver,
} as const satisfies Record<string, Action>;

const byLowerCase: ReadonlyMap<string, Action> = new Map(
  Object.entries(ACTIONS).map(([name, action]) => [name.toLowerCase(), action]),
);

/** Notes the action in the draft; throws where there is none of that name or its argument is wrong. */
export function applyAction(draft: RuleDraft, use: ActionUse, place: Place): void {
  const action = byLowerCase.get(use.name.toLowerCase());
  if (action === undefined) {
    const near = nearest(use.name, Object.keys(ACTIONS));
    throw ruleError("CELLWS_E_RULE_ACTION", place, "an action that this engine does not have", {
      found: use.name,
      ...(near === null ? {} : { hint: `Did you mean ${near}?` }),
    });
  }
  if (action.argument === "none" && use.argument !== null) {
    throw badAction(place, use.name, { found: use.argument, expected: "no argument" });
  }
  if (action.argument === "needed" && use.argument === null) {
    throw badAction(place, use.name, { found: "nothing", expected: `${use.name}:argument` });
  }
  action.apply(draft, use.argument ?? "", place);
}
