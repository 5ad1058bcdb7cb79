import express from "express";

const app = express();
app.disable("x-powered-by");
app.use((_req, res, next) => {
  res.set("X-App", "express");
  next();
});
app.get("/hello", (_req, res) => res.type("text/plain").send("hello"));
app.get("/cookies", (_req, res) => {
  res.append("Set-Cookie", "a=1; Path=/").append("Set-Cookie", "b=2; Path=/").send("cookies");
});
app.post("/echo", (req, res) => {
  res.type("application/octet-stream");
  req.pipe(res);
});
app.get("/lines", (_req, res) => {
  res.type("text/plain");
  for (let line = 1; line <= 2000; line += 1) res.write(`line ${line}\n`);
  res.end();
});

app.listen(process.env.PORT ?? 3000);
