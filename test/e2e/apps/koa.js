import { Readable } from "node:stream";
import Koa from "koa";

const app = new Koa();
app.use((ctx) => {
  ctx.set("X-App", "koa");
  switch (`${ctx.method} ${ctx.path}`) {
    case "GET /hello":
    case "HEAD /hello":
      ctx.body = "hello";
      break;
    case "GET /cookies":
      ctx.cookies.set("a", "1", { httpOnly: false });
      ctx.cookies.set("b", "2", { httpOnly: false });
      ctx.body = "cookies";
      break;
    case "POST /echo":
      ctx.type = "application/octet-stream";
      ctx.body = ctx.req;
      break;
    case "GET /lines":
      ctx.type = "text/plain";
      ctx.body = Readable.from(lines());
      break;
    default:
      ctx.status = 404;
  }
});

function* lines() {
  for (let line = 1; line <= 2000; line += 1) yield `line ${line}\n`;
}

app.listen(process.env.PORT ?? 3000);
