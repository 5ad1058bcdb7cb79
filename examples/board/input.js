/**
 * What people send, made into values that can be stored, with a sentence beside each field that is wrong.
 * Lengths are limits of this board, not of the database: a post should fit a screen or two.
 */
export const limits = { author: 40, title: 120, body: 8_000 };
/** A page shows a whole thread, so a thread is closed before its page grows without bound. */
export const postsPerThreadMax = 500;
const pageMax = 1_000_000;

/** @returns {{ values: { author: string, title: string, body: string }, errors: Record<string, string> }} */
export function readThread(fields, fileProblem) {
  const { values, errors } = readPost(fields, fileProblem);
  const title = text(fields?.title).replaceAll(/\s+/g, " ");
  if (title === "") errors.title = "A thread needs a title.";
  else if (title.length > limits.title) errors.title = tooLong(title, limits.title);
  return { values: { ...values, title }, errors };
}

/** @returns {{ values: { author: string, body: string }, errors: Record<string, string> }} */
export function readPost(fields, fileProblem, postCount = 0) {
  const errors = {};
  const author = text(fields?.author).replaceAll(/\s+/g, " ");
  const body = text(fields?.body).replaceAll("\r\n", "\n");
  if (author === "") errors.author = "Please say who you are; any name will do.";
  else if (author.length > limits.author) errors.author = tooLong(author, limits.author);
  if (body === "") errors.body = "There is nothing to post yet.";
  else if (body.length > limits.body) errors.body = tooLong(body, limits.body);
  if (postCount >= postsPerThreadMax) errors.body = "This thread is full. Please start another.";
  if (fileProblem !== undefined) errors.image = fileProblem;
  return { values: { author, body }, errors };
}

/** 1 for anything that is not a page number. */
export function wantedPage(value) {
  const page = Number(value);
  return Number.isInteger(page) && page >= 1 && page <= pageMax ? page : 1;
}

function text(value) {
  return typeof value === "string" ? value.trim() : "";
}

function tooLong(value, max) {
  return `This is ${value.length} characters long; at most ${max}, please.`;
}
