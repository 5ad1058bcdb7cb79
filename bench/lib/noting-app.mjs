/**
 * The app of kill-drones: answers with the id that it was asked for, a few milliseconds later, and notes each POST that it
 * runs in the file NOTES before it does anything else. Appending is one system call, which a kill cannot cut in two.
 */
import { appendFileSync } from "node:fs";
import { createServer } from "node:http";

const notes = process.env.NOTES;
const delayMsMax = 20;

createServer((request, response) => {
  const id = new URL(request.url, "http://app").searchParams.get("id");
  if (request.method === "POST") appendFileSync(notes, `${id}\n`);
  let bytes = 0;
  request.on("data", (chunk) => (bytes += chunk.length));
  request.on("end", () => {
    setTimeout(() => {
      response.setHeader("Content-Type", "application/json");
      response.end(JSON.stringify({ id, bytes, pid: process.pid }));
    }, Math.random() * delayMsMax);
  });
}).listen(0);
