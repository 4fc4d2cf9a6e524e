import { randomUUID } from 'node:crypto';
import type { TestApp } from './app.ts';
import type { Gifts } from './replay.ts';

/** An agent of the settings: a graph that asks whether it may look at the weather. */
export const forecaster = { runtime: 'supervisor', tools: ['weather'], rules: [{ tool: 'weather', rule: 'ask' }] };

/** What documented requests about agents need: a name that no agent has, and a run that waits. The settings have the agent `forecaster`. */
export function agentGifts(app: () => TestApp): Gifts {
  return {
    'native.createAgent': async () => ({ fields: { name: `gardener ${randomUUID()}` } }),
    'native.decide': async () => ({ path: await startWaiting(app()) }),
  };
}

/** Starts a run of `forecaster` and waits until it asks; gives the run and the call that is to be decided about. */
async function startWaiting(app: TestApp): Promise<Record<'run_id' | 'call_id', string>> {
  const json = async (response: Promise<Response>) => JSON.parse(await (await response).text());
  const thread = await json(app.post('/polylogue/v1/threads', {}));
  const text = 'What is the weather like in Berlin?';
  const run = await json(app.post(`/polylogue/v1/threads/${thread.id}/runs`, { text, agent: 'forecaster' }));
  for (;;) {
    const { data } = await json(app.send(`/polylogue/v1/runs/${run.id}/events?wait=false`));
    const question = data.find(({ type }: { type: string }) => type === 'approval.requested');
    if (question) return { run_id: run.id, call_id: question.call_id };
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
