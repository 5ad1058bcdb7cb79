/** What a rule set's settings come to: defaults first, then what its directives say, the last one winning. */
import { ENGINE_MODES } from "./actions/ctl.ts";
import { SECLANG_LIMITS } from "./limits.ts";
import type { EngineMode } from "./rule.ts";
import type { HonouredSetting } from "./settings.ts";

export interface RuleSettings {
  engine: EngineMode;
  requestBodyAccess: boolean;
  responseBodyAccess: boolean;
  requestBodyBytesMax: number;
  /** Of that, how much may be other than files. */
  requestBodyNoFilesBytesMax: number;
  requestBodyOverLimit: OverLimit;
  requestBodyDepthMax: number;
  argumentsMax: number;
  argumentSeparator: string;
  responseBodyBytesMax: number;
  responseBodyOverLimit: OverLimit;
  /** Lower case. */
  responseBodyTypes: string[];
  collectionTimeoutSeconds: number;
  componentSignatures: string[];
}

/** What happens to a body beyond its bound: the exchange is refused, or only the beginning is looked at. */
export type OverLimit = "reject" | "partial";

export function defaultSettings(): RuleSettings {
  return {
    // The DNA's immune.mode decides; the rules alone want to act.
    engine: "on",
    requestBodyAccess: true,
    // Buffering responses costs memory and the first byte's time; rules for leaks are switched on knowingly.
    responseBodyAccess: false,
    requestBodyBytesMax: 13_107_200,
    requestBodyNoFilesBytesMax: 131_072,
    requestBodyOverLimit: "reject",
    requestBodyDepthMax: SECLANG_LIMITS.bodyDepthMax,
    argumentsMax: SECLANG_LIMITS.argumentsMax,
    argumentSeparator: "&",
    responseBodyBytesMax: 524_288,
    responseBodyOverLimit: "partial",
    responseBodyTypes: ["text/plain", "text/html", "text/xml"],
    collectionTimeoutSeconds: 3600,
    componentSignatures: [],
  };
}

/** `values` have been checked by the parser (settings.ts says how). */
export function applySetting(settings: RuleSettings, name: HonouredSetting, values: readonly string[]): void {
  const [value = ""] = values;
  const isOn = value.toLowerCase() === "on";
  const overLimit: OverLimit = value.toLowerCase() === "reject" ? "reject" : "partial";
  switch (name) {
    case "SecRuleEngine":
      settings.engine = ENGINE_MODES[value.toLowerCase()] ?? settings.engine;
      return;
    case "SecRequestBodyAccess":
      settings.requestBodyAccess = isOn;
      return;
    case "SecResponseBodyAccess":
      settings.responseBodyAccess = isOn;
      return;
    case "SecRequestBodyLimit":
      settings.requestBodyBytesMax = Number(value);
      return;
    case "SecRequestBodyNoFilesLimit":
      settings.requestBodyNoFilesBytesMax = Number(value);
      return;
    case "SecRequestBodyLimitAction":
      settings.requestBodyOverLimit = overLimit;
      return;
    case "SecRequestBodyJsonDepthLimit":
      // Never beyond what the readers are safe with.
      settings.requestBodyDepthMax = Math.min(Number(value), SECLANG_LIMITS.bodyDepthMax);
      return;
    case "SecArgumentsLimit":
      settings.argumentsMax = Math.min(Number(value), SECLANG_LIMITS.argumentsMax);
      return;
    case "SecArgumentSeparator":
      settings.argumentSeparator = value;
      return;
    case "SecResponseBodyLimit":
      settings.responseBodyBytesMax = Number(value);
      return;
    case "SecResponseBodyLimitAction":
      settings.responseBodyOverLimit = overLimit;
      return;
    case "SecResponseBodyMimeType":
      settings.responseBodyTypes = values.map((type) => type.toLowerCase());
      return;
    case "SecResponseBodyMimeTypesClear":
      settings.responseBodyTypes = [];
      return;
    case "SecCollectionTimeout":
      settings.collectionTimeoutSeconds = Number(value);
      return;
    case "SecComponentSignature":
      settings.componentSignatures.push(value);
  }
}
