// Computes without a pause for as long as it is asked to: its event loop turns no more, its CPU does.
import http from "node:http";

http
  .createServer((request, response) => {
    const ms = Number(new URL(request.url, "http://app").searchParams.get("ms") ?? 0);
    const end = performance.now() + ms;
    while (performance.now() < end);
    response.end(`blocked ${ms}`);
  })
  .listen(process.env.PORT);
