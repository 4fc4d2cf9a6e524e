import { describe, expect, it } from 'vitest';
import { serveInTests } from '../../../test/support/dialect-server.ts';
import {
  annCalling,
  completedFact,
  type ExpectedCalls,
  followOf,
  storedId,
  storedMessage,
  stubRun,
  stubThread,
  textFact,
} from '../../../test/support/stub-engine.ts';
import { AppError } from '../../core/errors.ts';
import type { Owner } from '../../core/principal.ts';
import type { Run } from '../../core/run.ts';
import { logEvent, type RunFact } from '../../core/run-event.ts';
import type { CreateThread, StartRun } from '../../engine/index.ts';
import { graph } from './index.ts';

const serve = serveInTests(graph);

const ann: Owner = annCalling;
const bob: Owner = { ...annCalling, userId: 'bob' };
const completed: Run = { ...stubRun, status: 'completed', finishReason: 'stop' };
const nodes = ['classify', 'answer'].map((name): RunFact => ({ type: 'node.entered', name }));
const facts: readonly RunFact[] = [...nodes, textFact('Su'), textFact('varmalı'), completedFact];
const events = facts.map((fact, index) => logEvent(stubRun.id, index + 1, fact));
const bearer = (credential: string) => ({ authorization: `Bearer ${credential}` });

/** An engine whose runs end as `ended`; `starts` collects what was asked of it. */
function answering(ended: Run = completed, starts: StartRun[] = [], replayed = false): ExpectedCalls {
  return {
    runs: {
      start: async (input) => {
        starts.push(input);
        return { run: stubRun, thread: stubThread, replayed, rate: null };
      },
      await: async () => ({ run: ended, message: storedMessage(2, 'assistant', 'Suvarmalı') }),
      read: async ({ after }) => ({ events: events.slice(after, after + 1), ended: after === 4 }),
      follow: followOf(facts),
    },
  };
}

describe('credentials', () => {
  it('are asked for before the body is looked at', async () => {
    const { send, post } = await serve();
    for (const path of ['/api/v1/graph/invoke', '/api/v1/graph/stream', '/api/v1/threads', '/api/v1/graph/threads']) {
      const missing = await post(path, [], { authorization: '' });
      expect([missing.status, missing.headers.get('www-authenticate'), await missing.json()]).toEqual([
        401,
        'ApiKey',
        { detail: 'Missing API Key' },
      ]);
      const wrong = await post(path, [], { authorization: '', 'x-api-key': 'wrong' });
      expect([wrong.status, await wrong.json()]).toEqual([403, { detail: 'Invalid API Key' }]);
    }
    expect((await send('/api/v1/graph/health', { headers: { authorization: '' } })).status).toBe(401);
  });

  it('say for whom a message is', async () => {
    const starts: StartRun[] = [];
    const { post } = await serve(answering(completed, starts));
    const ask = async (credential: string, user_id?: string | null) =>
      (await post('/api/v1/graph/invoke', { message: 'Hi', user_id }, bearer(credential))).status;
    expect([await ask('plg_server', 'x'), await ask('plg_server'), await ask('plg_server', null)]).toEqual([200, 200, 200]);
    expect([await ask('plg_browser'), await ask('jwt-ann'), await ask('jwt-ann', 'ann')]).toEqual([200, 200, 200]);
    expect(starts.map(({ owner }) => owner.userId)).toEqual(['x', 'anonymous', 'anonymous', 'service', 'ann', 'ann']);
    expect([await ask('jwt-ann', 'bob'), await ask('plg_browser', 'bob')]).toEqual([403, 403]);
  });
});

