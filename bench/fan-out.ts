import { Agent, request as call, type IncomingMessage } from 'node:http';
import type { Place } from './protocols.ts';
import { createCheck, type Script, writePrompt } from './script.ts';

// Many readers of one run, each of which checks every token.

/** What to read. */
export interface FanOut {
  readonly place: Place;
  readonly readers: number;
  readonly script: Script;
}

const agent = new Agent({ keepAlive: true, maxSockets: Number.POSITIVE_INFINITY });

async function post({ url, token }: Place, path: string, body: object): Promise<{ id: string }> {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  const response = await fetch(url + path, { method: 'POST', headers, body: JSON.stringify(body) });
  if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
  return (await response.json()) as { id: string };
}

function events({ url, token }: Place, run: string): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const headers = { authorization: `Bearer ${token}` };
    call(`${url}/polylogue/v1/runs/${run}/events`, { agent, headers }, resolve).on('error', reject).end();
  });
}

async function read({ place, script }: FanOut, run: string): Promise<number> {
  const check = createCheck(script);
  let rest = '';
  for await (const piece of (await events(place, run)).setEncoding('utf8')) {
    rest += piece;
    const frames = rest.split('\n\n');
    rest = frames.pop() ?? '';
    for (const frame of frames) {
      const data = /^data: (.*)$/m.exec(frame)?.[1];
      const event = data === undefined ? null : (JSON.parse(data) as { type: string; text: string });
      if (event?.type === 'text.appended') check.add(event.text);
    }
  }
  return check.tokens;
}

async function run(fanOut: FanOut): Promise<{ tokens: number }> {
  const { place, script, readers } = fanOut;
  const thread = await post(place, '/polylogue/v1/threads', {});
  const { id } = await post(place, `/polylogue/v1/threads/${thread.id}/runs`, { text: writePrompt(script) });
  const counts = await Promise.all(Array.from({ length: readers }, () => read(fanOut, id)));
  const short = counts.filter((tokens) => tokens !== script.tokens).length;
  if (short > 0) throw new Error(`${short} of ${readers} readers did not get all ${script.tokens} tokens`);
  return { tokens: readers * script.tokens };
}

process.on('message', (fanOut: FanOut) => {
  run(fanOut).then(
    (result) => process.send?.(result),
    (error: unknown) => process.send?.({ failed: String(error) }),
  );
});
process.once('disconnect', () => process.exit(0));
