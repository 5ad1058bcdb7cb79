/** Reads Cookie headers as browsers send them: `a=1; b=2`. Nothing is decoded: a cookie's value means what the app says. */
import type { HeaderList } from "../../http/message.ts";
import type { NamedValue } from "./bodies/reading.ts";
import { SECLANG_LIMITS } from "./limits.ts";

/** At most `cookiesMax`: what is beyond stands in REQUEST_HEADERS still. */
export function readCookies(headers: HeaderList): NamedValue[] {
  const cookies: NamedValue[] = [];
  for (let i = 0; i + 1 < headers.length; i += 2) {
    if (headers[i]!.toLowerCase() !== "cookie") continue;
    for (const pair of headers[i + 1]!.split(";")) {
      const text = pair.trim();
      if (text === "") continue;
      if (cookies.length >= SECLANG_LIMITS.cookiesMax) return cookies;
      const equals = text.indexOf("=");
      cookies.push(
        equals === -1
          ? { name: text, value: "" }
          : { name: text.slice(0, equals).trimEnd(), value: text.slice(equals + 1).trimStart() },
      );
    }
  }
  return cookies;
}
