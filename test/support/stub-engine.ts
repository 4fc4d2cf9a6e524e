import { AppError } from '../../src/core/errors.ts';
import { DEFAULT_APPLICATION, type MessageId, type RunId, type ThreadId, type ThreadKey } from '../../src/core/ids.ts';
import { DEFAULT_TIER } from '../../src/core/limits.ts';
import type { Message } from '../../src/core/message.ts';
import type { Caller } from '../../src/core/principal.ts';
import type { Run } from '../../src/core/run.ts';
import { logEvent, type RunFact } from '../../src/core/run-event.ts';
import type { Thread } from '../../src/core/thread.ts';
import type { Engine } from '../../src/engine/index.ts';

/** The calls that a test expects; every other one fails. */
export interface ExpectedCalls {
  readonly threads?: Partial<Engine['threads']>;
  readonly runs?: Partial<Engine['runs']>;
  readonly access?: Partial<Engine['access']>;
  readonly agents?: Partial<Engine['agents']>;
  /** Without bound unless the test says otherwise. */
  readonly limits?: Partial<Engine['limits']>;
  readonly readiness?: Engine['readiness'];
}

const models = ['gpt-4', 'gpt-3.5-turbo'].map((name) => ({ name, provider: 'stub', upstream: name, window: 8192, maxOutput: 1024 }));

function unexpected(name: string): () => Promise<never> {
  return () => Promise.reject(new Error(`unexpected call of ${name}`));
}

/** An engine that does only what a test says; it knows the models `gpt-4` and `gpt-3.5-turbo`. */
export function stubEngine(calls: ExpectedCalls): Engine {
  const { threads, runs, access, agents, limits, readiness = async () => ({ ready: true }) } = calls;
  return {
    threads: {
      create: unexpected('threads.create'),
      find: unexpected('threads.find'),
      existsInApplication: unexpected('threads.existsInApplication'),
      ownersOf: unexpected('threads.ownersOf'),
      list: unexpected('threads.list'),
      count: unexpected('threads.count'),
      measure: unexpected('threads.measure'),
      change: unexpected('threads.change'),
      changeTags: unexpected('threads.changeTags'),
      setHead: unexpected('threads.setHead'),
      delete: unexpected('threads.delete'),
      messages: unexpected('threads.messages'),
      message: unexpected('threads.message'),
      lastEvent: unexpected('threads.lastEvent'),
      untilCreated: unexpected('threads.untilCreated'),
      follow: unexpected('threads.follow'),
      ...threads,
    },
    runs: {
      start: unexpected('runs.start'),
      find: unexpected('runs.find'),
      findInApplication: unexpected('runs.findInApplication'),
      active: unexpected('runs.active'),
      liveOf: unexpected('runs.liveOf'),
      cancel: unexpected('runs.cancel'),
      decide: unexpected('runs.decide'),
      follow: unexpected('runs.follow'),
      read: unexpected('runs.read'),
      await: unexpected('runs.await'),
      ...runs,
    },
    prompts: {
      create: unexpected('prompts.create'),
      find: unexpected('prompts.find'),
      list: unexpected('prompts.list'),
      page: unexpected('prompts.page'),
      change: unexpected('prompts.change'),
      delete: unexpected('prompts.delete'),
      versions: unexpected('prompts.versions'),
      version: unexpected('prompts.version'),
      restore: unexpected('prompts.restore'),
      preview: unexpected('prompts.preview'),
    },
    access: {
      createKey: unexpected('access.createKey'),
      listKeys: unexpected('access.listKeys'),
      findKey: unexpected('access.findKey'),
      revokeKey: unexpected('access.revokeKey'),
      createApplication: unexpected('access.createApplication'),
      changeApplication: unexpected('access.changeApplication'),
      listApplications: unexpected('access.listApplications'),
      issueToken: unexpected('access.issueToken'),
      ...access,
    },
    attachments: {
      admit: unexpected('attachments.admit'),
      add: unexpected('attachments.add'),
      list: unexpected('attachments.list'),
      find: unexpected('attachments.find'),
      open: unexpected('attachments.open'),
      text: () => {
        throw new Error('unexpected call of attachments.text');
      },
      delete: unexpected('attachments.delete'),
    },
    limits: { request: async () => null, connect: () => () => undefined, ...limits },
    models: {
      defaultModel: 'gpt-4',
      list: () => models,
      find: (name) => {
        const model = models.find((candidate) => candidate.name === name);
        if (!model) throw new AppError('model_unknown', `There is no model named ${name}`);
        return model;
      },
    },
    agents: {
      graph: 'assistant-graph',
      default: null,
      list: unexpected('agents.list'),
      find: unexpected('agents.find'),
      known: unexpected('agents.known'),
      versions: unexpected('agents.versions'),
      create: unexpected('agents.create'),
      change: unexpected('agents.change'),
      delete: unexpected('agents.delete'),
      ...agents,
    },
    recover: unexpected('recover'),
    readiness,
    drain: unexpected('drain'),
  };
}

