/** Big bodies both ways, server-sent events, and what an app sees of a client that goes away. */
import { createHash } from "node:crypto";
import { appendFileSync, existsSync } from "node:fs";
import { createServer } from "node:http";
import { pipeline, Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";

const server = createServer((req, res) => {
  const url = new URL(req.url, "http://app.invalid");
  const route = routes[url.pathname];
  if (route === undefined) res.writeHead(404).end();
  else route(req, res, url.searchParams);
});

const routes = {
  /** `bytes` pseudo-random bytes, the same for the same number. With `length`, their number is announced. */
  "/download"(_req, res, params) {
    const bytes = Number(params.get("bytes"));
    if (params.has("length")) res.setHeader("Content-Length", bytes);
    pipeline(Readable.from(blocks(bytes)), res, () => {});
  },

  /** The number and SHA-256 of the bytes received. */
  async "/upload"(req, res) {
    const hash = createHash("sha256");
    let bytes = 0;
    for await (const chunk of req) {
      bytes += chunk.length;
      hash.update(chunk);
    }
    res.setHeader("Content-Type", "application/json");
    res.end(JSON.stringify({ bytes, sha256: hash.digest("hex") }));
  },

  "/echo"(req, res) {
    pipeline(req, res, () => {});
  },

  /** An event at once; each further one when the file `until`-n exists, so that the reader paces the writer. */
  async "/events"(_req, res, params) {
    res.writeHead(200, { "Content-Type": "text/event-stream", "Cache-Control": "no-store" });
    for (let event = 1; event <= 3 && !res.destroyed; event += 1) {
      const wanted = () => event === 1 || res.destroyed || existsSync(`${params.get("until")}-${event}`);
      while (!wanted()) await sleep(10);
      res.write(`id: ${event}\ndata: ${process.pid}\n\n`);
    }
    res.end();
  },

  /** Notes in the file `log` how the exchange ended. The answer never ends by itself. */
  "/abandoned"(req, res, params) {
    const note = (text) => appendFileSync(params.get("log"), `${text}\n`);
    note("begun");
    req.on("data", (chunk) => note(`received ${chunk.length}`));
    req.on("error", (error) => note(`request error ${error.code}`));
    req.on("aborted", () => note("request aborted"));
    res.on("close", () => note(`response closed, ${res.writableFinished ? "finished" : "unfinished"}`));
    res.write("begun\n");
  },
};

function* blocks(bytes) {
  let left = bytes;
  for (let block = 0; left > 0; block += 1) {
    const data = createHash("shake256", { outputLength: 64 * 1024 })
      .update(`block ${block}`)
      .digest();
    yield left >= data.length ? data : data.subarray(0, left);
    left -= data.length;
  }
}

server.listen(process.env.PORT ?? 3000);
