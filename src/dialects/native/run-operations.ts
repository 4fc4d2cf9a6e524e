import { messageNotFound } from '../../core/refusals.ts';
import { queueFull } from '../../engine/index.ts';
import type { Operation } from '../../http/docs/operation.ts';
import { sampleAnswer, sampleEvents, sampleQuestion, sampleRun, sampleStream } from '../../http/docs/samples.ts';
import { flag, list, object, text } from '../../http/docs/schema.ts';
import { NOBODY } from '../../http/docs/typical-failures.ts';
import { runCancelled } from '../../http/run-answer.ts';
import {
  actingUser,
  after,
  answeredRun,
  lastEventId,
  refusedPosition,
  refusedQuery,
  runEvent,
  runId,
  runView,
  threadId,
} from './operation-parts.ts';
import { nativeStream, toMessageView, toRunView } from './translate.ts';
import { readAsk } from './wire.ts';

const queued = { ...sampleRun, status: 'running', usage: null, finishReason: null, endedAt: null } as const;
const ofNewRun = { run_id: '$response.body#/id' };
const RUN_HEADERS = ['X-Thread-Id', 'X-Run-Id'] as const;
const shown = { status: 200, headers: RUN_HEADERS, json: { schema: runView, example: toRunView(sampleRun) } } as const;
const bothForms = { text: 'Hello', regenerate: sampleQuestion.id };

const startRun: Operation = {
  id: 'startRun',
  summary: 'Store a message, or name one, and start the run that answers it',
  description:
    'Exactly one of `text`, `message` and `regenerate`. A message that comes while a run is under way waits for it. The answer is read from ' +
    '`/runs/{run_id}/events`.',
  parameters: [
    actingUser,
    threadId,
    {
      name: 'Prefer',
      in: 'header',
      description: '`respond-sync` waits up to two minutes for the answer (RFC 7240).',
      schema: { type: 'string', enum: ['respond-sync'] },
    },
  ],
  body: {
    examples: {
      text: { text: 'Hello' },
      parts: { message: { parts: [{ type: 'text', text: 'Hello' }] }, temperature: 0.2, max_tokens: 500 },
    },
  },
  repeatable: true,
  needs: { operation: 'createThread', parameters: { thread_id: '$response.body#/id' } },
  answers: [
    {
      status: 202,
      description: 'The run, which goes on whoever reads it.',
      headers: [...RUN_HEADERS, 'Location'],
      json: { schema: runView, example: toRunView(queued) },
    },
    {
      status: 200,
      description: 'With `Prefer: respond-sync`: the run and its answer.',
      headers: [...RUN_HEADERS, 'Preference-Applied'],
      json: { schema: answeredRun, example: { ...toRunView(sampleRun), answer: toMessageView(sampleAnswer) } },
    },
  ],
  errors: ['thread_not_found', 'model_unknown', 'agent_unknown', 'run_limit', 'run_failed', 'run_timeout'],
  refused: [
    { request: { body: { txt: 'Hello' } } },
    { request: { body: { text: 5 } } },
    { request: { body: bothForms }, fail: () => readAsk(bothForms) },
    { request: { fields: { parent_id: NOBODY } }, fail: messageNotFound },
    { given: 'fullQueue', request: { path: { thread_id: '{thread_id}' } }, fail: () => queueFull(20) },
    {
      given: 'cancelled',
      request: { headers: { prefer: 'respond-sync' }, fields: { text: '/long 2000' } },
      fail: () => runCancelled(sampleRun.id),
    },
  ],
};

const showRun: Operation = {
  id: 'showRun',
  summary: 'The state of a run',
  parameters: [actingUser, runId],
  needs: { operation: 'startRun', parameters: ofNewRun },
  answers: [{ ...shown, description: 'The run.' }],
  errors: ['run_not_found'],
};

const cancelRun: Operation = {
  id: 'cancelRun',
  summary: 'End a run; what it has said so far stays. Twice does no harm',
  parameters: [actingUser, runId],
  needs: { operation: 'startRun', parameters: ofNewRun },
  answers: [{ ...shown, description: 'The run as it ended.' }],
  errors: ['run_not_found'],
};

const followRun: Operation = {
  id: 'followRun',
  summary: "A run's log from its start or behind an event, then what comes, up to its end",
  description: 'The last event is `run.completed`, `run.failed` or `run.cancelled`. A stream that broke is resumed with Last-Event-ID.',
  parameters: [
    actingUser,
    runId,
    lastEventId,
    after,
    { name: 'wait', in: 'query', description: '`false`: what stands there now, as JSON.', schema: { ...flag, default: true } },
  ],
  needs: { operation: 'startRun', parameters: ofNewRun },
  answers: [
    {
      status: 200,
      description: 'Server-sent events, or with `wait=false` JSON.',
      headers: RUN_HEADERS,
      stream: { contentType: 'text/event-stream', example: sampleStream(nativeStream), data: runEvent },
      json: {
        schema: object({ data: list(runEvent), ended: flag }),
        example: { data: sampleEvents, ended: true },
      },
    },
  ],
  errors: ['run_not_found', 'too_many_readers', 'too_many_connections'],
  refused: [refusedPosition, refusedQuery({ wait: 'no' }, (reader) => reader.flag('wait'))],
};

const decide: Operation = {
  id: 'decide',
  summary: 'Allow or refuse a call that a run waits for, perhaps with other arguments',
  description:
    'The run goes on as soon as nothing is left to decide. The same decision once more does no harm; another one, or one that comes too late, ' +
    'is 409. `arguments` is what the call is made with instead: an object, or words where a graph has asked for some.',
  parameters: [
    actingUser,
    runId,
    { name: 'call_id', in: 'path', description: 'As `approval.requested` named it.', schema: text, example: 'call_1' },
  ],
  body: {
    examples: {
      approve: { decision: 'approve' },
      changed: { decision: 'approve', arguments: { city: 'Rome' } },
      deny: { decision: 'deny' },
    },
  },
  needs: { operation: 'startRun', parameters: ofNewRun },
  answers: [{ ...shown, description: 'The run, which goes on or still waits for something else.' }],
  errors: ['run_not_found', 'approval_not_found', 'state_conflict'],
  refused: [{ request: { body: { decision: 'maybe' } } }, { request: { body: { decision: 'approve', because: 'I say so' } } }],
};

/** What the routes of runs do. */
export const runOperations: Readonly<Record<string, Operation>> = {
  'POST /threads/:thread_id/runs': startRun,
  'GET /runs/:run_id': showRun,
  'POST /runs/:run_id/cancel': cancelRun,
  'GET /runs/:run_id/events': followRun,
  'POST /runs/:run_id/approvals/:call_id': decide,
};
