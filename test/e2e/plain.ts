/**
 * An app under plain Node, without cellws: the yardstick. What the checks demand of an organism they demand of
 * this first, so that an app or a check that is wrong shows here.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import net from "node:net";
import type { Address } from "./client.ts";
import { inheritedEnv } from "./processes.ts";
import { until, within } from "./wait.ts";

export interface PlainApp extends Address {
  url: string;
  process: ChildProcess;
  output: () => string;
  end: () => Promise<void>;
}

export async function startPlain(app: string, env: Record<string, string> = {}): Promise<PlainApp> {
  const host = "127.0.0.1";
  const port = await freePort();
  const child = spawn(process.execPath, [app], {
    env: { ...inheritedEnv(), PORT: String(port), ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding("utf8").on("data", (text: string) => (output += text));
  const exited = once(child, "exit");
  const end = async () => {
    child.kill("SIGKILL");
    await within(`the end of ${app}`, exited);
  };
  try {
    await until(
      `${app} to listen on port ${port}`,
      async () => {
        if (child.exitCode !== null) throw new Error(`it exited with ${child.exitCode}`);
        return accepts({ host, port });
      },
      { explain: () => output },
    );
  } catch (error) {
    await end();
    throw error;
  }
  return { host, port, url: `http://${host}:${port}`, process: child, output: () => output, end };
}

/** Free now. Another process could take it in between; for port 0 proper, the organism is asked instead. */
export async function freePort(): Promise<number> {
  const server = net.createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as net.AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

export async function accepts(at: Address): Promise<boolean> {
  const socket = net.connect(at);
  try {
    await once(socket, "connect");
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
