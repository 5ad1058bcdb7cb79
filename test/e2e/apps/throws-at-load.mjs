import { createServer } from "node:http";

function connectToDatabase() {
  throw new Error("the database at db.invalid does not answer");
}

connectToDatabase();
createServer((_req, res) => res.end("never")).listen(process.env.PORT ?? 3000);
