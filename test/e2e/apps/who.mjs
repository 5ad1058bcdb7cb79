import { createServer } from "node:http";

const server = createServer((req, res) => {
  const { remoteAddress, remotePort, remoteFamily, localPort } = req.socket;
  res.setHeader("Content-Type", "application/json");
  res.end(
    JSON.stringify({
      pid: process.pid,
      remoteAddress,
      remotePort,
      remoteFamily,
      localPort,
      address: server.address(),
      listening: server.listening,
      host: req.headers.host,
      httpVersion: req.httpVersion,
      rawHeaders: req.rawHeaders,
    }),
  );
});
server.listen(process.env.PORT ?? 3000);
