/**
 * Tells text that somebody has written (a comment, a question, an article, source code in a field for it) from a value
 * that was made to be taken for something else.
 *
 * People write about attacks, and teach with the very statements that attackers send. What they write has words around
 * it that hold a sentence together, or lines. An attack is short, and every byte of it is for the machine. So: words
 * without which no sentence is made (of a dozen languages), or several lines.
 *
 * Somebody who knows this can dress an attack as a comment. That is the price of letting people write what they want,
 * and it is said so in docs/FILTERS.md: what is shown must be escaped by the application, as ever.
 */

/** Longer text is judged by its beginning. */
const CHARS_READ = 2048;
/** Of words that hold a sentence together, and of words at all. "use <script> tags" is a sentence, if a short one. */
const LINKING_WORDS_MIN = 2;
const WORDS_MIN = 4;
/** Words that statements have too count half, and all of them together as one at most. */
const WEAK_WORDS_MAX = 2;
/** Lines of a snippet, and bytes of it. Whoever splits a header sends two. */
const LINES_MIN = 4;
const LINES_BYTES_MIN = 60;
/** Messages of programs have few such words: then most of it must be words, and neither a statement nor made of SQL's. */
const MESSAGE_WORDS_MIN = 7;
const MESSAGE_SHARE_MIN = 0.6;
const MESSAGE_OTHER_WORDS_MIN = 4;
/** Scripts without blanks between words: so many bytes beyond ASCII are about so many words. */
const HIGH_BYTES_PER_WORD = 6;

export function isWritten(text: string): boolean {
  const start = text.length > CHARS_READ ? text.slice(0, CHARS_READ) : text;
  return hasLines(start) || isProse(start) || MARKED.test(start);
}

