/**
 * What a rule set and a request may ask of the engine at most. Each bound is far above what the Core Rule Set and an
 * honest request need; what exceeds one is an error with a name (a rule set) or a flag that rules can see (a request).
 */
export const SECLANG_LIMITS = {
  /** A rule file. The largest of the Core Rule Set has 200 KB. */
  ruleFileBytesMax: 8 * 1024 * 1024,
  /** Files that one rule set may include, directly and indirectly. The Core Rule Set has 30. */
  ruleFilesMax: 2000,
  /** Includes within includes: deeper is a file that includes itself. */
  includeDepthMax: 16,
  /** Rules of one set, chained ones counted. The Core Rule Set has 702. */
  rulesMax: 50_000,
  /** Links of one chain. Nobody can read a longer one. */
  chainLengthMax: 64,
  /** A single logical line, continuations joined. The longest of the Core Rule Set has 20 KB. */
  lineCharsMax: 1024 * 1024,

  /** Arguments of one request, query and body together; more are counted and dropped, and REQBODY_ERROR says so. */
  argumentsMax: 2000,
  /** Cookies of one request. Browsers keep 180 for a site. */
  cookiesMax: 500,
  /** Nesting of a JSON or XML body: deeper is an attack on parsers. */
  bodyDepthMax: 64,
  /** Parts of a multipart body. */
  multipartPartsMax: 1000,
  /** Header lines of one part. Browsers send three at most. */
  multipartPartHeadersMax: 32,
  /** Bytes of one part's header lines together. */
  multipartPartHeadBytesMax: 16 * 1024,

  /** Values that one variable list may yield to one rule; bounds MATCHED_VARS as well. */
  valuesMax: 20_000,
  /** Keys of one collection (TX, IP ...): a rule that names keys after arguments could grow it without end. */
  collectionKeysMax: 10_000,
  /** What a macro may expand to; longer is cut. */
  expansionCharsMax: 64 * 1024,
  /** Matches kept for the report. Scores still count every one. */
  hitsMax: 500,
  /** Characters of a matched value kept as evidence. */
  evidenceCharsMax: 200,
} as const;
