// Compression at the ingress, through real sockets and axons.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import http from "node:http";
import { test, type TestContext } from "node:test";
import zlib from "node:zlib";
import { Compression, compressionLimits, type Compressors } from "../../src/cells/b-cell/compression.ts";
import type { ContentCoding } from "../../src/http/content-coding.ts";
import { ListenerRecorder, until } from "../support/axon-pair.ts";
import { answer, rig, type Rig } from "../support/ingress-rig.ts";

const decoders: Record<ContentCoding, () => zlib.Gunzip | zlib.BrotliDecompress | zlib.ZstdDecompress> = {
  gzip: () => zlib.createGunzip(),
  br: () => zlib.createBrotliDecompress(),
  zstd: () => zlib.createZstdDecompress(),
};
const codings = ["br", "zstd", "gzip"] as const;

async function compressingRig(t: TestContext): Promise<Rig & { compressors: Compressors }> {
  const compressors: Compressors = { policy: { codings, bodyBytesMin: 100, types: [] }, atWork: 0 };
  const made = await rig(t, {
    timeouts: { slowReaderMs: 60_000 },
    convey: (request, client, carry) => new Compression(compressors, request, client, carry),
  });
  return { ...made, compressors };
}

async function get(
  t: TestContext,
  port: number,
  headers: http.OutgoingHttpHeaders = {},
  method = "GET",
): Promise<http.IncomingMessage> {
  const agent = new http.Agent();
  const request = http.request({ port, host: "127.0.0.1", headers, method, agent });
  t.after(() => agent.destroy());
  request.on("error", () => {});
  request.end();
  const [response] = (await once(request, "response")) as [http.IncomingMessage];
  response.on("error", () => {});
  return response;
}

async function decoded(response: http.IncomingMessage): Promise<string> {
  const coding = response.headers["content-encoding"] as ContentCoding | undefined;
  const stream = coding === undefined ? response : response.pipe(decoders[coding]());
  const parts: Buffer[] = [];
  for await (const part of stream) parts.push(part as Buffer);
  return Buffer.concat(parts).toString("latin1");
}

const text = "all work and no play makes jack a dull boy\n".repeat(1000);
const html = ["Content-Type", "text/html"];

for (const coding of codings) {
  test(`an answer is compressed with ${coding} and comes out as it was`, async (t) => {
    const { port, addDrone, compressors } = await compressingRig(t);
    await addDrone(answer(text, [...html, "ETag", '"1"']));
    const response = await get(t, port, { "accept-encoding": coding });
    assert.equal(response.headers["content-encoding"], coding);
    assert.equal(response.headers["content-length"], undefined);
    assert.equal(response.headers.etag, 'W/"1"');
    assert.equal(response.headers.vary, "Accept-Encoding");
    assert.equal(await decoded(response), text);
    await until(() => compressors.atWork === 0);
  });

  test(`what an app writes before a pause arrives before it, with ${coding}`, async (t) => {
    const { port, addDrone } = await compressingRig(t);
    const gate = Promise.withResolvers<void>();
    await addDrone((exchange) => {
      exchange.listen(new ListenerRecorder());
      exchange.respond({ status: 200, reason: "", headers: html });
      exchange.write(Buffer.from("first"));
      void gate.promise.then(() => {
        exchange.write(Buffer.from(" second"));
        exchange.finish([]);
      });
    });
    const response = await get(t, port, { "accept-encoding": coding });
    const stream = response.pipe(decoders[coding]());
    let got = "";
    stream.on("data", (part: Buffer) => (got += part.toString()));
    await until(() => got === "first");
    gate.resolve();
    await once(stream, "end");
    assert.equal(got, "first second");
  });
}

test("whoever accepts nothing gets it as it is, and caches are told", async (t) => {
  const { port, addDrone } = await compressingRig(t);
  await addDrone(answer(text, html));
  const response = await get(t, port);
  assert.equal(response.headers["content-encoding"], undefined);
  assert.equal(response.headers["content-length"], String(text.length));
  assert.equal(response.headers.vary, "Accept-Encoding");
  assert.equal(await decoded(response), text);
});

