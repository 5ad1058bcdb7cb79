/** What is known of request methods. A method is case-sensitive: `get` is none of these. */

/** Those whose second run has the effect of the first (RFC 9110, 9.2.2), so that a retry is always safe. */
const idempotentMethods: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"]);

export function isIdempotent(method: string): boolean {
  return idempotentMethods.has(method);
}

/**
 * The methods that Node's own parser knows, which are those that an app can ever have been asked for. Anything
 * else is refused with 501: an app that never saw such a method in its life should not meet it here first.
 */
const knownMethods: ReadonlySet<string> = new Set(
  (
    "GET HEAD POST PUT DELETE OPTIONS PATCH TRACE CONNECT QUERY " +
    "COPY LOCK MKCOL MOVE PROPFIND PROPPATCH UNLOCK SEARCH BIND REBIND UNBIND ACL " +
    "REPORT MKACTIVITY CHECKOUT MERGE MKCALENDAR LINK UNLINK PURGE " +
    "M-SEARCH NOTIFY SUBSCRIBE UNSUBSCRIBE SOURCE"
  ).split(" "),
);

export function isKnownMethod(method: string): boolean {
  return knownMethods.has(method);
}