/** A `runs.follow` that hands over these facts, one event at a time; the last one also for a cursor at or beyond it. */
export function followOf(facts: readonly RunFact[]): Engine['runs']['follow'] {
  return async ({ runId, after, onEvents }) => {
    const from = Math.min(after, facts.length - 1);
    for (const [index, fact] of facts.entries()) if (index >= from) await onEvents([logEvent(runId, index + 1, fact)]);
  };
}

/** A text fact. */
export function textFact(text: string): RunFact {
  return { type: 'text.appended', message_id: stubRun.answerId, text, at: 0 };
}

const threadId = '01890000-0000-7000-8000-000000000001' as ThreadId;

/** A thread of user `ann` with nothing in it. */
export const stubThread: Thread = {
  key: 'key' as ThreadKey,
  id: threadId,
  number: 4711,
  userNumber: 12,
  applicationNumber: 7,
  userId: 'ann',
  title: null,
  model: 'gpt-4',
  agent: null,
  tags: [],
  archived: false,
  metadata: {},
  headId: null,
  createdAt: 1_700_000_000_000,
  updatedAt: 1_700_000_000_000,
};

/** User `ann` as a door hands her over. */
export const annCalling: Caller = { applicationId: DEFAULT_APPLICATION, userId: 'ann', tier: DEFAULT_TIER, named: true };

/** A running run in `stubThread`. */
export const stubRun: Run = {
  id: '01890000-0000-7000-8000-0000000000aa' as RunId,
  owner: { applicationId: DEFAULT_APPLICATION, userId: 'ann' },
  threadKey: stubThread.key,
  threadId,
  threadNumber: stubThread.number,
  messageId: 'question' as MessageId,
  answerId: 'answer' as MessageId,
  answerSeq: 2,
  status: 'running',
  attempt: 1,
  snapshot: {
    model: 'gpt-4',
    provider: 'demo',
    upstream: 'gpt-4',
    window: 8192,
    maxOutput: 2048,
    agent: null,
    temperature: null,
    maxTokens: null,
    instructions: [],
  },
  usage: null,
  finishReason: null,
  failure: null,
  createdAt: 1_700_000_000_500,
  endedAt: null,
};

/** The last fact of a run that answered this text. */
export function completedWith(text: string): RunFact {
  const parts = text === '' ? [] : [{ type: 'text' as const, text }];
  const message = { id: stubRun.answerId, seq: 2, role: 'assistant', status: 'completed', parts } as const;
  return { type: 'run.completed', message, usage: null, model: 'gpt-4', finish_reason: 'stop' };
}

/** A completed run's last fact, for tests to which its text does not matter. */
export const completedFact = completedWith('');

/** The id of the stored message at that place. */
export function storedId(seq: number): MessageId {
  return `01890000-0000-7000-8000-${String(seq).padStart(12, '0')}` as MessageId;
}

/** A `threads.messages` over one branch, newest first, of messages whose ids are made from their places. */
export function messagesOf(newest: readonly Message[]): Engine['threads']['messages'] {
  return async (_owner, _ref, { branch, limit }) => {
    const from = branch === 'head' ? 0 : newest.findIndex(({ id }) => id === branch);
    return from < 0 ? [] : newest.slice(from, from + limit);
  };
}

/** A stored message of `stubThread`, its id made from its place. */
export function storedMessage(seq: number, role: Message['role'], text: string): Message {
  return {
    id: storedId(seq),
    threadId,
    seq,
    parentId: seq > 1 ? storedId(seq - 1) : null,
    role,
    status: 'completed',
    parts: [{ type: 'text', text }],
    runId: null,
    model: null,
    usage: null,
    createdAt: 0,
  };
}
