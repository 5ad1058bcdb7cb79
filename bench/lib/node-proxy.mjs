/** A plain reverse proxy with node:http and an agent, as one would write it by hand. */
import http from "node:http";

const agent = new http.Agent({ keepAlive: true, maxSockets: 128 });

http
  .createServer((req, res) => {
    const { method, url, headers } = req;
    const onward = http.request({ socketPath: process.env.APP, agent, method, path: url, headers }, (answer) => {
      res.writeHead(answer.statusCode, answer.rawHeaders);
      answer.pipe(res);
    });
    onward.on("error", () => res.destroy());
    req.pipe(onward);
  })
  .listen(process.env.PORT, "127.0.0.1");
