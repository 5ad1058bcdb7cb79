/**
 * The yardstick: the apps and the checks of the end-to-end tests hold under plain Node. If one of these
 * fails, the app or the check is wrong, and what the same check says of an organism means nothing.
 */
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import https from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { text } from "node:stream/consumers";
import * as checks from "./checks.ts";
import { appFile } from "./organism.ts";
import { type PlainApp, startPlain } from "./plain.ts";

describe("under plain Node", () => {
  for (const { file, name, plain } of checks.frameworkApps) {
    if (!plain) continue;
    test(`${file} answers`, async (t) => {
      const app = await startPlain(appFile(file));
      t.after(app.end);
      await checks.checkFrameworkApp(app, name);
      await checks.checkKeepAlive(app);
      await checks.checkPipelining(app);
    });
  }

  describe("streams.mjs", () => {
    let app: PlainApp;
    let home: string;
    before(async () => {
      home = mkdtempSync(join(tmpdir(), "cw-plain-"));
      app = await startPlain(appFile("streams.mjs"));
    });
    after(async () => {
      await app.end();
      rmSync(home, { recursive: true });
    });
    test("downloads", () => checks.checkDownload(app));
    test("serves others while one reads slowly", () => checks.checkSlowReader(app));
    test("uploads", () => checks.checkUpload(app));
    test("echoes while it receives", () => checks.checkEcho(app));
    test("says 100 Continue", () => checks.checkExpectContinue(app));
    test("sends events as they happen", () => checks.checkEvents(app, join(home, "go")));
    test("sees a reader leave", () => checks.checkAbandonedAnswer(app, join(home, "reader.log")));
    test("sees a sender leave", () => checks.checkAbandonedUpload(app, join(home, "sender.log")));
  });

  test("ws-echo.mjs speaks WebSocket, and refuses it elsewhere", async (t) => {
    const app = await startPlain(appFile("ws-echo.mjs"));
    t.after(app.end);
    await checks.checkWebSocket(app);
    await checks.checkRefusedUpgrade(app);
  });

  test("who.mjs tells of its client", async (t) => {
    const app = await startPlain(appFile("who.mjs"));
    t.after(app.end);
    await checks.checkWho(app);
  });

  test("https.mjs answers over TLS", { skip: checks.opensslMissing() }, async (t) => {
    const dir = mkdtempSync(join(tmpdir(), "cw-tls-"));
    t.after(() => rmSync(dir, { recursive: true }));
    const files = checks.makeCertificate(dir);
    const app = await startPlain(appFile("https.mjs"), { ...files });
    t.after(app.end);
    const agent = new https.Agent({ ca: readFileSync(files.TLS_CERT) });
    t.after(() => agent.destroy());
    const answer = await new Promise<string>((resolve, reject) => {
      https
        .get({ host: app.host, port: app.port, path: "/a?b", agent }, (response) => resolve(text(response)))
        .on("error", reject);
    });
    assert.deepEqual(JSON.parse(answer), { url: "/a?b", encrypted: true });
  });
});
