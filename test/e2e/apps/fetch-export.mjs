const routes = {
  "GET /hello": () => new Response("hello"),
  "HEAD /hello": () => new Response("hello"),
  "GET /cookies": () => {
    const headers = new Headers();
    headers.append("Set-Cookie", "a=1; Path=/");
    headers.append("Set-Cookie", "b=2; Path=/");
    return new Response("cookies", { headers });
  },
  "POST /echo": (request) => new Response(request.body, { headers: { "Content-Type": "application/octet-stream" } }),
  "GET /lines": () => new Response(ReadableStream.from(lines())),
};

async function* lines() {
  const encoder = new TextEncoder();
  for (let line = 1; line <= 2000; line += 1) yield encoder.encode(`line ${line}\n`);
}

export default {
  async fetch(request) {
    const route = routes[`${request.method} ${new URL(request.url).pathname}`];
    const response = route === undefined ? new Response(null, { status: 404 }) : route(request);
    response.headers.set("X-App", "fetch-export");
    return response;
  },
};
