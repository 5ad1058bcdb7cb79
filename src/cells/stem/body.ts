/**
 * A stem cell: warm and idle. While it waits it loads the code of the classes that it may be called to, so that its first
 * request does not wait for that.
 */
import type { Body, BodyContext } from "../../host/body.ts";

/** After its birth a stem cell lets those work first who have something to do. */
const warmAfterMs = 500;

export async function makeStem(context: BodyContext): Promise<Body> {
  const timer = setTimeout(() => {
    const warmed = Promise.all([
      import("../b-cell/body.ts"),
      import("../drone/body.ts"),
      import("../neuron/body.ts"),
      import("../t-cell/body.ts"),
    ]);
    warmed.catch((error: unknown) => context.log.error("warm-failed", { error: String(error) }, "could not warm up"));
  }, warmAfterMs);
  timer.unref();
  return {
    inFlight: () => 0,
    drain: async () => clearTimeout(timer),
    release: () => clearTimeout(timer),
  };
}
