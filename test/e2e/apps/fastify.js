import { Readable } from "node:stream";
import Fastify from "fastify";

const app = Fastify();
// Bodies of any type as the stream that they are.
app.addContentTypeParser("*", (_request, payload, done) => done(null, payload));
app.addHook("onRequest", async (_request, reply) => {
  reply.header("x-app", "fastify");
});
app.get("/hello", async () => "hello");
app.get("/cookies", async (_request, reply) => {
  reply.header("set-cookie", ["a=1; Path=/", "b=2; Path=/"]);
  return "cookies";
});
app.post("/echo", (request, reply) => reply.type("application/octet-stream").send(request.body));
app.get("/lines", (_request, reply) => reply.type("text/plain").send(Readable.from(lines())));

function* lines() {
  for (let line = 1; line <= 2000; line += 1) yield `line ${line}\n`;
}

await app.listen({ port: Number(process.env.PORT ?? 3000), host: "127.0.0.1" });
