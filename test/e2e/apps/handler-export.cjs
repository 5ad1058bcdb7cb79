"use strict";

module.exports = function handler(req, res) {
  res.setHeader("X-App", "handler-export-cjs");
  if (req.url === "/hello") return res.end("hello");
  if (req.url === "/cookies") return res.setHeader("Set-Cookie", ["a=1; Path=/", "b=2; Path=/"]).end("cookies");
  if (req.url === "/echo") return req.pipe(res.setHeader("Content-Type", "application/octet-stream"));
  if (req.url === "/lines") {
    for (let line = 1; line <= 2000; line += 1) res.write(`line ${line}\n`);
    return res.end();
  }
  return res.writeHead(404).end();
};
