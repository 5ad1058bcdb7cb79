/**
 * A drone: it runs the user's app and answers the requests that B cells bring over their axons. It holds no listening
 * socket. Loading goes on while axons are opened already; what it can do at any time it tells each B cell by its status.
 */
import { performance } from "node:perf_hooks";
import process from "node:process";
import type { AppFailure } from "../../app/app-failure.ts";
import type { HostedApp } from "../../app/host.ts";
import { hostApp } from "../../app/host.ts";
import { readAppEnvironment } from "../../dna/environment.ts";
import type { Exchange } from "../../app/exchange.ts";
import { AxonServer } from "../../host/axon-link.ts";
import type { Body, BodyContext, OpenAxon } from "../../host/body.ts";
import { captureStdio } from "../../host/capture-stdio.ts";
import { guardConnections } from "../../host/membrane/guard.ts";
import { membraneRules } from "../../host/membrane/rules.ts";
import { serviceManagerVariables } from "../../host/service-manager.ts";
import type { AppHealth } from "../../wire/control.ts";
import { appFiles } from "./app-files.ts";

/** B cells choose by what they see themselves (requests in flight, latency); this only corrects it. */
const statusEveryMs = 500;

/** No B cell sends a request to an app that is not ready; one that came all the same is given to another drone. */
const notReadyCode = "CELLWS_AXON_REFUSED";

export async function makeDrone(context: BodyContext): Promise<Body> {
  return new Drone(context);
}

class Drone implements Body {
  readonly #context: BodyContext;
  readonly #axons = new Set<AxonServer>();
  #app: HostedApp | null = null;
  #health: AppHealth = { state: "loading" };
  readonly #refusals = new Set<string>();
  #isDraining = false;
  #lookedAt = performance.eventLoopUtilization();
  #busyMs = performance.now();

  constructor(context: BodyContext) {
    this.#context = context;
    setInterval(() => this.#tellAll(), statusEveryMs).unref();
    void this.#load();
  }

  inFlight(): number {
    let count = 0;
    for (const axon of this.#axons) count += axon.inFlight;
    return count;
  }

  quietMs(): number {
    const nowMs = performance.now();
    if (this.inFlight() > 0) this.#busyMs = nowMs;
    return nowMs - this.#busyMs;
  }

  appHealth(): AppHealth {
    return this.#health;
  }

  axonOpened({ socket, rest, peer }: OpenAxon): void {
    const axon: AxonServer = new AxonServer(
      socket,
      {
        exchange: (exchange) => this.#handle(exchange),
        closed: (reason) => {
          this.#axons.delete(axon);
          this.#context.log.debug("axon-closed", { peer, reason });
          this.#context.dispatch({ type: "doubt", id: peer });
        },
      },
      {
        leftover: rest,
        onFault: (reason) => {
          this.#context.counters.add("cellws_protocol_faults_total", { kind: "malformed" });
          this.#context.log.warn("axon-fault", { peer, reason }, `cut the axon of B cell ${peer}: ${reason}`);
        },
      },
    );
    this.#axons.add(axon);
    // The handshake has left it paused.
    socket.resume();
    this.#tell(axon);
  }

  async drain(drainMs: number, alone: boolean): Promise<void> {
    // While the whole organism ends the B cells still bring what they have accepted; they end before us.
    if (!alone) return;
    this.#isDraining = true;
    this.#tellAll();
    for (const axon of this.#axons) axon.refuseNew();
    const deadlineMs = performance.now() + drainMs;
    while (this.inFlight() > 0 && performance.now() < deadlineMs) await new Promise((r) => setTimeout(r, drainLookMs));
  }

  #handle(exchange: Exchange): void {
    if (this.#app !== null) return this.#app.handle(exchange);
    exchange.listen({ body: ignore, end: ignore, cancel: ignore, writable: ignore });
    exchange.reset(notReadyCode);
  }

  async #load(): Promise<void> {
    const { dna, log, dispatch } = this.#context;
    const environment = readAppEnvironment(dna, process.env);
    if (!environment.ok) return this.#failed({ ...environment.diagnostic, code: "CELLWS_E_APP_LOAD" });
    Object.assign(process.env, environment.env);
    // How the cell itself is run is none of the app's business, nor of what it starts.
    for (const name of ["NODE_COMPILE_CACHE", ...serviceManagerVariables]) delete process.env[name];
    captureStdio(log);
    const { confine, connect, listen } = membraneRules(dna);
    if (confine && connect !== null) await guardConnections(connect, (address, port) => this.#refused(address, port));
    const hosted = await hostApp({
      path: dna.app,
      listeners: dna.listen.map(({ host, port }, i) => ({ host, port: this.#context.addresses[i]?.port ?? port })),
      listenTimeoutMs: dna.startup.listenTimeoutMs,
      mayReallyListen: listen || !confine,
      onEvent: ({ level, code, message, stack }) =>
        log[level](code.toLowerCase().replaceAll("_", "-"), stack === undefined ? {} : { stack }, message),
    });
    if (!hosted.ok) return this.#failed(hosted.failure);
    this.#app = hosted.app;
    this.#health = { state: "ready" };
    log.info("app-ready", { kind: hosted.app.kind }, `the app is ready: ${hosted.app.description}`);
    dispatch({ type: "app", health: { state: "ready", code: "", message: "", stack: "", files: appFiles(dna.app) } });
    this.#tellAll();
  }

  /** Once for each address: an app that tries again and again must not fill the log. */
  #refused(address: string, port: number): void {
    const place = `${address} port ${port}`;
    if (this.#refusals.has(place) || this.#refusals.size >= refusalsToldMax) return;
    this.#refusals.add(place);
    this.#context.log.warn("connection-refused", { address, port }, `membrane.connect does not allow ${place}`);
  }

  #failed({
    code,
    message,
    stack = "",
    hint = "",
  }: Pick<AppFailure, "code" | "message"> & { stack?: string; hint?: string }): void {
    const { dna, log, dispatch } = this.#context;
    this.#health = { state: "failed", error: { code, message, stack } };
    log.error("app-failed", { code, stack, hint }, `${code}: ${message}`);
    // B cells learn from the organism how the app fares and when it is tried again; this drone is of no use to them.
    for (const axon of this.#axons) axon.close("the app would not come up");
    const cut = { message: message.slice(0, messageCharsMax), stack: stack.slice(0, stackCharsMax) };
    dispatch({ type: "app", health: { state: "failed", code, ...cut, files: appFiles(dna.app) } });
  }

  #tellAll(): void {
    for (const axon of this.#axons) this.#tell(axon);
    if (this.#axons.size > 0) this.#lookedAt = performance.eventLoopUtilization();
  }

  #tell(axon: AxonServer): void {
    const load = performance.eventLoopUtilization(this.#lookedAt).utilization;
    axon.sendStatus({ load, inFlight: this.inFlight(), draining: this.#isDraining, app: this.#health });
  }
}

const drainLookMs = 20;
const refusalsToldMax = 100;
/** What a record may carry of a failure (wire/kin.ts). */
const messageCharsMax = 4_000;
const stackCharsMax = 16_000;

const ignore = (): void => undefined;
