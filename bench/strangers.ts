import { strangerSeconds } from './process-usage.ts';

/** What came of some work, and which share of a processor strangers took meanwhile. */
export interface Watched<Value> {
  readonly value: Value;
  readonly strangers: number;
}

/** Does work and looks what strangers use meanwhile. */
export async function watch<Value>(work: () => Promise<Value>): Promise<Watched<Value>> {
  const [begunMs, before] = [performance.now(), strangerSeconds()];
  const value = await work();
  return { value, strangers: Math.max(0, (strangerSeconds() - before) / ((performance.now() - begunMs) / 1000)) };
}
