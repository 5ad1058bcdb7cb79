/**
 * Legitimate requests, as many as are wanted: grammars of what browsers, apps and programs send, filled from
 * hand-written material (texts.ts, values.ts, clients.ts). The same seed gives the same requests.
 *
 * It is the measure of false alarms: nothing here may be refused. Much of it is chosen to look like an attack to a
 * careless filter: names with apostrophes, text about SQL and script, passwords made of punctuation, addresses within
 * addresses, base64, filter languages, prices with dollars, code in fields for code.
 */
import { prngFrom, prngNext } from "../../../src/lib/prng.ts";
import type { RequestFacts } from "../../../src/immune/seclang/facts.ts";
import { COOKIES, EXTRA_HEADERS, LANGUAGES, REFERERS, USER_AGENTS } from "./clients.ts";
import { ARTICLES, SENTENCES, SNIPPETS } from "./texts.ts";
import { ADDRESSES, ADDRESSES_OF_PAGES, EMAILS, FILE_NAMES, NAMES, NUMBERS, PASSWORDS, PHONES, SEARCHES, TOKENS } from "./values.ts";

export interface LegitRequest {
  readonly kind: string;
  readonly facts: RequestFacts;
  /** Bytes, as Latin-1. */
  readonly body: string;
}

export function* legitRequests(seed: number, count: number): Generator<LegitRequest> {
  const kinds = Object.keys(KINDS);
  for (let number = 0; number < count; number += 1) {
    const kind = kinds[number % kinds.length]!;
    yield make(kind, diceOf(seed, number));
  }
}

export const kindsOfRequests = (): readonly string[] => Object.keys(KINDS);

interface Dice {
  readonly below: (limit: number) => number;
  readonly pick: <Item>(items: readonly Item[]) => Item;
  readonly chance: (of: number) => boolean;
}

function diceOf(seed: number, number: number): Dice {
  let state = prngFrom(seed, number);
  const below = (limit: number): number => {
    const [word, next] = prngNext(state);
    state = next;
    return Math.floor((word / 2 ** 32) * limit);
  };
  return { below, pick: (items) => items[below(items.length)]!, chance: (of) => below(of) === 0 };
}

interface Draft {
  readonly method?: string;
  readonly target: string;
  readonly type?: string;
  readonly headers?: readonly string[];
  readonly body?: string;
}

function make(kind: string, dice: Dice): LegitRequest {
  const { method, target, type, headers = [], body = "" } = KINDS[kind]!(dice);
  const all = ["Host", dice.pick(["example.org", "shop.example.org:8443", "192.0.2.1", "localhost:3000", "api.example.org"])];
  all.push("User-Agent", dice.pick(USER_AGENTS), "Accept", dice.pick(["*/*", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "application/json", "application/json, text/plain, */*", "image/avif,image/webp,*/*"]));
  if (!dice.chance(3)) all.push("Accept-Language", dice.pick(LANGUAGES));
  if (!dice.chance(3)) all.push("Cookie", dice.pick(COOKIES));
  if (!dice.chance(3)) all.push("Referer", dice.pick(REFERERS));
  if (!dice.chance(3)) all.push(...dice.pick(EXTRA_HEADERS));
  if (type !== undefined) all.push("Content-Type", type, "Content-Length", String(utf8(body).length));
  all.push(...headers);
  return {
    kind,
    body: utf8(body),
    facts: {
      uniqueId: kind,
      clientAddress: "192.0.2.7",
      clientPort: 51_234,
      serverAddress: "192.0.2.1",
      serverPort: 80,
      method: method ?? (type === undefined ? "GET" : "POST"),
      target,
      protocol: "HTTP/1.1",
      headers: all.map(utf8),
    },
  };
}

const utf8 = (text: string): string => Buffer.from(text, "utf8").toString("latin1");

