import { Hono } from "hono";
import { stream } from "hono/streaming";

const app = new Hono();
app.use(async (c, next) => {
  c.header("X-App", "hono");
  await next();
});
app.get("/hello", (c) => c.text("hello"));
app.get("/cookies", (c) => {
  c.header("Set-Cookie", "a=1; Path=/", { append: true });
  c.header("Set-Cookie", "b=2; Path=/", { append: true });
  return c.text("cookies");
});
app.post("/echo", (c) => c.body(c.req.raw.body, 200, { "Content-Type": "application/octet-stream" }));
app.get("/lines", (c) =>
  stream(c, async (out) => {
    for (let line = 1; line <= 2000; line += 1) await out.write(`line ${line}\n`);
  }),
);

export default app;
