import { once } from 'node:events';
import type { FanOut } from './fan-out.ts';
import type { Idle } from './idle.ts';
import { usageOf } from './process-usage.ts';
import { type Companion, startCompanion, type Target } from './targets.ts';

const SETTLE_MS = 3_000;

async function ask<Result extends object>(companion: Companion, question: Idle | FanOut): Promise<Result> {
  companion.child.send(question);
  const [answer] = (await once(companion.child, 'message')) as [Result | { failed: string }];
  if ('failed' in answer) throw new Error(answer.failed);
  return answer;
}

/** What an open, authenticated and subscribed connection costs in memory; kernel buffers are not counted. */
export async function measureIdle(
  target: Target,
  kind: Idle['kind'],
  connections: number,
): Promise<{ kibPerConnection: number; idleMb: number }> {
  const companion = startCompanion('./idle.ts');
  try {
    const place = { url: target.url, token: target.token };
    await ask(companion, { place, kind, connections: 100 });
    await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
    const before = usageOf(target.pid).rssBytes;
    await ask(companion, { place, kind, connections });
    await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
    return { kibPerConnection: (usageOf(target.pid).rssBytes - before) / connections / 1024, idleMb: before / 1e6 };
  } finally {
    companion.child.disconnect();
  }
}

/** CPU seconds for a million tokens delivered to many readers of one run. */
export async function measureFanOut(target: Target, fanOut: Omit<FanOut, 'place'>): Promise<number> {
  const companion = startCompanion('./fan-out.ts');
  try {
    const place = { url: target.url, token: target.token };
    await ask(companion, { ...fanOut, place });
    const before = usageOf(target.pid).cpuSeconds;
    const { tokens } = await ask<{ tokens: number }>(companion, { ...fanOut, place });
    return ((usageOf(target.pid).cpuSeconds - before) / tokens) * 1e6;
  } finally {
    companion.child.disconnect();
  }
}
