/**
 * Requests as people send them, for measuring what judging them costs. Those of a kind differ from each other in their
 * values, as requests of different visitors do; their headers but the cookie are the same, as those of one browser are.
 */
import type { RequestFacts } from "../../src/immune/seclang/facts.ts";

export interface MadeRequest {
  readonly facts: RequestFacts;
  readonly body: string;
}

const WORDS = [
  "tea",
  "river",
  "stone",
  "garden",
  "Vienna",
  "O'Brien",
  "blue chair",
  "2026-11-22",
  "caf\xc3\xa9",
  "left+right",
];
const word = (seed: number): string => WORDS[seed % WORDS.length]!;

const browser = (cookie: number): string[] => [
  "Host",
  "shop.example.org",
  "User-Agent",
  "Mozilla/5.0 (X11; Linux x86_64; rv:144.0) Gecko/20100101 Firefox/144.0",
  "Accept",
  "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
  "Accept-Language",
  "en-GB,en;q=0.7,de;q=0.3",
  "Accept-Encoding",
  "gzip, deflate, br, zstd",
  "Referer",
  "https://shop.example.org/catalogue?page=2",
  "Connection",
  "keep-alive",
  "Cookie",
  `session=${(cookie * 2_654_435_761).toString(36)}a8f; theme=dark; lang=en`,
  "Sec-Fetch-Mode",
  "navigate",
  "Upgrade-Insecure-Requests",
  "1",
];

function request(method: string, target: string, n: number, type: string | null, body: string): MadeRequest {
  const headers = browser(n);
  if (type !== null) headers.push("Content-Type", type, "Content-Length", String(body.length));
  return {
    body,
    facts: {
      uniqueId: `request-${n}`,
      clientAddress: "192.0.2.7",
      clientPort: 51_234,
      serverAddress: "192.0.2.1",
      serverPort: 80,
      method,
      target,
      protocol: "HTTP/1.1",
      headers,
    },
  };
}

/** By name; `n` counts them. */
export const requestKinds: Readonly<Record<string, (n: number) => MadeRequest>> = {
  "GET, 5 parameters": (n) =>
    request(
      "GET",
      `/catalogue/items?q=${encodeURIComponent(`${word(n)} ${n}`)}&page=${n % 40}&sort=price_asc&filter=${encodeURIComponent(`${word(n + 3)},${word(n + 5)}`)}&from=${n}`,
      n,
      null,
      "",
    ),
  "GET, no parameters": (n) => request("GET", `/assets/${n % 100}/style.css`, n, null, ""),
  form: (n) => {
    const fields = {
      name: `${word(n)} Smith`,
      email: `user${n}@example.org`,
      street: `${n} High Street`,
      city: word(n + 4),
      note: `Please ring ${word(n + 2)}; the bell is broken & the door is on the left (${n}).`,
      agree: "on",
    };
    return request(
      "POST",
      "/account/address",
      n,
      "application/x-www-form-urlencoded",
      new URLSearchParams(fields).toString(),
    );
  },
  "JSON, 1 KB": (n) => {
    const items = Array.from({ length: 10 }, (_, i) => ({
      id: n * 10 + i,
      title: `${word(n + i)} no. ${i}`,
      price: 1.25 * i,
      tags: [word(i), "sale"],
      inStock: i % 2 === 0,
    }));
    return request(
      "POST",
      "/api/orders",
      n,
      "application/json",
      JSON.stringify({ customer: `user${n}@example.org`, comment: `For ${word(n)}, with thanks.`, items }),
    );
  },
};
