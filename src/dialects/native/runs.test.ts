import { createParser, type EventSourceMessage } from 'eventsource-parser';
import { describe, expect, it } from 'vitest';
import { serveInTests } from '../../../test/support/dialect-server.ts';
import { annCalling, completedFact, followOf, storedMessage, stubRun, stubThread, textFact } from '../../../test/support/stub-engine.ts';
import { AppError } from '../../core/errors.ts';
import type { Run } from '../../core/run.ts';
import { logEvent } from '../../core/run-event.ts';
import type { Engine, StartRun } from '../../engine/index.ts';
import { native } from './index.ts';

const base = '/polylogue/v1';
const threadPath = `${base}/threads/${stubThread.id}`;
const runPath = `${base}/runs/${stubRun.id}`;
const owner = { ...annCalling, userId: 'service', named: false };
const questionId = '01890000-0000-7000-8000-00000000000b';

const serve = serveInTests(native);

function eventsOf(body: string): EventSourceMessage[] {
  const events: EventSourceMessage[] = [];
  createParser({ onEvent: (event) => events.push(event) }).feed(body);
  return events;
}

const runView = {
  id: stubRun.id,
  thread_id: stubThread.id,
  message_id: 'question',
  answer_id: 'answer',
  status: 'running',
  model: 'gpt-4',
  agent: null,
  agent_version: null,
  usage: null,
  finish_reason: null,
  attempt: 1,
  created_at: '2023-11-14T22:13:20.500Z',
  ended_at: null,
};

describe('starting a run', () => {
  it('hands message, settings and place over', async () => {
    const starts: StartRun[] = [];
    const start = async (input: StartRun) => {
      starts.push(input);
      return { run: stubRun, thread: stubThread, replayed: false, rate: null };
    };
    const { post } = await serve({ runs: { start } });
    const response = await post(`${threadPath}/runs`, { text: 'Hi' });
    expect(response.status).toBe(202);
    expect(Object.fromEntries(response.headers)).toMatchObject({ location: runPath, 'x-run-id': stubRun.id, 'x-thread-id': stubThread.id });
    expect(await response.json()).toEqual(runView);
    const parts = [
      { type: 'text', text: 'a' },
      { type: 'text', text: 'b' },
    ];
    await post(`${threadPath}/runs`, { message: { parts }, parent_id: questionId, model: 'gpt-4', temperature: 0.5, max_tokens: 9 });
    await post(`${threadPath}/runs`, { text: 'Hi', parent_id: null });
    await post(`${threadPath}/runs`, { regenerate: questionId });
    const common = { owner, thread: { id: stubThread.id }, repeat: null, model: null, agent: null, temperature: null, maxTokens: null };
    const hi = [{ role: 'user', parts: [{ type: 'text', text: 'Hi' }] }];
    expect(starts).toEqual([
      { ...common, ask: { kind: 'append', messages: hi } },
      {
        ...common,
        model: 'gpt-4',
        temperature: 0.5,
        maxTokens: 9,
        ask: { kind: 'append', messages: [{ role: 'user', parts }], parent: questionId },
      },
      { ...common, ask: { kind: 'append', messages: hi, parent: null } },
      { ...common, ask: { kind: 'again', message: questionId } },
    ]);
  });

  it.each([
    {},
    { text: '' },
    { text: 'a', regenerate: questionId },
    { text: 'a', message: { parts: [{ type: 'text', text: 'a' }] } },
    { regenerate: questionId, parent_id: questionId },
    { message: { parts: [] } },
    { message: { parts: [{ type: 'text', text: '' }] } },
    { message: { parts: [{ type: 'image', text: 'a' }] } },
    { message: { role: 'system', parts: [{ type: 'text', text: 'a' }] } },
    { message: { parts: Array.from({ length: 51 }, () => ({ type: 'text', text: 'a' })) } },
    { message: { parts: Array.from({ length: 3 }, () => ({ type: 'text', text: 'a'.repeat(100_000) })) } },
    { text: 'a', temperature: '0.7' },
    { text: 'a', temperature: 3 },
    { text: 'a', max_tokens: 0 },
    { text: 'a', max_tokens: 1.5 },
    { text: 'a', model: 5 },
    { text: 'a', extra: 1 },
  ])('is refused as %j', async (body) => {
    const { post } = await serve();
    expect(await (await post(`${threadPath}/runs`, body)).json()).toMatchObject({ status: 422, code: 'validation_failed' });
  });

  const ended = (changes: Partial<Run>) => ({
    start: async () => ({ run: stubRun, thread: stubThread, replayed: false, rate: null }),
    await: async () => ({ run: { ...stubRun, endedAt: 1_700_000_001_000, ...changes }, message: storedMessage(2, 'assistant', 'Hello') }),
  });
  const sync = { prefer: 'foo, Respond-Sync; wait=9' };

  it('waits for the answer if asked to', async () => {
    const { post } = await serve({ runs: ended({ status: 'completed' }) });
    const response = await post(`${threadPath}/runs`, { text: 'Hi' }, sync);
    expect([response.status, response.headers.get('preference-applied')]).toEqual([200, 'respond-sync']);
    expect(await response.json()).toMatchObject({
      status: 'completed',
      ended_at: '2023-11-14T22:13:21.000Z',
      answer: { parts: [{ text: 'Hello' }] },
    });
  });

  it.each([
    [
      ended({ status: 'failed', failure: { code: 'upstream_timeout', detail: 'The model took too long', retryable: true } }),
      502,
      'run_failed',
    ],
    [ended({ status: 'cancelled' }), 409, 'run_cancelled'],
    [{ ...ended({}), await: () => Promise.reject(new AppError('run_timeout', 'Still running')) }, 504, 'run_timeout'],
  ])('says why there is no answer: %#', async (...[runs, status, code]) => {
    const { post } = await serve({ runs });
    const response = await post(`${threadPath}/runs`, { text: 'Hi' }, sync);
    expect(response.headers.get('x-run-id')).toBe(stubRun.id);
    expect(await response.json()).toMatchObject({ status, code });
  });
});