/** "see `ls -la` for more": words, and code marked as such. */
const MARKED = /^[A-Za-z][a-z']{1,20} (?:[\w',.-]+ ){0,8}`[^`]{1,80}`(?:[ .,;:!?)]|$)/;

function hasLines(text: string): boolean {
  if (text.length < LINES_BYTES_MIN) return false;
  let lines = 0;
  for (let at = text.indexOf("\n"); at !== -1 && lines < LINES_MIN; at = text.indexOf("\n", at + 1)) {
    if (text[at + 1] !== "\n" && text[at + 1] !== "\r") lines += 1;
  }
  return lines >= LINES_MIN - 1;
}

function isProse(text: string): boolean {
  let pieces = 0;
  let words = 0;
  let linking = 0;
  let weak = 0;
  let ofSql = 0;
  let hasStatement = false;
  let high = 0;
  // Tags stand around words.
  for (const piece of (text.includes("<") ? text.replace(TAG, " ") : text).split(/[\s+]+/)) {
    if (piece === "") continue;
    pieces += 1;
    const word = WORD.exec(piece)?.[1];
    if (word === undefined) continue;
    words += 1;
    const lower = word.toLowerCase();
    if (LINKING.has(lower)) linking += 1;
    else if (OF_SQL.has(lower)) {
      ofSql += 1;
      if (WEAK.has(lower)) weak += 1;
      else hasStatement ||= STATEMENTS.has(lower);
    } else if (word.charCodeAt(0) > 0xc2) high += word.length;
  }
  const more = Math.floor(high / HIGH_BYTES_PER_WORD);
  const links = linking + Math.floor(more / 2) + Math.min(weak, WEAK_WORDS_MAX) / 2;
  if (words + more >= WORDS_MIN && links >= LINKING_WORDS_MIN) return true;
  return (
    (linking > 0 || !hasStatement) &&
    words >= MESSAGE_WORDS_MIN &&
    words >= MESSAGE_SHARE_MIN * pieces &&
    words - ofSql >= MESSAGE_OTHER_WORDS_MIN
  );
}

const TAG = /<\/?[a-z][^<>]{0,300}>/gi;

/** A word as sentences have it: letters, an apostrophe within, punctuation around. */
const WORD = /^["'(*_\xc2\xab]{0,3}([a-z\x80-\xff]+(?:['-][a-z]+)?)["'),.:;!?*_\xc2\xbb]{0,3}$/i;

const WEAK: ReadonlySet<string> = new Set([
  "is",
  "in",
  "on",
  "and",
  "or",
  "not",
  "if",
  "as",
  "from",
  "by",
  "when",
  "then",
]);
const STATEMENTS: ReadonlySet<string> = new Set([
  "select",
  "insert",
  "update",
  "delete",
  "union",
  "drop",
  "exec",
  "where",
]);
const OF_SQL: ReadonlySet<string> = new Set(
  `select insert update delete union all from where and or not in is like as by order group having into values set table
   drop create alter null limit on join exec declare case when then else end if user users password database schema id`.split(
    /\s+/,
  ),
);

/**
 * Words that link others. None that SQL, shells or programs also have (in, from, as, is, for, if, and, or, not, do,
 * this, new, who, time): an attack may well consist of those.
 */
const LINKING: ReadonlySet<string> = new Set(
  `a about actually after also although always am an are because been before being best but can cannot can't could
   couldn't did didn't does doesn't don't during each either especially even ever every few found getting give good
   got great had happens has hasn't have haven't having he hello help her here hi his how however i i'd i'll i'm
   i've inside instead isn't it it's its itself just know learn let's little look looks made make makes many may
   maybe me mean means might more most much must my need needs neither never nice no nobody now of off often old
   once one only other our out own please possible probably question quite rather really said same saw say says see
   seems she should shouldn't since so some somebody someone something sometimes still such sure than thank thanks
   that that's the their them there there's these they thing things think those though through to today together
   too tried try trying two under up us used useful uses using usually very want wants was wasn't way we we're well
   went were what what's which why will with without won't word work works would write writing written wrong wrote
   yes yesterday yet you you're your aber als auch auf aus bei bin bitte da dann das dass dem den denn der des die
   dies diese dieser doch durch ein eine einem einen einer er es etwas ganz gegen gibt habe haben hallo hat hier
   ich ihr im immer ist ja kann kein keine leider mein mir mit muss nach nicht noch nur ob oder ohne schon sehr
   sein sich sie sind soll um und uns vom von vor war wenn werden wie wir wird wo zu zum zur alors aux avec bien
   bonjour ce cela ces cette comme comment dans de depuis deux donc du elle en entre est et faire fait il ils je la
   le les leur lors mais merci mes moi mon ne nous ou par pas peut peux plus pour pourquoi quand que quel quelle
   qui sans ses si son sont sur tout tous tr\xc3\xa8s un une vous votre \xc3\xa0 \xc3\xaatre al algo ahora
   aqu\xc3\xad como con cuando del desde donde dos el ella eres esa ese esta este esto est\xc3\xa1 gracias ha hay
   hola las lo los mi muy m\xc3\xa1s nada ni nos o otra otro para pero por porque puede puedo qu\xc3\xa9 se ser sin
   sobre su sus s\xc3\xad tan te tengo tiene todo todos tu una unas unos usted y ya ao aos com depois e ela ele em
   essa esse eu foi h\xc3\xa1 isso isto j\xc3\xa1 mas mesmo meu minha muito na nas n\xc3\xa3o os pela pelo qual
   quando quem sem seu sua s\xc3\xa3o tamb\xc3\xa9m tem uma agli ai alla anche avere che chi ci ciao come cosa
   cos\xc3\xac dal dalla degli dei della delle di dopo dove ed era gli ho io lei loro ma molto nei nel nella non
   nostro ogni per perch\xc3\xa9 pi\xc3\xb9 poi quella quello questa questo sar\xc3\xa0 senza siamo sono sul sulla
   suo ti tra tutti tutto uno aan alle bij bijna dag dan dat deze dit door een geen graag heb hebben heeft het hij
   hoe hun ik kan maar meer met mijn moet naar niet nog nu om omdat ons onze ook op tot uit van veel voor waar
   waarom wat wel werd wij worden zich zijn zo zonder zou att av blev det detta d\xc3\xa5 eller ett fr\xc3\xa5n
   f\xc3\xb6r han har hej hon hur ingen inte jag man med men mycket m\xc3\xa5ste n\xc3\xa4r n\xc3\xa5gon och oss
   p\xc3\xa5 sig ska som s\xc3\xa5 tack till upp ut utan vad var varf\xc3\xb6r vi vill vid \xc3\xa4r ale bardzo bez
   by\xc5\x82 co czy dla do dzie\xc5\x84 gdy jak jako jest jestem ju\xc5\xbc lub mnie mo\xc5\xbce mo\xc5\xbcna nie
   od po pod przez przy si\xc4\x99 s\xc4\x85 ta tak te\xc5\xbc tylko tym w z za ze \xc5\xbce ama bir bu daha
   de\xc4\x9fil gibi i\xc3\xa7in ile kadar ki nas\xc4\xb1l olan olarak ve veya yok \xc3\xa7ok \xc5\x9fu`.split(/\s+/),
);
