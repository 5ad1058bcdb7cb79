// Keeps what it is asked to: /leak?mib=N fills memory that never goes, /pid says which process answers.
import http from "node:http";

const kept = [];

http
  .createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? "/", "http://app");
    // Filled, because memory that was never written to is not there.
    if (pathname === "/leak") kept.push(Buffer.alloc(Number(searchParams.get("mib")) * 1_048_576, 1));
    response.end(String(process.pid));
  })
  .listen(3000);
