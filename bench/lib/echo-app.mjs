/**
 * The app of the chaos benchmarks: answers with the id that it was asked for and with its process, a few milliseconds later, so that
 * requests are in its hands whenever it is killed. /leak keeps as many MiB for ever, on the heap.
 */
import http from "node:http";

const delayMsMax = 8;
const hoard = [];

const server = http.createServer((req, res) => {
  const url = new URL(req.url, "http://app");
  if (url.pathname === "/leak") {
    // 131,072 numbers of eight bytes.
    for (let mib = Number(url.searchParams.get("mib")); mib > 0; mib -= 1)
      hoard.push(Array.from({ length: 131_072 }, Math.random));
  }
  const body = `${url.searchParams.get("id")} ${process.pid}`;
  setTimeout(() => {
    res.writeHead(200, { "content-type": "text/plain", "content-length": Buffer.byteLength(body) });
    res.end(body);
  }, Math.random() * delayMsMax);
});

server.listen(process.env.PORT ?? 3000);
