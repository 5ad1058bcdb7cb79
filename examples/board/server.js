/**
 * A small community board: threads, replies, pictures, and new posts that appear while one reads.
 *
 * Everything that must be the same for everybody is in one SQLite file (store.js), so any number of
 * copies of this program can serve the same board.
 */
import { createServer } from "node:http";
import { join } from "node:path";
import express from "express";
import multer from "multer";
import { readPost, readThread, wantedPage } from "./input.js";
import { createLab } from "./lab.js";
import { createLive } from "./live.js";
import { errorPage, listPage, newThreadPage, threadPage } from "./pages.js";
import { imageBytesMax, openStore } from "./store.js";

const here = import.meta.dirname;
const textBytesMax = 64 * 1024;

const store = openStore();
const app = express();
const server = createServer(app);
const live = createLive(server, store);
const readUpload = multer({
  storage: multer.memoryStorage(),
  // Ten fields are plenty for forms that have four; a field is at most as long as the longest text.
  limits: { fileSize: imageBytesMax, files: 1, fields: 10, fieldSize: textBytesMax },
}).single("image");

app.disable("x-powered-by");
app.use((_req, res, next) => {
  res.set({
    "Content-Security-Policy": "default-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
  });
  next();
});
app.use(express.static(join(here, "public"), { index: false, maxAge: "1h" }));
app.use("/images", express.static(store.imageDir, { index: false, immutable: true, maxAge: "365d" }));

// Pages

app.get("/", (req, res) => {
  const page = wantedPage(req.query.page);
  res.send(listPage({ ...store.listThreads(page), page }));
});

app.get("/new", (_req, res) => res.send(newThreadPage()));

app.use("/threads", express.urlencoded({ extended: false, limit: textBytesMax }), readForm);

app.post("/threads", async (req, res) => {
  const { values, errors } = readThread(req.body, req.fileProblem);
  const image = await keepImage(req, errors);
  if (Object.keys(errors).length > 0) return res.status(422).send(newThreadPage({ values, errors }));
  const thread = store.addThread({ ...values, image });
  live.announce();
  return res.redirect(303, `/threads/${thread.id}`);
});

app.get("/threads/:id", (req, res) => {
  const found = store.readThread(Number(req.params.id));
  if (found === undefined) return notFound(req, res);
  return res.send(threadPage(found));
});

app.post("/threads/:id/posts", async (req, res) => {
  const found = store.readThread(Number(req.params.id));
  if (found === undefined) return notFound(req, res);
  const { values, errors } = readPost(req.body, req.fileProblem, found.posts.length);
  const image = await keepImage(req, errors);
  if (Object.keys(errors).length > 0) return res.status(422).send(threadPage({ ...found, values, errors }));
  const post = store.addPost(found.thread.id, { ...values, image });
  live.announce();
  return res.redirect(303, `/threads/${found.thread.id}#post-${post.id}`);
});

// JSON

app.use("/api", express.json({ limit: textBytesMax }));

app.get("/api/threads", (req, res) => {
  const page = wantedPage(req.query.page);
  res.json({ ...store.listThreads(page), page });
});

app.post("/api/threads", (req, res) => {
  const { values, errors } = readThread(req.body);
  if (Object.keys(errors).length > 0) return invalid(res, errors);
  const thread = store.addThread(values);
  live.announce();
  return res.status(201).location(`/api/threads/${thread.id}`).json({ thread });
});

app.get("/api/threads/:id", (req, res) => {
  const found = store.readThread(Number(req.params.id));
  if (found === undefined) return notFound(req, res);
  return res.json(found);
});

app.post("/api/threads/:id/posts", (req, res) => {
  const found = store.readThread(Number(req.params.id));
  if (found === undefined) return notFound(req, res);
  const { values, errors } = readPost(req.body, undefined, found.posts.length);
  if (Object.keys(errors).length > 0) return invalid(res, errors);
  const post = store.addPost(found.thread.id, values);
  live.announce();
  return res.status(201).location(`/api/threads/${found.thread.id}`).json({ post });
});

app.get("/health", (_req, res) => {
  res.set("Cache-Control", "no-store").json({
    ok: true,
    pid: process.pid,
    uptimeSeconds: Math.round(process.uptime()),
    watchers: live.count(),
    ...store.count(),
  });
});

if (process.env.BOARD_LAB !== "off") app.use("/lab", createLab());

app.use(notFound);
app.use((error, req, res, next) => {
  // The answer has begun: only cutting the connection still tells the reader that it is incomplete.
  if (res.headersSent) return next(error);
  const status = error.status >= 400 && error.status < 500 ? error.status : 500;
  if (status === 500) console.error(error);
  return fail(req, res, status, status === 500 ? "Something went wrong on our side." : error.message);
});

server.listen(process.env.PORT ?? 3000, () => {
  const { port } = server.address();
  console.log(`The board is open at http://127.0.0.1:${port}/ (data in ${store.dir})`);
});

for (const signal of ["SIGINT", "SIGTERM"]) {
  process.once(signal, () => {
    live.close();
    server.close(() => store.close());
  });
}

/** Form fields and at most one picture. What is wrong with the picture goes beside the field, not to an error page. */
function readForm(req, res, next) {
  readUpload(req, res, (error) => {
    if (!(error instanceof multer.MulterError)) return next(error);
    req.fileProblem =
      error.code === "LIMIT_FILE_SIZE"
        ? `The picture is too large: at most ${imageBytesMax / 1024 / 1024} MB.`
        : `The form could not be read (${error.code}).`;
    return next();
  });
}

/** Keeps the picture only when nothing else is wrong with the form; says so when it is none. */
async function keepImage(req, errors) {
  if (req.file === undefined || Object.keys(errors).length > 0) return null;
  const name = await store.keepImage(req.file.buffer);
  if (name === null) errors.image = "This is not a picture we know: PNG, JPEG, GIF or WebP, please.";
  return name;
}

function invalid(res, fields) {
  return res.status(422).json({ error: { message: "Some fields are missing or wrong.", fields } });
}

function notFound(req, res) {
  return fail(req, res, 404, "There is nothing at this address.");
}

function fail(req, res, status, message) {
  res.status(status);
  if (req.originalUrl.startsWith("/api/")) return res.json({ error: { message } });
  return res.send(errorPage({ status, message }));
}
