/**
 * A neuron. Its decisions are the mind's; what it perceives (load, memory, pressure) is read here as it comes to be needed.
 * It holds no request, so there is nothing to drain.
 */
import type { Body } from "../../host/body.ts";

export async function makeNeuron(): Promise<Body> {
  return { inFlight: () => 0, drain: async () => undefined };
}
