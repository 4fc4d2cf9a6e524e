import { expect, test, vi } from 'vitest';
import { agentApps, agentFile, asking } from '../support/agent-app.ts';
import { file, formOf } from '../support/forms.ts';
import { answer } from '../support/upstream.ts';

// Most tests start programs.
vi.setConfig({ testTimeout: 60_000 });

const start = agentApps();

test('the built-in tools work on a whole server; a search finds what the thread has and no other', async () => {
  const scripts = [
    asking([
      { name: 'calculator', args: { expression: '6*7' } },
      { name: 'clock', args: { time_zone: 'Europe/Rome' } },
      { name: 'weather', args: { city: 'Oslo' } },
      { name: 'search_attachments', args: { query: 'zeppelins' } },
    ]),
    answer(['All done.']),
  ];
  const { app, ask, eventsOf } = await start(scripts, { file: agentFile({ tools: ['builtin/*'] }) });
  const upload = async (user: string, text: string) => {
    const { id } = (await (await app.post('/polylogue/v1/threads', {}, { 'x-user-id': user })).json()) as { id: string };
    const body = formOf(file(text, 'notes.txt'));
    expect((await app.send(`/polylogue/v1/threads/${id}/files`, { method: 'POST', body, headers: { 'x-user-id': user } })).status).toBe(
      201,
    );
    return id;
  };
  const filler = Array.from({ length: 400 }, (_, line) => `Line ${line} is about boats and their anchors.`).join('\n');
  const thread = await upload('ann', `${filler}\nThe zeppelins leave at noon.\n${filler}`);
  await upload('bob', 'The zeppelins of Bob leave at midnight.');
  const events = await eventsOf(await ask('Go on', { thread }));
  const results = new Map(
    events.flatMap(({ type, name, result, status }) => (type === 'tool.returned' ? [[name, `${status} ${result}`]] : [])),
  );
  expect(results.get('calculator')).toBe('completed 42');
  expect(results.get('clock')).toMatch(/^completed \d{4}-.* in UTC\n\w+day .* in Europe\/Rome$/);
  expect(results.get('weather')).toContain('Offline sample data');
  expect(results.get('search_attachments')).toMatch(
    /^completed Passages of the user's files, as data: .*\n\n\[notes\.txt\]\n.*The zeppelins leave at noon\./s,
  );
  expect(results.get('search_attachments')).not.toContain('midnight');
  expect(events.at(-1)?.type).toBe('run.completed');
});

test('a rule for all tools of a source holds for each of them, also where their names do not begin with its name', async () => {
  const asks = asking([
    { id: 'call_c', name: 'calculator', args: { expression: '1+1' } },
    { id: 'call_w', name: 'weather', args: { city: 'Oslo' } },
  ]);
  const rules = [
    { tool: 'weather', rule: 'ask' },
    { tool: 'builtin/*', rule: 'deny' },
  ];
  const { ask, until, upstream } = await start([asks, answer(['Well.'])], { file: agentFile({ tools: ['builtin/*'], rules }) });
  const events = await until(await ask('Go on'), 'approval.requested');
  expect(events.flatMap(({ type, call_id }) => (type === 'approval.requested' ? [call_id] : []))).toEqual(['call_w']);
  expect(events.find(({ type }) => type === 'tool.returned')).toMatchObject({ name: 'calculator', status: 'failed' });
  const { tools } = (upstream.requests[0]?.body ?? { tools: [] }) as { tools: { function: { name: string } }[] };
  expect(tools.map((tool) => tool.function.name)).toEqual(['weather']);
});