/** A value of any kind that a person would type. */
function anything(dice: Dice): string {
  return dice.pick(dice.pick([NAMES, ADDRESSES, SEARCHES, NUMBERS, EMAILS, PHONES, SENTENCES, TOKENS, FILE_NAMES]));
}

/** Some sentences, an article, or both, perhaps with a snippet in the midst. */
function text(dice: Dice): string {
  const parts = Array.from({ length: 1 + dice.below(4) }, () => dice.pick(SENTENCES));
  if (dice.chance(3)) parts.push(dice.pick(ARTICLES));
  if (dice.chance(3)) parts.splice(1, 0, dice.pick(["```\n%\n```", "`%`", "%", "\n    %\n"]).replace("%", () => dice.pick(SNIPPETS)));
  return parts.join(dice.pick([" ", "\n", "\n\n", "\r\n"]));
}

type Fields = ReadonlyArray<readonly [name: string, value: string]>;

function form(fields: Fields): string {
  return new URLSearchParams(fields.map(([name, value]): [string, string] => [name, value])).toString();
}

/** As scripts write it: spaces as %20. */
const query = (fields: Fields): string =>
  fields.map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`).join("&");

const FORM = "application/x-www-form-urlencoded";
const JSON_TYPE = "application/json";
const words = ["catalogue", "items", "products", "blog", "docs", "users", "orders", "search", "account", "api", "v1", "v2", "en", "de", "2025", "11", "news", "assets", "static", "img", "etc", "bin", "select", "union", "admin", "files", "scripts", "php", "java", "proc", "var", "log"];

function path(dice: Dice): string {
  const pieces = Array.from({ length: 1 + dice.below(4) }, () => dice.pick(words));
  if (dice.chance(3)) pieces.push(encodeURIComponent(dice.pick([...NAMES, ...SEARCHES.filter((each) => !/[\\/]|^\.+$/.test(each))])));
  if (dice.chance(4)) pieces.push(dice.pick(["style.css", "app.3f2a1b.js", "logo@2x.png", "index.html", "feed.xml", "sitemap.xml.gz", "report.pdf", "data.json", "favicon.ico", "manifest.webmanifest", "chunk-vendors~main.js", "page,2.html", "a(1).jpg", "file.with.dots.txt", "font.woff2", "video.mp4", "config.json", "settings.js"]));
  return `/${pieces.join("/")}`;
}

function multipart(dice: Dice, fields: Fields, files: ReadonlyArray<readonly [field: string, name: string, type: string, content: string]>): Draft {
  const boundary = dice.pick(["----WebKitFormBoundary7MA4YWxkTrZu0gW", "---------------------------9051914041544843365972754266", "d74496d66958873e", "Boundary+0xAbCdEf"]);
  const parts = [
    ...fields.map(([name, value]) => `Content-Disposition: form-data; name="${name}"\r\n\r\n${value}`),
    ...files.map(([field, name, type, content]) => `Content-Disposition: form-data; name="${field}"; filename="${name.replaceAll('"', "%22")}"\r\nContent-Type: ${type}\r\n\r\n${content}`),
  ];
  const body = `${parts.map((part) => `--${boundary}\r\n${part}\r\n`).join("")}--${boundary}--\r\n`;
  return { target: dice.pick(["/upload", "/api/files", "/profile/avatar", "/tickets/new"]), type: `multipart/form-data; boundary=${boundary}`, body };
}

const binary = (dice: Dice): string => String.fromCharCode(...Array.from({ length: 40 + dice.below(400) }, () => dice.below(128)));

