import { pattern, type Filter } from "../filter.ts";
import { INPUT } from "../places.ts";

export const mailCommand: Filter = {
  id: 100_505,
  name: "mail-command",
  message: "A value speaks to a mail server",
  attackClass: "code-execution",
  score: 5,
  catches:
    "Commands of SMTP, IMAP and POP3 at the beginning of a line within a value, which would be sent to a mail server that an application talks to.",
  letsPass: "Lines of text that begin with such words, without what belongs to the command.",
  example: "a\r\nRCPT TO:<everybody@example.org>",
  places: INPUT,
  checks: [
    pattern(
      "plain",
      `[\\r\\n][ \\t]*(?:(?:mail|send|soml|saml)\\s+from\\s*:|rcpt\\s+to\\s*:|(?:helo|ehlo|lhlo)\\s+[\\w\\[.-]+|(?:vrfy|expn|etrn)\\s+\\S+|auth\\s+(?:plain|login|cram-md5|digest-md5|xoauth2?|ntlm|external|gssapi|anonymous|[a-z0-9-]+\\s+\\S)|starttls\\s*$|bdat\\s+\\d+|turn\\s*$|noop\\s*$|rset\\s*$|quit\\s*$|data\\s*[\\r\\n])`,
      { inText: "counts" },
    ),
    pattern(
      "plain",
      `[\\r\\n][ \\t]*[a-z]{0,4}\\d{1,6}\\s+(?:append|authenticate|capability|check|close|copy|create|delete|examine|expunge|fetch|getacl|getquota\\w*|idle|list|listrights|login|logout|lsub|move|myrights|namespace|noop|rename|search|select|setacl|deleteacl|setquota|sort|starttls|status|store|subscribe|thread|uid|unselect|unsubscribe|enable|x\\w+)\\b`,
      { inText: "counts" },
    ),
    pattern(
      "plain",
      `[\\r\\n][ \\t]*(?:(?:retr|dele|list|uidl)\\s+\\d+\\s*(?:$|[\\r\\n])|top\\s+\\d+\\s+\\d+|user\\s+\\S+[\\r\\n]+\\s*pass\\s|apop\\s+\\S+\\s+[\\da-f]{16,}|(?:stat|capa|stls|uidl|rset|noop|quit)\\s*(?:$|[\\r\\n])|pass\\s+\\S+\\s*$|user\\s+\\S+\\s*$)`,
    ),
  ],
};
