/** The simulated org as a library: a Salesforce to test against, in this process or over HTTP. */
export type { SimSeed } from './seed-form.ts';
export { serveSim } from './server.ts';
export { createSim, type Sim, type SimOptions } from './sim.ts';
