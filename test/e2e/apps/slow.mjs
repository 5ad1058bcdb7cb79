/** Answers when told to, or never: for ends and crashes while requests are in flight. */
import { appendFileSync } from "node:fs";
import { createServer } from "node:http";

const server = createServer((req, res) => {
  const url = new URL(req.url, "http://app.invalid");
  const log = url.searchParams.get("log");
  if (log !== null) appendFileSync(log, `${process.pid}\n`);
  switch (url.pathname) {
    case "/pid":
      return res.end(String(process.pid));
    case "/slow":
      return setTimeout(() => res.end(`slept ${url.searchParams.get("ms")}`), Number(url.searchParams.get("ms")));
    case "/silent":
      return undefined;
    case "/endless": {
      const drip = setInterval(() => res.write("drop\n"), 20);
      return res.on("close", () => clearInterval(drip));
    }
    case "/crash":
      return setImmediate(() => {
        throw new Error("the crash that was asked for");
      });
    default:
      return res.writeHead(404).end();
  }
});

server.listen(process.env.PORT ?? 3000);
