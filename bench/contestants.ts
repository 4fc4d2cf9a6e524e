import type { Load, Shape } from './load.ts';
import { type Measurement, measure, put } from './measure.ts';
import type { Part } from './processors.ts';
import type { Protocol } from './protocols.ts';
import type { Contestant } from './rounds.ts';
import type { Bench } from './scenario.ts';
import { dismiss, type ServerSetting, startBareRelay, startCompanion, startPolylogue, type Target } from './targets.ts';

/** A load, and the one that settles a fresh process (V8 compiles what is called often) before it is measured. */
export interface StreamLoad {
  readonly shape: Shape;
  readonly warmUp: Shape;
}

interface Streams extends StreamLoad {
  readonly name: string;
  readonly protocol: Protocol;
  readonly start: () => Promise<Target>;
  readonly once?: boolean;
  /** Where the readers run. */
  readonly readers?: Part;
}

/** The processes of a measurement on this target. */
export function partiesOf({ upstream, database }: Bench, target: Target): { target: number; upstream: number; database: number | null } {
  return { target: target.pid, upstream: upstream.pid, database: database?.pid ?? null };
}

function streams(bench: Bench, { name, protocol, start, shape, warmUp, once = false, readers = 'generator' }: Streams): Contestant {
  const measureOnce = async (): Promise<Measurement> => {
    const target = await start();
    const generator = startCompanion('./load.ts', readers);
    try {
      const load: Load = { ...shape, place: { url: target.url, token: target.token }, protocol };
      await put(generator, { ...load, ...warmUp });
      return await measure(partiesOf(bench, target), generator, () => put(generator, load));
    } finally {
      dismiss(generator);
      await target.stop();
    }
  };
  return { name, once, measure: measureOnce };
}

/** The provider without anything between: the floor of times. */
export function direct(bench: Bench, load: StreamLoad, protocol: Protocol = 'openai'): Contestant {
  return streams(bench, { ...load, name: 'direct', protocol, start: () => startNothing(bench), once: true });
}

/** The provider with readers on the target's processor: what it can do when nobody holds it up. */
export function providerAlone(bench: Bench, load: StreamLoad): Contestant {
  return streams(bench, {
    ...load,
    name: 'provider alone',
    protocol: 'openai',
    start: () => startNothing(bench),
    once: true,
    readers: 'target',
  });
}

/** The yardstick. */
export function bare(bench: Bench, load: StreamLoad, protocol: Protocol = 'openai'): Contestant {
  return streams(bench, { ...load, name: 'bare', protocol, start: () => startBareRelay(bench.upstream.url) });
}

/** The server, asked through one door. */
export function ours(bench: Bench, load: StreamLoad, protocol: Protocol): Contestant {
  return streams(bench, { ...load, name: protocol, protocol, start: () => startServer(bench) });
}

/** The server with more in its environment. */
export function changed(
  bench: Bench,
  load: StreamLoad,
  { name, env }: { name: string; env: Readonly<Record<string, string>> },
): Contestant {
  return streams(bench, { ...load, name, protocol: 'chat-sessions', start: () => startServer(bench, { env }) });
}

/** The built server under the bench's settings, and more of them. */
export function startServer({ upstream, database, profileTo }: Bench, more: Partial<ServerSetting> = {}): Promise<Target> {
  return startPolylogue(upstream.url, { databaseUrl: database?.url ?? null, profileTo, ...more });
}

async function startNothing({ upstream }: Bench): Promise<Target> {
  return { url: upstream.url, token: '', pid: upstream.pid, readyMs: 0, stop: async () => undefined };
}
