/**
 * The variables that rules may name, and what kind of thing each is:
 *   scalar      one value, always there, if empty
 *   collection  values under keys, several under one key where the request has several
 *   store       a collection that rules write with setvar
 *   xml         XML:/* (all text) and XML://@* (all attribute values); no other XPath
 *
 * ModSecurity knows more. What is missing here depends on what a pure engine cannot know (the clock: TIME; the file
 * system: FILES_TMPNAMES; the environment: ENV) or on servers of the past; a rule that names one is refused at load.
 */
export type VariableKind = "scalar" | "collection" | "store" | "xml";

export const VARIABLES = {
  ARGS: "collection",
  ARGS_COMBINED_SIZE: "scalar",
  ARGS_GET: "collection",
  ARGS_GET_NAMES: "collection",
  ARGS_NAMES: "collection",
  ARGS_POST: "collection",
  ARGS_POST_NAMES: "collection",
  AUTH_TYPE: "scalar",
  DURATION: "scalar",
  FILES: "collection",
  FILES_COMBINED_SIZE: "scalar",
  FILES_NAMES: "collection",
  FILES_SIZES: "collection",
  GEO: "store",
  GLOBAL: "store",
  HIGHEST_SEVERITY: "scalar",
  INBOUND_DATA_ERROR: "scalar",
  IP: "store",
  MATCHED_VAR: "scalar",
  MATCHED_VARS: "collection",
  MATCHED_VARS_NAMES: "collection",
  MATCHED_VAR_NAME: "scalar",
  MULTIPART_BOUNDARY_QUOTED: "scalar",
  MULTIPART_BOUNDARY_WHITESPACE: "scalar",
  MULTIPART_CRLF_LF_LINES: "scalar",
  MULTIPART_DATA_AFTER: "scalar",
  MULTIPART_DATA_BEFORE: "scalar",
  MULTIPART_FILE_LIMIT_EXCEEDED: "scalar",
  MULTIPART_FILENAME: "collection",
  MULTIPART_HEADER_FOLDING: "scalar",
  MULTIPART_INVALID_HEADER_FOLDING: "scalar",
  MULTIPART_INVALID_PART: "scalar",
  MULTIPART_INVALID_QUOTING: "scalar",
  MULTIPART_LF_LINE: "scalar",
  MULTIPART_MISSING_SEMICOLON: "scalar",
  MULTIPART_NAME: "collection",
  MULTIPART_PART_HEADERS: "collection",
  MULTIPART_STRICT_ERROR: "scalar",
  MULTIPART_UNMATCHED_BOUNDARY: "scalar",
  OUTBOUND_DATA_ERROR: "scalar",
  QUERY_STRING: "scalar",
  REMOTE_ADDR: "scalar",
  REMOTE_PORT: "scalar",
  REQBODY_ERROR: "scalar",
  REQBODY_ERROR_MSG: "scalar",
  REQBODY_PROCESSOR: "scalar",
  REQBODY_PROCESSOR_ERROR: "scalar",
  REQBODY_PROCESSOR_ERROR_MSG: "scalar",
  REQUEST_BASENAME: "scalar",
  REQUEST_BODY: "scalar",
  REQUEST_BODY_LENGTH: "scalar",
  REQUEST_COOKIES: "collection",
  REQUEST_COOKIES_NAMES: "collection",
  REQUEST_FILENAME: "scalar",
  REQUEST_HEADERS: "collection",
  REQUEST_HEADERS_NAMES: "collection",
  REQUEST_LINE: "scalar",
  REQUEST_METHOD: "scalar",
  REQUEST_PROTOCOL: "scalar",
  REQUEST_URI: "scalar",
  REQUEST_URI_RAW: "scalar",
  RESOURCE: "store",
  RESPONSE_BODY: "scalar",
  RESPONSE_CONTENT_LENGTH: "scalar",
  RESPONSE_CONTENT_TYPE: "scalar",
  RESPONSE_HEADERS: "collection",
  RESPONSE_HEADERS_NAMES: "collection",
  RESPONSE_PROTOCOL: "scalar",
  RESPONSE_STATUS: "scalar",
  RULE: "collection",
  SERVER_ADDR: "scalar",
  SERVER_NAME: "scalar",
  SERVER_PORT: "scalar",
  SESSION: "store",
  STATUS_LINE: "scalar",
  TX: "store",
  UNIQUE_ID: "scalar",
  URLENCODED_ERROR: "scalar",
  USER: "store",
  XML: "xml",
} as const satisfies Record<string, VariableKind>;

export type VariableName = keyof typeof VARIABLES;

/** The name as the table spells it, or null. Case does not matter in SecLang. */
export function variableNamed(name: string): VariableName | null {
  const upper = name.toUpperCase();
  return Object.hasOwn(VARIABLES, upper) ? (upper as VariableName) : null;
}
