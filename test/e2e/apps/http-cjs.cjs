"use strict";
const http = require("node:http");

const server = http.createServer((req, res) => {
  res.setHeader("X-App", "http-cjs");
  if (req.url === "/hello") return res.end("hello");
  if (req.url === "/cookies") {
    res.setHeader("Set-Cookie", ["a=1; Path=/", "b=2; Path=/"]);
    return res.end("cookies");
  }
  if (req.url === "/echo" && req.method === "POST") {
    res.setHeader("Content-Type", "application/octet-stream");
    return req.pipe(res);
  }
  if (req.url === "/lines") {
    for (let line = 1; line <= 2000; line += 1) res.write(`line ${line}\n`);
    return res.end();
  }
  res.statusCode = 404;
  return res.end();
});

server.listen(process.env.PORT ?? 3000);
