// Answers what it is asked to, as albedo does, the server behind the Core Rule Set's own tests: POST /reflect with
// { status, headers, body | encodedBody }. Everything else is answered with an empty text.
import http from "node:http";

const server = http.createServer(async (request, response) => {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  const { status = 200, headers = {}, body = "", encodedBody } = specOf(request.url ?? "/", Buffer.concat(chunks));
  const names = Object.keys(headers).map((name) => name.toLowerCase());
  if (!names.includes("content-type")) response.setHeader("Content-Type", "text/plain; charset=utf-8");
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
  response.statusCode = status;
  response.end(encodedBody === undefined ? body : Buffer.from(encodedBody, "base64"));
});
server.listen(3000);

function specOf(url, body) {
  if (!url.startsWith("/reflect")) return {};
  try {
    return JSON.parse(body.toString("utf8"));
  } catch {
    return {};
  }
}
