/**
 * A neuron. Its decisions are the mind's; what it perceives of the machine is read here: how much memory and CPU time is left.
 * It holds no request, so there is nothing to drain.
 */
import type { Body } from "../../host/body.ts";
import { makePressureGauge } from "../../host/pressure.ts";

export async function makeNeuron(): Promise<Body> {
  return { inFlight: () => 0, drain: async () => undefined, pressure: makePressureGauge() };
}
