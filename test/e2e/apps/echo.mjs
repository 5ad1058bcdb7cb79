/** Answers with the address that was asked for. /flips is well and ill in turn, by whichever process: the file FLIP says which. */
import { existsSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";

const { FLIP: flip } = process.env;

createServer((req, res) => {
  if (req.url === "/flips") {
    if (existsSync(flip)) {
      rmSync(flip);
      res.statusCode = 500;
    } else {
      writeFileSync(flip, "");
    }
  }
  res.end(`${req.url} by ${process.pid}`);
}).listen(process.env.PORT ?? 3000);