test("what the app has compressed is not compressed again", async (t) => {
  const { port, addDrone } = await compressingRig(t);
  const gzipped = zlib.gzipSync(text);
  await addDrone(answer(gzipped.toString("latin1"), [...html, "Content-Encoding", "gzip"]));
  const response = await get(t, port, { "accept-encoding": "br, gzip" });
  assert.equal(response.headers["content-encoding"], "gzip");
  assert.equal(response.headers["content-length"], String(gzipped.length));
  assert.equal(await decoded(response), text);
});

test("HEAD is told what GET would be", async (t) => {
  const { port, addDrone, compressors } = await compressingRig(t);
  await addDrone(answer(text, html));
  const response = await get(t, port, { "accept-encoding": "gzip" }, "HEAD");
  assert.equal(response.headers["content-encoding"], "gzip");
  assert.equal(response.headers["content-length"], undefined);
  response.resume();
  assert.equal(compressors.atWork, 0);
});

test("an answer that is not as long as it promised is cut off, though its length was not passed on", async (t) => {
  const { port, addDrone, notes, compressors } = await compressingRig(t);
  await addDrone((exchange) => {
    exchange.listen(new ListenerRecorder());
    exchange.respond({ status: 200, reason: "", headers: [...html, "Content-Length", "500"] });
    exchange.write(Buffer.from("short"));
    exchange.finish([]);
  });
  const response = await get(t, port, { "accept-encoding": "gzip" });
  response.resume();
  await new Promise((resolve) => response.once("close", resolve));
  assert.equal(response.complete, false);
  assert.ok(notes.some((note) => note.kind === "refused" && note.code === "CELLWS_HTTP_APP_RESPONSE" && note.cut));
  assert.equal(compressors.atWork, 0);
});

test("a client that goes away frees its compressor", async (t) => {
  const { port, addDrone, compressors } = await compressingRig(t);
  await addDrone((exchange) => {
    exchange.listen(new ListenerRecorder());
    exchange.respond({ status: 200, reason: "", headers: html });
    exchange.write(Buffer.from("and then"));
  });
  const response = await get(t, port, { "accept-encoding": "gzip" });
  await until(() => compressors.atWork === 1);
  response.destroy();
  await until(() => compressors.atWork === 0);
});

test("beyond so many compressors answers go out as they are", async (t) => {
  const { port, addDrone, compressors } = await compressingRig(t);
  await addDrone(answer(text, html));
  compressors.atWork = compressionLimits.compressorsMax;
  const response = await get(t, port, { "accept-encoding": "gzip" });
  assert.equal(response.headers["content-encoding"], undefined);
  assert.equal(await decoded(response), text);
});

test("a client that does not read holds the drone up, and gets all in the end", async (t) => {
  const { port, addDrone } = await compressingRig(t);
  // Bytes that do not shrink, and more of them than the kernel's buffers hold for both ends of a connection (some 40 MB).
  const chunkBytes = 65_536;
  const total = 1_000;
  let written = 0;
  await addDrone((exchange) => {
    const listener = new ListenerRecorder();
    const more = (): void => {
      while (written < total) {
        written += 1;
        if (!exchange.write(randomBytes(chunkBytes))) return;
      }
      exchange.finish([]);
    };
    listener.onWritable = more;
    exchange.listen(listener);
    exchange.respond({ status: 200, reason: "", headers: html });
    more();
  });
  const response = await get(t, port, { "accept-encoding": "zstd" });
  // Stands still: nothing was written between two looks.
  for (let before = -1; before !== written;) {
    before = written;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  assert.ok(written < total, `the drone had written ${written} of ${total} though nobody read`);
  let bytes = 0;
  for await (const part of response.pipe(zlib.createZstdDecompress())) bytes += (part as Buffer).length;
  assert.equal(bytes, total * chunkBytes);
});