describe('POST /api/v1/graph/invoke', () => {
  it('gives the whole answer and the nodes that it went through', async () => {
    const starts: StartRun[] = [];
    const { post } = await serve(answering(completed, starts));
    const body = { message: 'Fermada susuzluq var, nə edim?', user_id: 'ann', thread_id: stubThread.id.toUpperCase(), extra: 1 };
    const response = await post('/api/v1/graph/invoke', body);
    expect([response.status, response.headers.get('x-thread-id'), response.headers.get('x-run-id')]).toEqual([
      200,
      stubThread.id,
      stubRun.id,
    ]);
    expect(await response.json()).toEqual({
      response: 'Suvarmalı',
      thread_id: stubThread.id,
      model: 'gpt-4',
      metadata: { nodes_visited: ['classify', 'answer'], intent: 'answer' },
    });
    expect(starts).toEqual([
      {
        owner: ann,
        thread: { create: { id: stubThread.id, agent: 'assistant-graph' } },
        ask: { kind: 'append', messages: [{ role: 'user', parts: [{ type: 'text', text: body.message }] }] },
        agent: 'assistant-graph',
        instructions: [],
        repeat: null,
      },
    ]);
  });

  it('passes language and context on as instructions, the agent as named', async () => {
    const starts: StartRun[] = [];
    const { post } = await serve(answering(completed, starts));
    const ask = (more: object) => post('/api/v1/graph/invoke', { message: 'Hi', ...more });
    await ask({ language: 'Azerbaijani', scenario_context: { crop: 'wheat' }, agent: 'other' });
    await ask({ scenario_context: 'A farm.', language: null, agent: null, thread_id: null });
    expect(starts.map(({ agent, thread }) => [agent, thread])).toEqual([
      ['other', { create: { agent: 'other' } }],
      ['assistant-graph', { create: { agent: 'assistant-graph' } }],
    ]);
    expect(starts[0]?.instructions).toEqual(['Answer in Azerbaijani.', expect.stringContaining('<context>\n{"crop":"wheat"}\n</context>')]);
    expect(starts[1]?.instructions).toEqual([expect.stringContaining('<context>\nA farm.\n</context>')]);
  });

  it.each([
    ['failed', 502, 'Graph execution failed: The model is asleep'],
    ['cancelled', 409, 'The answer was cancelled.'],
  ] as const)('says when the run %s', async (status, code, detail) => {
    const failure = { code: 'x', detail: 'The model is asleep', retryable: false };
    const { post } = await serve(answering({ ...stubRun, status, failure }));
    const response = await post('/api/v1/graph/invoke', { message: 'Hi' });
    expect([response.status, await response.json(), response.headers.get('x-run-id')]).toEqual([code, { detail }, stubRun.id]);
  });

  it('names the run that takes too long', async () => {
    const late = async () => Promise.reject(new AppError('run_timeout', 'late'));
    const { post } = await serve({ ...answering(), runs: { ...answering().runs, await: late } });
    const response = await post('/api/v1/graph/invoke', { message: 'Hi' });
    expect([response.status, JSON.stringify(await response.json())]).toEqual([504, expect.stringContaining(stubRun.id)]);
  });

  it.each([
    ['no object', [], [{ type: 'body_not_object', loc: ['body'], msg: 'The body must be a JSON object.' }]],
    ['no message', { user_id: 'x' }, [{ type: 'required', loc: ['body', 'message'], msg: 'is required', input: { user_id: 'x' } }]],
    ['an empty one', { message: '' }, [{ type: 'minLength', loc: ['body', 'message'], input: '' }]],
    ['a thread that is no UUID', { message: 'x', thread_id: 'optional-uuid' }, [{ type: 'uuid', input: 'optional-uuid' }]],
    ['a list as context', { message: 'x', scenario_context: [] }, [{ type: 'type', loc: ['body', 'scenario_context'] }]],
    ['a huge context', { message: 'x', scenario_context: 'x'.repeat(16_383) }, [{ type: 'too_long', input: 'x'.repeat(200) }]],
    ['two mistakes', { message: 5, user_id: '' }, [{ type: 'type', input: 5 }, { type: 'minLength' }]],
  ])('refuses %s', async (_name, body, detail) => {
    const { post } = await serve();
    const response = await post('/api/v1/graph/invoke', body);
    expect([response.status, await response.json()]).toMatchObject([422, { detail }]);
  });

  it('refuses an agent that nobody has', async () => {
    const start = async () => Promise.reject(new AppError('agent_unknown', 'There is no agent named x'));
    const { post } = await serve({ runs: { start } });
    const response = await post('/api/v1/graph/invoke', { message: 'Hi', agent: 'x' });
    const detail = [{ type: 'agent_unknown', loc: ['body', 'agent'], msg: 'There is no agent named x', input: 'x' }];
    expect([response.status, await response.json()]).toEqual([422, { detail }]);
  });
});

describe('POST /api/v1/graph/stream', () => {
  const whole = [
    'id: 1\nevent: node\ndata: classify\n\n',
    'id: 2\nevent: node\ndata: answer\n\n',
    'id: 3\nevent: token\ndata: Su\n\n',
    'id: 4\nevent: token\ndata: varmalı\n\n',
    'id: 5\nevent: done\ndata: [DONE]\n\n',
  ];

  it('streams nodes and tokens', async () => {
    const { post } = await serve(answering());
    const response = await post('/api/v1/graph/stream', { message: 'Hi' });
    expect([response.status, response.headers.get('content-type')]).toEqual([200, 'text/event-stream; charset=utf-8']);
    expect(response.headers.get('x-run-id')).toBe(stubRun.id);
    expect(await response.text()).toBe(whole.join(''));
  });

  it('goes on behind the last event of a repeated call, and only of a repeated one', async () => {
    const headers = { 'idempotency-key': 'k', 'last-event-id': '2' };
    const first = await serve(answering());
    expect(await (await first.post('/api/v1/graph/stream', { message: 'Hi' }, headers)).text()).toBe(whole.join(''));
    await first.close();
    const again = await serve(answering(completed, [], true));
    const response = await again.post('/api/v1/graph/stream', { message: 'Hi' }, headers);
    expect(response.headers.get('idempotent-replayed')).toBe('true');
    expect(await response.text()).toBe(whole.slice(2).join(''));
    const malformed = await again.post('/api/v1/graph/stream', { message: 'Hi' }, { 'last-event-id': 'x' });
    expect([malformed.status, Object.keys((await malformed.json()) as object)]).toEqual([400, ['detail']]);
  });
});

