/**
 * What may be told of a request: secrets are masked where they are told, for logs and reports are read by many.
 *
 * Names decide first, since nobody can tell a password by its looks; some things can be told by theirs. Evidence of an
 * attack is worth more than a perfect mask: so what has no telling name and no telling shape stays as it came.
 */

const SECRET_NAME =
  /pass(?:w(?:or)?d|phrase|code)?$|^p(?:wd|in|ass)$|pwd|secret|token|api[-_]?key|credential|session|^s(?:id|essid)$|[-_]sid$|^(?:proxy-)?authorization$|cookie|card[-_]?(?:no|num)|^cc[-_]?num|cvv|cvc|^ssn$|iban|signature|^sig$|csrf|xsrf|otp$/i;

const MASK = "***";

/** Whether what has this name is nobody's business: `password`, `ARGS:user[password]`, `REQUEST_HEADERS:Cookie`. */
export function isSecretName(name: string): boolean {
  const last = /[^:.[\]]+(?=[\]]*$)/.exec(name)?.[0] ?? name;
  return SECRET_NAME.test(last) || /^REQUEST_COOKIES(?::|$)/.test(name);
}

/** A request-target with the values of secret parameters masked, shortened to `charsMax`. */
export function maskTarget(target: string, charsMax: number): string {
  const question = target.indexOf("?");
  const masked =
    question === -1
      ? target
      : target.slice(0, question + 1) + target.slice(question + 1).replaceAll(PARAMETER, maskParameter);
  return masked.length <= charsMax ? masked : `${masked.slice(0, charsMax)}...`;
}

const PARAMETER = /([^&=?]{1,256})=([^&]*)/g;

function maskParameter(whole: string, name: string, value: string): string {
  return value !== "" && isSecretName(name) ? `${name}=${MASK}` : whole;
}

/** A value that was found under a name. */
export function maskValue(name: string, value: string): string {
  if (isSecretName(name)) return MASK;
  return value.replace(BEARER, `$1 ${MASK}`).replaceAll(WEB_TOKEN, MASK).replaceAll(CARD_NUMBER, MASK);
}

const BEARER = /\b(Bearer|Basic)\s+[\w.~+/=-]{8,}/i;
/** JSON web tokens: three parts, the first of which begins as base64 of `{"` does. */
const WEB_TOKEN = /\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*/g;
const CARD_NUMBER = /\b(?:\d[ -]?){13,19}\b/g;
