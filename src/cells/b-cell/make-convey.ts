/** From the DNA: what answers which request, and what is added to the answers. */
import type { Dna } from "../../dna/dna.ts";
import type { HeaderList } from "../../http/message.ts";
import { Compression, type Compressors } from "./compression.ts";
import type { Convey } from "./conveyance.ts";
import { Redirect, redirectTarget } from "./redirect.ts";

export interface Ways {
  convey: Convey;
  fieldsOf: (listener: number) => HeaderList;
}

export async function makeConvey({ listen, http: { compression } }: Dna): Promise<Ways> {
  const { on, ...policy } = compression;
  const compressors: Compressors | null = on ? { policy, atWork: 0 } : null;
  const fields = listen.map(({ tls }) => (tls === null ? [] : strictTransport(tls.hsts)));
  const convey: Convey = (request, client, carry) => {
    const httpsPort = listen[request.listener]?.httpsRedirectPort ?? null;
    const location = httpsPort === null ? null : redirectTarget(request, httpsPort);
    if (location !== null) return new Redirect(request, client, location);
    return compressors === null ? carry(client) : new Compression(compressors, request, client, carry);
  };
  return { convey, fieldsOf: (listener) => fields[listener] ?? [] };
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
