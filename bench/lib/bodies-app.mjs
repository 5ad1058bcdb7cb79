/** The app of huge-bodies and slowloris: counts what it is sent, and sends as much as it is asked for, at the client's pace. */
import { createServer } from "node:http";
import { Readable } from "node:stream";

const chunk = Buffer.alloc(64 * 1024, "0123456789abcdef");

function* chunks(bytes) {
  for (let left = bytes; left > 0; left -= chunk.length) yield left < chunk.length ? chunk.subarray(0, left) : chunk;
}

createServer((request, response) => {
  const url = new URL(request.url, "http://app");
  if (url.pathname === "/down") {
    const bytes = Number(url.searchParams.get("bytes"));
    response.setHeader("Content-Length", bytes);
    Readable.from(chunks(bytes), { objectMode: false }).pipe(response);
    return;
  }
  let bytes = 0;
  request.on("data", (part) => (bytes += part.length));
  request.on("end", () => response.end(String(bytes)));
}).listen(0);
