// Hangs in each of the ways in which apps do, when it is asked to: a disk that does not answer, a lock that nobody opens, a
// loop without an end, and one thing that looks the same to clients while the event loop is well.
import { readFileSync } from "node:fs";
import http from "node:http";

let isDeadlocked = false;

http
  .createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url, "http://app");
    switch (pathname) {
      case "/read":
        // Of a pipe that nobody writes to: the main thread waits in the kernel, as for a disk that has gone away.
        return response.end(readFileSync(searchParams.get("path")));
      case "/wait":
        return response.end(Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0));
      case "/loop":
        for (;;);
      case "/deadlock":
        // As with a pool of connections that are all waiting for each other: from here on nothing is answered.
        isDeadlocked = true;
        return response.end(String(process.pid));
      default:
        if (!isDeadlocked) response.end(String(process.pid));
    }
  })
  .listen(process.env.PORT ?? 3000);
