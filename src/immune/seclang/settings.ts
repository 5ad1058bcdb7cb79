/**
 * Directives that set something for the whole rule set. Those in `HONOURED_SETTINGS` are carried out (rule-set.ts);
 * those in `FOREIGN_SETTINGS` configure what ModSecurity does around the rules and cellws does its own way: they are
 * taken, and each leaves a notice that says what decides instead. All others are refused.
 */

/** How a setting's values must look. */
export type SettingValues =
  | { readonly kind: "one-of"; readonly words: readonly string[] }
  | { readonly kind: "number"; readonly max: number }
  | { readonly kind: "text" }
  | { readonly kind: "texts" }
  | { readonly kind: "none" };

const onOff = { kind: "one-of", words: ["On", "Off"] } as const;
const bytes = { kind: "number", max: 1024 * 1024 * 1024 } as const;
const count = { kind: "number", max: 1_000_000 } as const;

export const HONOURED_SETTINGS = {
  SecRuleEngine: { kind: "one-of", words: ["On", "Off", "DetectionOnly"] },
  SecRequestBodyAccess: onOff,
  SecResponseBodyAccess: onOff,
  SecRequestBodyLimit: bytes,
  SecRequestBodyNoFilesLimit: bytes,
  SecRequestBodyLimitAction: { kind: "one-of", words: ["Reject", "ProcessPartial"] },
  SecRequestBodyJsonDepthLimit: count,
  SecArgumentsLimit: count,
  SecArgumentSeparator: { kind: "text" },
  SecResponseBodyLimit: bytes,
  SecResponseBodyLimitAction: { kind: "one-of", words: ["Reject", "ProcessPartial"] },
  SecResponseBodyMimeType: { kind: "texts" },
  SecResponseBodyMimeTypesClear: { kind: "none" },
  SecCollectionTimeout: count,
  SecComponentSignature: { kind: "text" },
} as const satisfies Record<string, SettingValues>;

export type HonouredSetting = keyof typeof HONOURED_SETTINGS;

/** Each with what decides in its stead. */
export const FOREIGN_SETTINGS: Readonly<Record<string, string>> = {
  SecRequestBodyInMemoryLimit: "bodies that rules see are held in memory, up to SecRequestBodyLimit",
  SecAuditEngine: "the DNA's immune.audit decides",
  SecAuditLog: "the DNA's immune.audit names the file",
  SecAuditLogParts: "an audit line has always the same fields",
  SecAuditLogType: "the audit log is one file",
  SecAuditLogFormat: "audit lines are JSON",
  SecAuditLogRelevantStatus: "each request that matched anything is audited",
  SecAuditLogStorageDir: "the audit log is one file",
  SecAuditLogDirMode: "the audit log is one file",
  SecAuditLogFileMode: "audit files are readable by their owner only",
  SecDebugLog: "cellws inspect --explain shows what matched where",
  SecDebugLogLevel: "cellws inspect --explain shows what matched where",
  SecTmpDir: "nothing is written to temporary files",
  SecDataDir: "nothing is kept in files of its own",
  SecUploadDir: "uploads are not stored",
  SecUploadKeepFiles: "uploads are not stored",
  SecUploadFileLimit: "the number of parts has a fixed limit",
  SecUploadFileMode: "uploads are not stored",
  SecPcreMatchLimit: "patterns run under the engine's own bound",
  SecPcreMatchLimitRecursion: "patterns run under the engine's own bound",
  SecStatusEngine: "nothing is reported to anybody",
  SecServerSignature: "responses carry the app's headers",
  SecWebAppId: "an organism serves one app",
  SecSensorId: "the cell's id is in each audit line",
  SecUnicodeMapFile: "t:urlDecodeUni and t:utf8toUnicode map full-width forms to ASCII without a file",
  SecCookieFormat: "cookies are read as browsers send them (version 0)",
};
