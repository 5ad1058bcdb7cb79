/** Bodies that do not fit into any buffer, answers without an end, and connections that change their protocol. */
import { describe, test } from "node:test";
import * as checks from "./checks.ts";
import { sharedOrganism } from "./organism.ts";

const twoDrones = { cells: { drone: { min: 2 } } };

describe("streams through an organism", () => {
  const organism = sharedOrganism({ app: "streams.mjs", dna: twoDrones });
  const at = () => organism().at();

  test("a big download arrives whole, with and without an announced length", () => checks.checkDownload(at()));
  test("a client that does not read keeps nobody waiting, and gets every byte in the end", () =>
    checks.checkSlowReader(at()));
  test("a big upload arrives whole, with and without an announced length", () => checks.checkUpload(at()));
  test("a body is echoed while it is sent", () => checks.checkEcho(at()));
  test("100 Continue comes from the app's side before the body", () => checks.checkExpectContinue(at()));
  test("events arrive one by one, unbuffered", () => checks.checkEvents(at(), organism().scratch("go")));
  test("the app is told when its reader leaves", () =>
    checks.checkAbandonedAnswer(at(), organism().scratch("reader.log")));
  test("the app is told when its sender leaves", () =>
    checks.checkAbandonedUpload(at(), organism().scratch("sender.log")));
});

describe("WebSocket through an organism", () => {
  const organism = sharedOrganism({ app: "ws-echo.mjs", dna: twoDrones });

  test("texts, big messages, pings and the closing code pass unchanged", () => checks.checkWebSocket(organism().at()));
  test("ten at a time do not get into each other's way", async () => {
    await Promise.all(Array.from({ length: 10 }, () => checks.checkWebSocket(organism().at())));
  });
  test("a refused upgrade is an answer like any other", () => checks.checkRefusedUpgrade(organism().at()));
});
