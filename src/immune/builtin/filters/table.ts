/** All built-in filters. A new one is a file, a line here and its cases: the walker test names what lacks either. */
import type { Filter } from "../filter.ts";
import { brokenEncoding } from "./broken-encoding.ts";
import { headerInjection } from "./header-injection.ts";
import { javaCode } from "./java-code.ts";
import { javaLookup } from "./java-lookup.ts";
import { javaSerialized } from "./java-serialized.ts";
import { ldapInjection } from "./ldap-injection.ts";
import { localFile } from "./local-file.ts";
import { mailCommand } from "./mail-command.ts";
import { nodeCode } from "./node-code.ts";
import { nosqlInjection } from "./nosql-injection.ts";
import { oddMultipart } from "./odd-multipart.ts";
import { oddRequest } from "./odd-request.ts";
import { pathTraversal } from "./path-traversal.ts";
import { phpCode } from "./php-code.ts";
import { phpFunction } from "./php-function.ts";
import { prototypePollution } from "./prototype-pollution.ts";
import { remoteFile } from "./remote-file.ts";
import { requestForgery } from "./request-forgery.ts";
import { restrictedPath } from "./restricted-path.ts";
import { scanner } from "./scanner.ts";
import { scriptUpload } from "./script-upload.ts";
import { scriptingCode } from "./scripting-code.ts";
import { sessionFixation } from "./session-fixation.ts";
import { shellCommand } from "./shell-command.ts";
import { shellDirect } from "./shell-direct.ts";
import { shellExpression } from "./shell-expression.ts";
import { shellWindows } from "./shell-windows.ts";
import { sqlCatalogue } from "./sql-catalogue.ts";
import { sqlFunction } from "./sql-function.ts";
import { sqlInjection } from "./sql-injection.ts";
import { sqlObfuscation } from "./sql-obfuscation.ts";
import { sqlStatement } from "./sql-statement.ts";
import { streamWrapper } from "./stream-wrapper.ts";
import { templateInjection } from "./template-injection.ts";
import { xssAddress } from "./xss-address.ts";
import { xssCharset } from "./xss-charset.ts";
import { xssHandler } from "./xss-handler.ts";
import { xssMarkup } from "./xss-markup.ts";
import { xssScript } from "./xss-script.ts";

/** By id. */
export const FILTERS: readonly Filter[] = [
  // 1001xx: the protocol.
  headerInjection,
  brokenEncoding,
  ldapInjection,
  oddRequest,
  oddMultipart,
  sessionFixation,
  // 1002xx: SQL.
  sqlInjection,
  sqlStatement,
  sqlFunction,
  sqlCatalogue,
  sqlObfuscation,
  // 1003xx: script in pages.
  xssMarkup,
  xssHandler,
  xssAddress,
  xssScript,
  xssCharset,
  // 1004xx: files.
  pathTraversal,
  localFile,
  restrictedPath,
  remoteFile,
  streamWrapper,
  // 1005xx: commands.
  shellCommand,
  shellDirect,
  shellExpression,
  shellWindows,
  mailCommand,
  // 1006xx: PHP.
  phpCode,
  phpFunction,
  scriptUpload,
  // 1007xx: other languages, templates, databases of documents, requests from inside.
  nodeCode,
  prototypePollution,
  templateInjection,
  scriptingCode,
  nosqlInjection,
  requestForgery,
  // 1008xx: Java.
  javaCode,
  javaLookup,
  javaSerialized,
  // 1009xx: scanners.
  scanner,
];