describe('a run', () => {
  it('is shown and cancelled', async () => {
    const failure = { code: 'upstream_timeout', detail: 'Too long', retryable: true };
    const { send } = await serve({
      runs: { find: async () => ({ ...stubRun, status: 'failed', failure }), cancel: async () => ({ ...stubRun, status: 'cancelled' }) },
    });
    expect(await (await send(runPath)).json()).toEqual({ ...runView, status: 'failed', error: failure });
    const cancelled = await send(`${runPath}/cancel`, { method: 'POST' });
    expect(await cancelled.json()).toEqual({ ...runView, status: 'cancelled' });
    expect(cancelled.headers.get('x-run-id')).toBe(stubRun.id);
    expect((await send(`${base}/runs/x`)).status).toBe(404);
  });

  const facts = [textFact('Hel'), textFact('lo\n\u2028'), completedFact];
  const following = { runs: { find: async () => stubRun, follow: followOf(facts) } };

  it('shows its log as events', async () => {
    const { send } = await serve(following);
    const response = await send(`${runPath}/events`);
    expect(response.headers.get('content-type')).toBe('text/event-stream');
    expect(response.headers.get('x-thread-id')).toBe(stubThread.id);
    const events = eventsOf(await response.text());
    expect(events.map(({ id, event }) => [id, event])).toEqual([
      ['1', 'text.appended'],
      ['2', 'text.appended'],
      ['3', 'run.completed'],
    ]);
    expect(JSON.parse(events[1]?.data ?? '')).toEqual({
      type: 'text.appended',
      run_id: stubRun.id,
      offset: 2,
      message_id: 'answer',
      text: 'lo\n\u2028',
      at: 0,
    });
  });

  it.each([
    ['?after=1', {}, ['2', '3']],
    ['?after=1', { 'last-event-id': '2' }, ['3']],
    ['', { 'last-event-id': '2.1' }, ['2', '3']],
    ['?after=0', {}, ['1', '2', '3']],
    ['?after=3', {}, ['3']],
    ['?after=99', {}, ['3']],
  ])('resumes behind %s %j', async (...[query, headers, ids]) => {
    const { send } = await serve(following);
    const events = eventsOf(await (await send(`${runPath}/events${query}`, { headers })).text());
    expect(events.map(({ id }) => id)).toEqual(ids);
  });

  it.each(['-1', '1e3', '01', '1.0', 'x', '', '99999999999999999999', '1,2'])('does not resume behind %j', async (id) => {
    const { send } = await serve(following);
    expect(await (await send(`${runPath}/events?after=${id}`)).json()).toMatchObject({ status: 400, code: 'cursor_invalid' });
    const byHeader = await send(`${runPath}/events`, { headers: { 'last-event-id': id } });
    expect(await byHeader.json()).toMatchObject({ status: 400, code: 'cursor_invalid' });
  });

  it.each([
    [facts.slice(0, 1), false],
    [facts, true],
  ])('tells what stands in its log as JSON without waiting', async (...[stored, ended]) => {
    const read: Engine['runs']['read'] = async ({ runId, after }) => ({
      events: stored.map((fact, index) => logEvent(runId, after + index + 1, fact)),
      ended,
    });
    const { send } = await serve({ runs: { find: async () => stubRun, read } });
    const answer = (await (await send(`${runPath}/events?wait=false&after=1`)).json()) as { data: { offset: number }[]; ended: boolean };
    expect(answer.ended).toBe(ended);
    expect(answer.data.map(({ offset }) => offset)).toEqual(stored.map((_, index) => index + 2));
  });
});

describe('models', () => {
  it('are listed with the default', async () => {
    const { send } = await serve();
    expect(await (await send(`${base}/models`)).json()).toEqual({
      data: [
        { name: 'gpt-4', provider: 'stub', window: 8192, max_output: 1024, default: true },
        { name: 'gpt-3.5-turbo', provider: 'stub', window: 8192, max_output: 1024, default: false },
      ],
      default: 'gpt-4',
    });
  });
});