describe.each(['/api/v1/threads', '/api/v1/graph/threads'])('%s', (base) => {
  const named = `${base}/${stubThread.id}`;

  it('makes a thread with metadata', async () => {
    const made: CreateThread[] = [];
    const create = async (input: CreateThread) => {
      made.push(input);
      return { thread: { ...stubThread, metadata: input.metadata ?? {} }, replayed: false };
    };
    const { post, send } = await serve({ threads: { create } });
    const response = await post(base, { user_id: 'ann', metadata: { farm: 7 } });
    expect([response.status, await response.json()]).toEqual([200, { thread_id: stubThread.id, metadata: { farm: 7 } }]);
    expect((await send(base, { method: 'POST' })).status).toBe(200);
    expect(made.map(({ owner, metadata }) => [owner.userId, metadata])).toEqual([
      ['ann', { farm: 7 }],
      ['anonymous', {}],
    ]);
    expect((await post(base, { metadata: { x: 'x'.repeat(16_384) } })).status).toBe(422);
  });

  it('shows a thread with its history, oldest first', async () => {
    const { send } = await serve({
      threads: {
        find: async () => ({ ...stubThread, metadata: { farm: 7 } }),
        messages: async () => [storedMessage(2, 'assistant', 'Hello'), storedMessage(1, 'user', 'Hi')],
      },
    });
    const created_at = '1970-01-01T00:00:00.000Z';
    expect(await (await send(named, { headers: bearer('jwt-ann') })).json()).toEqual({
      thread_id: stubThread.id,
      metadata: { farm: 7 },
      history: [
        { id: storedId(1), role: 'user', content: 'Hi', created_at },
        { id: storedId(2), role: 'assistant', content: 'Hello', created_at },
      ],
    });
  });

  it('deletes a thread', async () => {
    const deleted: unknown[] = [];
    const { send } = await serve({ threads: { delete: async (owner, ref) => void deleted.push(owner, ref) } });
    const response = await send(`${named}?user_id=bob`, { method: 'DELETE' });
    expect([response.status, await response.json()]).toEqual([200, { deleted: true, success: true, thread_id: stubThread.id }]);
    expect(deleted).toEqual([bob, { id: stubThread.id }]);
  });

  it('finds the owner for a key that names nobody, when there is only one', async () => {
    const asked: Owner[] = [];
    const show = async (owners: readonly Owner[], query = '', headers = {}) => {
      const { send, close } = await serve({
        threads: {
          ownersOf: async () => owners,
          find: async (owner) => {
            asked.push(owner);
            return stubThread;
          },
          messages: async () => [],
        },
      });
      const { status } = await send(named + query, { headers });
      await close();
      return status;
    };
    expect([await show([bob]), await show([]), await show([ann, bob])]).toEqual([200, 404, 409]);
    expect([await show([ann, bob], '?user_id=ann'), await show([bob], '', bearer('jwt-ann'))]).toEqual([200, 200]);
    expect([await show([], '?user_id=bob', bearer('jwt-ann')), await show([], '?user_id=a&user_id=b')]).toEqual([403, 422]);
    expect(asked).toEqual([bob, ann, ann]);
  });

  it('answers what is no id like what does not exist', async () => {
    const { send } = await serve({ threads: { ownersOf: async () => [] } });
    const answers = await Promise.all([`${base}/x`, named].map((path) => send(path)));
    const bodies = await Promise.all(answers.map((answer) => answer.json()));
    expect(bodies).toEqual([{ detail: 'Thread not found' }, { detail: 'Thread not found' }]);
    expect(answers.map(({ status }) => status)).toEqual([404, 404]);
  });
});

describe('GET /api/v1/graph/health', () => {
  it('names graph, provider and model', async () => {
    const { send } = await serve();
    const response = await send('/api/v1/graph/health');
    expect([response.status, await response.json()]).toEqual([
      200,
      { healthy: true, status: 'ok', graph_id: 'assistant-graph', provider: 'stub', model: 'gpt-4' },
    ]);
  });

  it('says why the server takes no work', async () => {
    const readiness = async () => ({ ready: false, reason: 'The store does not answer' }) as const;
    const { send } = await serve({ readiness });
    const response = await send('/api/v1/graph/health');
    expect([response.status, response.headers.get('retry-after')]).toEqual([503, '5']);
    expect(await response.json()).toMatchObject({ healthy: false, status: 'The store does not answer' });
  });
});
