import http, { type IncomingMessage, type RequestListener, type ServerResponse } from "node:http";

type Route = (req: IncomingMessage, res: ServerResponse) => void;

const routes: Readonly<Record<string, Route>> = {
  "GET /hello": (_req, res) => res.end("hello"),
  "GET /cookies": (_req, res) => res.setHeader("Set-Cookie", ["a=1; Path=/", "b=2; Path=/"]).end("cookies"),
  "POST /echo": (req, res) => req.pipe(res.setHeader("Content-Type", "application/octet-stream")),
  "GET /lines": (_req, res) => {
    for (let line = 1; line <= 2000; line += 1) res.write(`line ${line}\n`);
    res.end();
  },
};

const answer: RequestListener = (req, res) => {
  res.setHeader("X-App", "typescript");
  const method = req.method === "HEAD" ? "GET" : req.method;
  const route = routes[`${method} ${req.url}`];
  if (route === undefined) res.writeHead(404).end();
  else route(req, res);
};

const port: number = Number(process.env["PORT"] ?? 3000);
http.createServer(answer).listen(port);
