/** A T cell. It keeps no ledger yet: what it is for comes with the immune system; until then none is grown by default. */
import type { Body } from "../../host/body.ts";

export async function makeTCell(): Promise<Body> {
  return { inFlight: () => 0, drain: async () => undefined };
}
