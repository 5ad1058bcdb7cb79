/** Each process dies after its twentieth answer, as an app with a leak might. */
import { createServer } from "node:http";

const answersMax = 20;
let answers = 0;

const server = createServer((_req, res) => {
  res.end(String(process.pid), () => {
    answers += 1;
    if (answers === answersMax) throw new Error("out of something");
  });
});

server.listen(process.env.PORT ?? 3000);
