/** From the DNA: what answers which request, and what is added to the answers. */
import { extname } from "node:path";
import type { Dna } from "../../dna/dna.ts";
import type { HeaderList } from "../../http/message.ts";
import { Compression, type Compressors } from "./compression.ts";
import type { Carry, Convey } from "./conveyance.ts";
import { StaticSite } from "./static-answer.ts";
import { Redirect, redirectTarget } from "./redirect.ts";

export interface Ways {
  convey: Convey;
  fieldsOf: (listener: number) => HeaderList;
}

export async function makeConvey({ listen, http: { compression, static: folders } }: Dna): Promise<Ways> {
  const { on, ...policy } = compression;
  const compressors: Compressors | null = on ? { policy, atWork: 0 } : null;
  const fields = listen.map(({ tls }) => (tls === null ? [] : strictTransport(tls.hsts)));
  const site = folders.length === 0 ? null : new StaticSite(folders, await contentTypes());
  const convey: Convey = (request, client, carry) => {
    const httpsPort = listen[request.listener]?.httpsRedirectPort ?? null;
    const location = httpsPort === null ? null : redirectTarget(request, httpsPort);
    if (location !== null) return new Redirect(request, client, location);
    const way: Carry = (side) => site?.answer(request, side, carry) ?? carry(side);
    return compressors === null ? way(client) : new Compression(compressors, request, client, way);
  };
  return { convey, fieldsOf: (listener) => fields[listener] ?? [] };
}

/** The table of types is large, and loaded only where files are served. */
async function contentTypes(): Promise<(name: string) => string> {
  const { contentType } = await import("mime-types");
  return (name) => contentType(extname(name)) || "application/octet-stream";
}

type Hsts = NonNullable<Dna["listen"][number]["tls"]>["hsts"];

function strictTransport({ maxAgeSeconds, includeSubDomains, preload }: Hsts): HeaderList {
  if (maxAgeSeconds === 0) return [];
  const words = [
    `max-age=${maxAgeSeconds}`,
    ...(includeSubDomains ? ["includeSubDomains"] : []),
    ...(preload ? ["preload"] : []),
  ];
  return ["Strict-Transport-Security", words.join("; ")];
}
