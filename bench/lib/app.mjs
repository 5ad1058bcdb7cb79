/** The app of the request path's benchmarks: plain node:http, no framework, so that what is measured is the way to it. */
import http from "node:http";

const json = JSON.stringify({
  items: Array.from({ length: 12 }, (_, i) => ({
    id: i,
    name: `item number ${i}`,
    price: i * 99,
    inStock: i % 3 !== 0,
  })),
});
const big = Buffer.alloc(64 * 1024, "0123456789abcdef");

const server = http.createServer((req, res) => {
  switch (req.url) {
    case "/hello":
      res.writeHead(200, { "content-type": "text/plain", "content-length": 5 });
      return res.end("hello");
    case "/json":
      res.writeHead(200, { "content-type": "application/json", "content-length": Buffer.byteLength(json) });
      return res.end(json);
    case "/64k":
      res.writeHead(200, { "content-type": "application/octet-stream", "content-length": big.length });
      return res.end(big);
    case "/upload": {
      let bytes = 0;
      req.on("data", (chunk) => (bytes += chunk.length));
      return req.on("end", () => res.end(String(bytes)));
    }
    default:
      res.writeHead(404);
      return res.end();
  }
});

// A path of a Unix socket, or a port.
server.listen(process.env.PORT ?? 3000);
