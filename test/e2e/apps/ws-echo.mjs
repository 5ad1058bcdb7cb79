import { createServer } from "node:http";
import { WebSocketServer } from "ws";

const closing = Buffer.from("close please");

const server = createServer((_req, res) => res.writeHead(426).end("WebSocket only\n"));
const sockets = new WebSocketServer({ server, path: "/echo", maxPayload: 16 * 1024 * 1024 });
sockets.on("connection", (socket, req) => {
  socket.send(JSON.stringify({ remoteAddress: req.socket.remoteAddress, cookie: req.headers.cookie ?? null }));
  socket.on("message", (data, isBinary) => {
    if (!isBinary && Buffer.isBuffer(data) && data.equals(closing)) socket.close(4321, "as you wish");
    else socket.send(data, { binary: isBinary });
  });
});
server.listen(process.env.PORT ?? 3000);
