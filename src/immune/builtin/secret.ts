/**
 * Tells a password from an attack. A good password is a dozen characters of any kind in any order, and one in thirty of
 * those has the look of some attack: a quote and two dashes, a bar before letters. So in a field for one, what has no
 * blanks and none of the words that attacks need is taken for a password.
 *
 * ' or 1=1 and <script> are found in such a field still; it is where logins are attacked.
 */

const FIELD =
  /(?:^|[^a-z])(?:[a-z]*pass(?:word|wd|phrase|code)?\w*|\w*passwor[dt]\w*|pwd?|kennwort|secret|pin|passphrase|contrase\w*|senha)(?:$|[^a-z])/i;
const CHARS_MAX = 128;
const ATTACK_WORD =
  /(?:^|[^a-z])(?:or|and|union|select|insert|update|delete|drop|from|where|like|sleep|benchmark|script|alert|prompt|eval|exec|system|onerror|onload|on\w{4,}=|javascript|iframe|svg|img|src|href|etc|passwd|proc|bin|cat|curl|wget|bash|nc|id|whoami|php|java|jndi|require|process|import|ognl|runtime|class|http|https|file|true|false|null)(?:$|[^a-z])/i;

/** `field` is the parameter's name. */
export function isPassword(field: string, value: string): boolean {
  return value.length <= CHARS_MAX && FIELD.test(field) && !/\s|\/\*.*\*\/|1=1/.test(value) && !ATTACK_WORD.test(value);
}
