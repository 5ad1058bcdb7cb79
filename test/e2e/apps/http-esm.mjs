import { createServer } from "node:http";

const server = createServer((req, res) => {
  res.setHeader("X-App", "http-esm");
  switch (req.url) {
    case "/hello":
      return res.end("hello");
    case "/cookies":
      return res.writeHead(200, ["Set-Cookie", "a=1; Path=/", "Set-Cookie", "b=2; Path=/"]).end("cookies");
    case "/echo":
      res.setHeader("Content-Type", "application/octet-stream");
      return req.pipe(res);
    case "/lines":
      for (let line = 1; line <= 2000; line += 1) res.write(`line ${line}\n`);
      return res.end();
    default:
      return res.writeHead(404).end();
  }
});

server.listen(process.env.PORT ?? 3000);
