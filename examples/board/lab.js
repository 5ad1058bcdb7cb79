/**
 * The lab: ways to misbehave on purpose, to see what the server around the board makes of it.
 * A board that strangers can reach should be started with BOARD_LAB=off.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { Router } from "express";
import { html } from "./html.js";
import { layout } from "./pages.js";

const waitMsMax = 60_000;
const streamLinesMax = 1_000;

export function createLab() {
  const lab = Router();

  lab.get("/", (_req, res) => res.send(labPage()));

  // Answers late, without keeping anybody else from being answered.
  lab.get("/slow", async (req, res) => {
    const ms = bounded(req.query.ms, 2_000, waitMsMax);
    await sleep(ms);
    res.json({ slept: ms, pid: process.pid });
  });

  // Computes without a pause: nobody else is answered by this process meanwhile.
  lab.get("/busy", (req, res) => {
    const ms = bounded(req.query.ms, 500, waitMsMax);
    const end = performance.now() + ms;
    while (performance.now() < end);
    res.json({ computed: ms, pid: process.pid });
  });

  // A line now and then, each sent as it is written.
  lab.get("/stream", async (req, res) => {
    const lines = bounded(req.query.lines, 10, streamLinesMax);
    const ms = bounded(req.query.ms, 300, waitMsMax);
    res.type("text/plain");
    for (let line = 1; line <= lines && !res.destroyed; line += 1) {
      res.write(`${line} of ${lines}, process ${process.pid}\n`);
      if (line < lines) await sleep(ms);
    }
    res.end();
  });

  // POST, because a crash is not safe to repeat: a GET that failed may be tried again on another process.
  lab.post("/crash", () => {
    setImmediate(() => {
      throw new Error("The lab's crash button was pressed.");
    });
  });

  return lab;
}

function bounded(value, otherwise, max) {
  const number = Number(value);
  return value !== undefined && Number.isFinite(number) && number >= 0 ? Math.min(number, max) : otherwise;
}

function labPage() {
  return layout({
    title: "Lab",
    main: html`
      <p class="back"><a href="/">← All threads</a></p>
      <h1>Lab</h1>
      <p class="warning">
        For experiments: these make this program misbehave on purpose. Switch them off with
        <code>BOARD_LAB=off</code> where strangers can reach the board.
      </p>
      <dl class="card lab">
        <dt><a href="/lab/slow?ms=2000">Slow answer</a></dt>
        <dd>Waits two seconds, then answers. Others are not kept waiting.</dd>
        <dt><a href="/lab/busy?ms=1000">Busy process</a></dt>
        <dd>Computes for a second without a pause. Whoever else is served by the same process waits.</dd>
        <dt><a href="/lab/stream?lines=10&amp;ms=300">Stream</a></dt>
        <dd>Ten lines in three seconds, each sent as it is written.</dd>
        <dt>
          <form action="/lab/crash" method="post"><button class="danger">Crash</button></form>
        </dt>
        <dd>Throws where nobody catches: the process that serves this request dies, and you get no answer from it.</dd>
      </dl>
    `,
  });
}