const KINDS: Readonly<Record<string, (dice: Dice) => Draft>> = {
  "a page": (dice) => ({ target: path(dice) }),
  "a page with parameters": (dice) => ({
    target: `${path(dice)}?${query([["page", String(dice.below(99))], ["sort", dice.pick(["price_asc", "-created", "name desc", "date:desc,name:asc", "+price,-id"])], ["filter", dice.pick(["color:red,blue", "price[10;20]", "size eq 'M'", "(a,b)", "in stock", "brand=H&M|C&A"])], ["q", dice.pick(SEARCHES)], ["utm_campaign", dice.pick(["spring sale", "it's_summer", "50%_off", "a&b", "new|users"])]])}`,
  }),
  search: (dice) => ({ target: `/search?q=${dice.chance(2) ? encodeURIComponent(dice.pick(SEARCHES)) : form([["", dice.pick(SEARCHES)]]).slice(1)}${dice.chance(3) ? "&hl=en&safe=off" : ""}` }),
  "search for a snippet": (dice) => ({ target: `/docs/search?${form([["query", dice.pick(SNIPPETS)], ["lang", "en"]])}` }),
  suggest: (dice) => {
    const whole = Array.from(dice.pick([...SEARCHES, ...NAMES, ...ADDRESSES]));
    return { target: `/suggest?${query([["term", whole.slice(0, 1 + dice.below(whole.length)).join("")], ["_", "1732624200123"]])}` };
  },
  "a redirect": (dice) => ({ target: `${dice.pick(["/out", "/login", "/r", "/share", "/oauth/authorize"])}?${query([[dice.pick(["url", "next", "redirect_uri", "return_to", "u", "continue", "RelayState", "goto"]), dice.pick(ADDRESSES_OF_PAGES)], ["state", dice.pick(TOKENS)]])}` }),
  "an OAuth callback": (dice) => ({ target: `/auth/callback?${query([["code", dice.pick(TOKENS)], ["state", dice.pick(TOKENS)], ["scope", "openid email profile https://www.example.com/auth/userinfo.email"], ["session_state", "a..b-c"], ["iss", "https://accounts.example.com"]])}` }),
  "click measurement": (dice) => ({ target: `/collect?${query([["v", "2"], ["dl", dice.pick(ADDRESSES_OF_PAGES)], ["dr", dice.pick(REFERERS)], ["dt", dice.pick(SENTENCES)], ["ul", "en-gb"], ["sr", "1920x1080"], ["en", "click"], ["ep.link_text", dice.pick(NAMES)], ["_p", "1"], ["gclid", "EAIaIQobChMI-abc_DEF"]])}` }),
  "nested parameters": (dice) => ({ target: `/api/v1/items?${query([["price[gte]", "10"], ["price[lt]", "20"], ["filter[name]", dice.pick(NAMES)], ["fields[articles]", "title,body"], ["include", "author,comments.author"], ["page[number]", "2"], ["ids[]", "1"], ["ids[]", "2"], ["name__icontains", dice.pick(NAMES)], ["user.name", dice.pick(NAMES)], ["sort[0][field]", "price"], ["where[status][equals]", "published"], ["columns[0][data]", "name"], ["columns[0][search][regex]", "false"]])}` }),
  OData: (dice) => ({ target: `/odata/Products?${query([["$filter", dice.pick(["price gt 10 and name eq 'Milk'", "contains(name,'O''Brien') or id in (1,2,3)", "startswith(city,'B') and not endswith(city,'n')", "year(date) ge 2024", "Address/City eq 'Redmond'"])], ["$select", "id,name,price"], ["$orderby", "price desc,name"], ["$top", "10"], ["$skip", "20"], ["$expand", "category($select=name)"], ["$count", "true"]])}` }),
  "a form": (dice) => ({
    target: "/account/address",
    type: FORM,
    body: form([["utf8", "✓"], ["_method", dice.pick(["patch", "put", "delete"])], ["authenticity_token", dice.pick(TOKENS)], ["user[name]", dice.pick(NAMES)], ["user[email]", dice.pick(EMAILS)], ["user[phone]", dice.pick(PHONES)], ["user[street]", dice.pick(ADDRESSES)], ["user[city]", dice.pick(ADDRESSES)], ["user[birthday]", dice.pick(NUMBERS)], ["user[website]", dice.pick(ADDRESSES_OF_PAGES)], ["note", dice.pick(SENTENCES)], ["agree", "on"], ["commit", "Save & continue"]]),
  }),
  "a login": (dice) => ({ target: "/login", type: FORM, body: form([["username", dice.pick([...EMAILS, ...NAMES])], ["password", dice.pick(PASSWORDS)], ["remember", "1"], ["next", "/account?tab=orders&page=1"]]) }),
  "a registration": (dice) => {
    const password = dice.pick(PASSWORDS);
    return { target: "/api/register", type: JSON_TYPE, body: JSON.stringify({ email: dice.pick(EMAILS), name: dice.pick(NAMES), password, passwordConfirmation: password, locale: "de-DE", captcha: "03AGdBq25_abc-DEF" }) };
  },
  "a comment": (dice) => ({ target: "/posts/5/comments", type: FORM, body: form([["comment[author]", dice.pick(NAMES)], ["comment[body]", text(dice)], ["comment[url]", dice.pick(ADDRESSES_OF_PAGES)]]) }),
  "a single sentence": (dice) => ({ target: "/contact", type: FORM, body: form([["subject", dice.pick(SENTENCES)], ["message", dice.pick(SENTENCES)], ["name", dice.pick(NAMES)]]) }),
  "an article": (dice) => ({ method: "PUT", target: "/api/articles/7", type: JSON_TYPE, body: JSON.stringify({ title: dice.pick([...SEARCHES, ...SENTENCES]), content: dice.pick(ARTICLES), tags: [dice.pick(SEARCHES), dice.pick(NAMES)], slug: "a-b-c" }) }),
  "a draft in another field": (dice) => ({ target: "/api/autosave", type: "application/json; charset=utf-8", body: JSON.stringify({ doc: { type: "doc", content: [{ type: "paragraph", content: [{ type: "text", text: text(dice), marks: [{ type: "bold" }] }] }, { type: "codeBlock", attrs: { language: "sql" }, content: [{ type: "text", text: dice.pick(ARTICLES) }] }] }, version: dice.below(100) }) }),
  "a snippet": (dice) => ({ target: "/api/snippets", type: JSON_TYPE, body: JSON.stringify({ language: dice.pick(["js", "sql", "bash", "html", "python", "php"]), code: dice.pick([...ARTICLES, ...SNIPPETS]), title: dice.pick(SEARCHES) }) }),
  "a chat message": (dice) => ({ target: "/api/chat", type: JSON_TYPE, body: JSON.stringify({ model: "x-1", stream: true, messages: [{ role: "system", content: "You are a helpful assistant; answer in 'plain' text." }, { role: "user", content: text(dice) }, { role: "assistant", content: dice.pick(ARTICLES) }, { role: "user", content: dice.pick(SENTENCES) }] }) }),
  "JSON for an API": (dice) => ({
    target: path(dice),
    method: dice.pick(["POST", "PUT", "PATCH"]),
    type: dice.pick([JSON_TYPE, "application/vnd.api+json", "application/merge-patch+json", "application/json;charset=UTF-8"]),
    body: JSON.stringify({ id: dice.below(1e6), name: dice.pick(NAMES), price: dice.below(1000) / 100, tags: [dice.pick(SEARCHES), dice.pick(SEARCHES)], address: { street: dice.pick(ADDRESSES), geo: [48.2, -16.37] }, note: dice.pick(SENTENCES), link: dice.pick(ADDRESSES_OF_PAGES), empty: null, ok: true, token: dice.pick(TOKENS), misc: anything(dice) }),
  }),
  "JSON Patch": (dice) => ({ method: "PATCH", target: "/api/users/7", type: "application/json-patch+json", body: JSON.stringify([{ op: "replace", path: "/name", value: dice.pick(NAMES) }, { op: "test", path: "/a~1b/0", value: dice.pick(NUMBERS) }, { op: "remove", path: "/old" }]) }),
  GraphQL: (dice) => ({
    target: "/graphql",
    type: JSON_TYPE,
    body: JSON.stringify({ operationName: "GetUser", query: "query GetUser($id: ID!, $first: Int = 10) {\n  user(id: $id) { ...F posts(first: $first, where: {title_contains: \"O'Brien\"}) { edges { node { id title } } } }\n}\nfragment F on User { id name email }", variables: { id: dice.pick(TOKENS), input: { name: dice.pick(NAMES), bio: dice.pick(SENTENCES) } }, extensions: { persistedQuery: { version: 1, sha256Hash: "ecf4edb46db40b5132295c0291d62fb65d6759a9eedfa4d5d612dd5ec54a6b38" } } }),
  }),
  "GraphQL by GET": (dice) => ({ target: `/graphql?${query([["query", dice.pick(["{ user(id: 5) { name } }", "query($id: ID!) { node(id: $id) { id __typename } }", "{ __schema { types { name } } }", "mutation { like(id: \"x\") { count } }"])], ["variables", JSON.stringify({ id: dice.pick(TOKENS) })]])}` }),
  "a search engine's query": (dice) => ({ target: "/products/_search", type: JSON_TYPE, body: JSON.stringify({ query: { bool: { must: [{ match: { title: dice.pick(SEARCHES) } }], filter: [{ range: { price: { gte: 10, lte: 20 } } }, { term: { "brand.keyword": dice.pick(NAMES) } }], must_not: { exists: { field: "deleted_at" } } } }, sort: [{ price: "asc" }, "_score"], aggs: { brands: { terms: { field: "brand.keyword", size: 10 } } }, from: 0, size: 20, highlight: { pre_tags: ["<em>"], post_tags: ["</em>"], fields: { title: {} } } }) }),
  "JSON with dollars": (dice) => ({ target: "/api/schema", type: JSON_TYPE, body: JSON.stringify({ $schema: "https://json-schema.org/draft/2020-12/schema", $id: "https://example.org/a.json", $ref: "#/$defs/x", $defs: { x: { type: "string", pattern: "^[a-z]+$" } }, price: "$5", label: "$in stock", text: dice.pick(["$ne York", "$gt 5", "US$ 20", "$HOME is where the heart is and you know it"]), "@type": "Product", "@context": "https://schema.org", "@id": "x" }) }),
  "a webhook of GitHub": (dice) => ({ target: "/hooks/github", type: JSON_TYPE, headers: ["X-GitHub-Event", "push"], body: JSON.stringify({ ref: "refs/heads/main", before: "6113728f27ae82c7b1a177c8d03f9e96e0adf246", repository: { full_name: "o/brien.github.io", html_url: "https://github.com/o/brien.github.io", clone_url: "https://github.com/o/x.git", git_url: "git://github.com/o/x.git", ssh_url: "git@github.com:o/x.git" }, commits: [{ message: dice.pick(["Fix SQL injection in login (#12)\n\nUse prepared statements; don't concat ' OR 1=1.", "Update .env.example and .github/workflows/ci.yml", "Merge pull request #5 from anna/drop-table", "chore: bump lodash from 4.17.20 to 4.17.21", dice.pick(SENTENCES)]), added: [".github/workflows/ci.yml", "src/index.php", "docs/etc/passwd.md"], modified: ["package.json", "../x".slice(3)], author: { name: dice.pick(NAMES), email: "a@example.org" } }] }) }),
  "a webhook of Stripe": (dice) => ({ target: "/hooks/stripe", type: "application/json; charset=utf-8", body: JSON.stringify({ id: "evt_1MqqbKLt4dXK03v5qaIbiNCC", object: "event", type: "checkout.session.completed", data: { object: { id: "cs_test_a1b2", amount_total: 1099, currency: "eur", customer_details: { name: dice.pick(NAMES), email: dice.pick(EMAILS), address: { line1: dice.pick(ADDRESSES), line2: null, country: "DE" } }, metadata: { note: dice.pick(SENTENCES), order: "#5/2" }, success_url: "https://example.org/ok?session_id={CHECKOUT_SESSION_ID}", receipt_url: "https://pay.example.com/receipts/payment/CAcaFwoVYWNjdF8?s=ap" } }, request: { id: null, idempotency_key: "9115d58c" } }, null, 2) }),
  "a webhook of a chat": (dice) => ({ target: "/hooks/slack", type: FORM, body: form([["token", "gIkuvaNzQIHg97ATvDxqgjtO"], ["team_domain", "example"], ["command", "/deploy"], ["text", dice.pick(["production --force", "api@1.2.3 to staging; then tell @anna", dice.pick(SENTENCES)])], ["response_url", "https://hooks.slack.com/commands/1234/5678"], ["payload", JSON.stringify({ type: "block_actions", user: { name: dice.pick(NAMES) }, actions: [{ action_id: "a", value: dice.pick(SEARCHES) }] })]]) }),
  "an upload": (dice) => multipart(dice, [["title", dice.pick(SENTENCES)], ["name", dice.pick(NAMES)], ["tags[]", dice.pick(SEARCHES)]], [["file", dice.pick(FILE_NAMES), dice.pick(["application/octet-stream", "image/png", "application/pdf", "text/plain", "text/csv; charset=utf-8", "image/svg+xml"]), dice.chance(2) ? binary(dice) : dice.pick(ARTICLES)]]),
  "several files": (dice) => multipart(dice, [["operations", JSON.stringify({ query: "mutation ($f: [Upload!]!) { up(files: $f) { id } }", variables: { f: [null, null] } })], ["map", "{\"0\":[\"variables.f.0\"],\"1\":[\"variables.f.1\"]}"]], [["0", dice.pick(FILE_NAMES), "image/jpeg", binary(dice)], ["1", dice.pick(FILE_NAMES), "text/html", dice.pick(ARTICLES)]]),
  "a form as multipart": (dice) => multipart(dice, [["1_$ACTION_ID_7f0a", ""], ["name", dice.pick(NAMES)], ["body", text(dice)], ["password", dice.pick(PASSWORDS)], ["0", "[\"$K1\"]"]], []),
  "a call of a function": (dice) => ({ target: `/trpc/post.byId,user.me?${query([["batch", "1"], ["input", JSON.stringify({ 0: { json: { id: dice.pick(TOKENS), text: dice.pick(SEARCHES) } }, 1: { json: null, meta: { values: ["undefined"] } } })]])}` }),
  "an action of a server component": (dice) => ({ target: "/cart", type: "text/plain;charset=UTF-8", headers: ["Next-Action", "7f0a1b"], body: JSON.stringify([{ id: dice.below(100), note: dice.pick(SENTENCES) }, "$undefined", "$D2025-11-26T11:30:00.000Z", "$K1"]) }),
  telemetry: (dice) => ({ target: "/api/1/envelope/?sentry_key=abc&sentry_version=7", type: "text/plain;charset=UTF-8", body: `${JSON.stringify({ event_id: "9ec79c33ec9942ab8353589fcb2e04dc", sent_at: "2025-11-26T11:30:00.000Z" })}\n${JSON.stringify({ type: "event" })}\n${JSON.stringify({ message: dice.pick(SENTENCES), exception: { values: [{ type: "TypeError", value: "Cannot read properties of undefined (reading 'map')", stacktrace: { frames: [{ filename: "../../node_modules/react-dom/cjs/react-dom.production.min.js", function: "eval", lineno: 42, abs_path: "webpack-internal:///./src/app.js", pre_context: ["  const x = items.map((i) => i.id);", "  render(x);"] }] } }] }, breadcrumbs: [{ category: "ui.click", message: "body > div#app > button.btn[type=\"submit\"]" }, { category: "fetch", data: { url: "/api?a='b'" } }] })}\n` }),
  "a stack trace": (dice) => ({ target: "/api/errors", type: JSON_TYPE, body: JSON.stringify({ message: dice.pick(["Uncaught SyntaxError: Unexpected token '<', \"<!DOCTYPE \"... is not valid JSON", "java.lang.NullPointerException: null", "SQLSTATE[42000]: Syntax error or access violation: 1064 You have an error in your SQL syntax", "ENOENT: no such file or directory, open '/srv/app/data/x.json'"]), stack: dice.pick(ARTICLES), userAgent: dice.pick(USER_AGENTS), url: dice.pick(ADDRESSES_OF_PAGES), line: 5 }) }),
  "a report of a browser": (dice) => ({ target: "/csp", type: dice.pick(["application/csp-report", "application/reports+json"]), body: JSON.stringify({ "csp-report": { "document-uri": dice.pick(ADDRESSES_OF_PAGES), "violated-directive": "script-src-elem", "original-policy": "default-src 'self'; script-src 'self' 'unsafe-inline' https://cdn.example.org; report-uri /csp", "blocked-uri": dice.pick(["inline", "eval", "data", "https://ads.example.com/x.js"]), "script-sample": "window.dataLayer = window.dataLayer || [];" } }) }),
  SOAP: (dice) => ({ target: "/soap", type: "text/xml; charset=utf-8", headers: ["SOAPAction", "\"http://example.org/GetPrice\""], body: `<?xml version="1.0" encoding="UTF-8"?>\n<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"><soap:Body><m:GetPrice xmlns:m="http://example.org/prices"><m:Item lang="en">${dice.pick(NAMES).replaceAll("&", "&amp;").replaceAll("<", "&lt;")}</m:Item><m:Note><![CDATA[${dice.pick(SENTENCES)}]]></m:Note></m:GetPrice></soap:Body></soap:Envelope>` }),
  "a feed": (dice) => ({ method: "PUT", target: "/feeds/1", type: "application/xml", body: `<rss version="2.0"><channel><title>News &amp; more</title><item><title>${dice.pick(NAMES).replaceAll("&", "&amp;").replaceAll("<", "&lt;")}</title><link>https://example.org/?a=1&amp;b=2</link><description><![CDATA[<p>${dice.pick(SENTENCES)}</p>]]></description></item></channel></rss>` }),
  "plain text": (dice) => ({ method: "PUT", target: "/pads/5", type: "text/plain", body: text(dice) }),
  "an import": (dice) => ({ target: "/api/import", type: dice.pick(["text/csv", "application/x-ndjson", "text/markdown"]), body: dice.pick(ARTICLES) }),
  "settings of a layout": (dice) => ({ target: "/api/widgets", type: JSON_TYPE, body: JSON.stringify({ css: ".a > .b { color: red; background: url('x.png') }", svg: "M10 10 H 90 V 90 H 10 L 10 10 Z", html: dice.pick(["<b>Hi</b>", "<p class='x'>It's &amp; ok</p>", "<h1>{{ title }}</h1>", "<a href=\"/x?y=1&z=2\" target=\"_blank\" rel=\"noopener\">more</a>", "<table><tr><td>1</td></tr></table>", "<img src=\"https://cdn.example.org/a.png\" alt=\"A 'b'\">"]), template: dice.pick(["Hello {{name}}!", "${first} ${last}", "<%= name %>", "{{#if x}}a{{/if}}", "{{> header}}", "%name%, you've won", "[[name]]", "{0} of {1}", ":name"]), cron: "*/5 * * * *", regex: dice.pick(["^\\d+$", "(foo|bar)+", "[^<>]*", "\\/\\*.*\\*\\/"]), query: dice.pick(SNIPPETS), color: "#ff0000", formula: "=A1*(B2+C3)" }) }),
  "a path with odd parts": (dice) => ({ target: `/${dice.pick(["~anna", "@anna", "user's-guide", "c%2B%2B", "%E6%97%A5%E6%9C%AC", "a;v=1", "a,b", "wiki/SQL_injection", "wiki/Drop_(liquid)", "tags/node.js", "npm/@scope%2fname", "files/a%20b%20(1).pdf", "repos/o/r/compare/main...dev", "maps/@48.2,16.37,12z", "calendar/2025/11/26", "p/50%25-off", ".well-known/openid-configuration", ".well-known/acme-challenge/abc_DEF-1", "docs/etc/hosts", "blog/how-to-select-from-where", "_next/image", "_next/static/chunks/%5Bslug%5D-3f2a.js", "_next/data/abc/en/index.json", "assets/[id]-3f2a.js", "a/b//c", "item=5", "users/o'brien", "a%26b", "search/rock%27n%27roll", "api/v1/users/1:activate", "environment", "git/tips", "s3/bucket/key+with+plus", "x/$metadata", "odata/Products(5)/Name", "!important", "a*b", "feed.php", "old/index.php", "sitemap_index.xml", "apple-app-site-association", "robots.txt", "ads.txt"])}${dice.chance(3) ? `?${query([["v", dice.pick(NUMBERS)], ["w", "640"], ["url", "/img/a b.png"]])}` : ""}` }),
  "a health check": (dice) => ({ method: dice.pick(["GET", "HEAD", "OPTIONS"]), target: dice.pick(["/", "/healthz", "/status?verbose=1", "*", "/metrics", "/ready", "/ping"]) }),
  "a preflight": (dice) => ({ method: "OPTIONS", target: path(dice), headers: ["Access-Control-Request-Method", "PUT", "Access-Control-Request-Headers", "content-type,x-requested-with,authorization"] }),
  "a deletion": (dice) => ({ method: "DELETE", target: `/api/items/${dice.below(999)}?${query([["reason", dice.pick(SENTENCES)], ["force", "true"]])}` }),
  WebDAV: (dice) => ({ method: dice.pick(["PROPFIND", "REPORT", "MKCOL"]), target: "/dav/calendars/anna/", type: "application/xml; charset=utf-8", body: `<d:propfind xmlns:d="DAV:"><d:prop><d:displayname>${dice.pick(["Work", "Anna&apos;s"])}</d:displayname></d:prop></d:propfind>` }),
  "bytes of a picture": (dice) => ({ method: "PUT", target: "/media/5", type: dice.pick(["image/png", "application/octet-stream", "video/mp4", "application/x-protobuf", "application/grpc-web+proto"]), body: binary(dice) }),
  "a picture in JSON": (dice) => ({ target: "/api/avatar", type: JSON_TYPE, body: JSON.stringify({ image: `data:image/png;base64,${Buffer.from(binary(dice), "latin1").toString("base64")}`, file: { name: dice.pick(FILE_NAMES), data: `data:${dice.pick(["text/plain", "application/pdf", "text/csv", "application/json"])};base64,${Buffer.from(dice.pick(ARTICLES)).toString("base64")}` } }) }),
  "any value": (dice) => ({ target: `/x?${form([["a", anything(dice)], ["b", anything(dice)], ["c", anything(dice)], ["d", anything(dice)]])}` }),
  "single values in JSON": (dice) => ({ target: "/api/x", type: JSON_TYPE, body: JSON.stringify({ a: anything(dice), b: { c: anything(dice), d: [anything(dice), anything(dice)] }, password: dice.pick(PASSWORDS), new_password: dice.pick(PASSWORDS) }) }),
  "a cut text": (dice) => {
    const whole = Array.from(dice.pick([...SENTENCES, ...ARTICLES]));
    const from = dice.below(Math.max(1, whole.length - 320));
    return { target: "/api/preview", type: FORM, body: form([["text", whole.slice(from, from + 320 + dice.below(400)).join("")], ["selection", String(from)]]) };
  },
};
