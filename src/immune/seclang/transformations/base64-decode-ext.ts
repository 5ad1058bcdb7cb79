import { base64Decode } from "./base64-decode.ts";

/**
 * Description: decodes base64 as lenient readers do: characters that do not belong to it are passed over.
 * Arguments: the value.
 * Returns: the decoded bytes.
 * Example: "SGV.sbG8=" -> "Hello"
 */
export function base64DecodeExt(value: string): string {
  return base64Decode(value.replace(/[^A-Za-z0-9+/]/g, ""));
}
