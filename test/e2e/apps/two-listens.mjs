import { createServer } from "node:http";

const shop = createServer((_req, res) => res.end("shop"));
const office = createServer((_req, res) => res.end("office"));
shop.listen(process.env.PORT ?? 3000);
office.listen(process.env.OFFICE_PORT ?? 3001);
