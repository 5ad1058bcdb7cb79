import assert from "node:assert/strict";
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import http from "node:http";
import net from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import { until } from "../support/axon-pair.ts";
import { rig } from "../support/ingress-rig.ts";

const KILLS = 8;

test("while drones are killed under load no GET fails, no POST runs twice, and no answer is another's", async (t) => {
  const { pool, port, ingress } = await rig(t);
  const folder = mkdtempSync(path.join(tmpdir(), "cellws-test-"));
  const notesPath = path.join(folder, "posts");
  writeFileSync(notesPath, "");
  let count = 0;
  const axons = net.createServer((socket) => pool.add(`drone-${(count += 1)}`, socket));
  axons.listen(path.join(folder, "s"));
  await once(axons, "listening");
  const drones: ChildProcess[] = [];
  const birth = (): void => {
    const script = path.join(import.meta.dirname, "../support/drone-process.ts");
    drones.push(spawn(process.execPath, [script, path.join(folder, "s"), notesPath], { stdio: "ignore" }));
  };
  const agent = new http.Agent({ keepAlive: true, maxSockets: 24 });
  t.after(() => {
    for (const drone of drones) drone.kill("SIGKILL");
    agent.destroy();
    axons.close();
    rmSync(folder, { recursive: true, force: true });
  });
  for (let i = 0; i < 3; i += 1) birth();
  await until(() => pool.readyCount === 3);

  const run = { isOver: false };
  let sequence = 0;
  const outcomes = { gets: 0, posts: 0, postsLost: 0 };
  const client = async (): Promise<void> => {
    while (!run.isOver) {
      const method = (sequence += 1) % 2 === 0 ? "GET" : "POST";
      const target = `/${method}/${sequence}`;
      const { status, body } = await send(
        { agent, port, method, path: target },
        method === "POST" ? "x".repeat(100) : null,
      );
      if (method === "POST" && status === 502) {
        assert.match(body, /CELLWS_HTTP_DRONE_LOST/);
        outcomes.postsLost += 1;
        continue;
      }
      assert.deepEqual({ status, body }, { status: 200, body: target });
      outcomes[method === "GET" ? "gets" : "posts"] += 1;
    }
  };
  const clients = Array.from({ length: 24 }, client);
  for (let kills = 0; kills < KILLS; kills += 1) {
    await new Promise((resolve) => setTimeout(resolve, 150));
    birth();
    await until(() => pool.readyCount === 4);
    drones.shift()?.kill("SIGKILL");
    await until(() => pool.readyCount === 3);
  }
  run.isOver = true;
  await Promise.all(clients);

  const ran = readFileSync(notesPath, "utf8").trim().split("\n");
  assert.equal(new Set(ran).size, ran.length, "a POST ran twice");
  assert.ok(outcomes.gets > 100 && outcomes.posts > 100, JSON.stringify(outcomes));
  assert.ok(outcomes.posts + outcomes.postsLost >= ran.length);
  t.diagnostic(JSON.stringify({ ...outcomes, retries: ingress.counters.retries, lost: ingress.counters.lost }));
});

async function send(options: http.RequestOptions, body: string | null): Promise<{ status: number; body: string }> {
  const request = http.request(options);
  request.end(body ?? undefined);
  const [response] = (await once(request, "response")) as [http.IncomingMessage];
  let text = "";
  response.setEncoding("latin1");
  for await (const chunk of response) text += chunk as string;
  return { status: response.statusCode ?? 0, body: text };
}
