import assert from "node:assert/strict";
import { test } from "node:test";
import type { Exchange } from "../../src/app/exchange.ts";
import { RequestReader } from "../../src/http/request-reader.ts";
import { smugglingCases } from "../corpus/smuggling.ts";
import { ListenerRecorder } from "../support/axon-pair.ts";
import { rig } from "../support/ingress-rig.ts";

for (const { name, bytes, reads, refusal } of smugglingCases) {
  test(`smuggling, ${JSON.stringify(name)}: ${refusal ?? "read one way"}`, () => {
    for (const pieceBytes of [bytes.length, 1, 7]) {
      const reader = new RequestReader();
      const told: string[] = [];
      let code: string | null = null;
      let request = "";
      for (let at = 0; at < bytes.length; at += pieceBytes) {
        reader.feed(Buffer.from(bytes.slice(at, at + pieceBytes), "latin1"));
        for (let event = reader.next(); event !== null; event = reader.next()) {
          if (event.type === "head") request = `${event.head.method} ${event.head.target} `;
          if (event.type === "body") request += event.chunk.latin1Slice();
          if (event.type === "error") code = event.code;
          if (event.type !== "end") continue;
          told.push(request);
          reader.startNext();
        }
      }
      assert.deepEqual(told, reads);
      assert.equal(code, refusal);
    }
  });
}

test("of all these the app behind an ingress sees exactly the requests that the table names", async (t) => {
  const { addDrone, connect } = await rig(t);
  let seen: string[] = [];
  await addDrone((exchange: Exchange) => {
    const listener = new ListenerRecorder();
    const { method, target, hasBody } = exchange.request;
    const finish = () => {
      seen.push(`${method} ${target} ${Buffer.concat(listener.chunks).latin1Slice()}`);
      exchange.respond({ status: 204, reason: "", headers: [] });
      exchange.finish([]);
    };
    listener.onEnd = finish;
    exchange.listen(listener);
    if (!hasBody) finish();
  });
  for (const { name, bytes, reads, refusal } of smugglingCases) {
    seen = [];
    const client = await connect();
    client.socket.end(bytes, "latin1");
    const text = await client.toEnd();
    assert.deepEqual(seen, reads, name);
    const statuses = [...text.matchAll(/^HTTP\/1\.1 (\d+)/gm)].map((match) => match[1]);
    const good = statuses.filter((status) => status === "204").length;
    assert.equal(good, reads.length, name);
    if (refusal !== null) assert.match(text, new RegExp(`code: ${refusal}\\n`), name);
  }
});
