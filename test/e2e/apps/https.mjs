import { readFileSync } from "node:fs";
import { createServer } from "node:https";

const server = createServer(
  { key: readFileSync(process.env.TLS_KEY), cert: readFileSync(process.env.TLS_CERT) },
  (req, res) => {
    res.setHeader("Content-Type", "application/json");
    res.end(JSON.stringify({ url: req.url, encrypted: req.socket.encrypted === true }));
  },
);
server.listen(process.env.PORT ?? 3000);
