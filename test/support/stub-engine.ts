import { AppError } from '../../src/core/errors.ts';
import { DEFAULT_APPLICATION, type MessageId, type RunId, type ThreadId, type ThreadKey } from '../../src/core/ids.ts';
import type { Message } from '../../src/core/message.ts';
import type { Run } from '../../src/core/run.ts';
import { logEvent, type RunFact } from '../../src/core/run-event.ts';
import type { Thread } from '../../src/core/thread.ts';
import type { Engine } from '../../src/engine/index.ts';

/** The calls that a test expects; every other one fails. */
export interface ExpectedCalls {
  readonly threads?: Partial<Engine['threads']>;
  readonly runs?: Partial<Engine['runs']>;
}

const models = ['gpt-4', 'gpt-3.5-turbo'].map((name) => ({ name, provider: 'stub', upstream: name, window: 8192, maxOutput: 1024 }));

function unexpected(name: string): () => Promise<never> {
  return () => Promise.reject(new Error(`unexpected call of ${name}`));
}

/** An engine that does only what a test says; it knows the models `gpt-4` and `gpt-3.5-turbo`. */
export function stubEngine({ threads, runs }: ExpectedCalls): Engine {
  return {
    threads: {
      create: unexpected('threads.create'),
      find: unexpected('threads.find'),
      existsInApplication: unexpected('threads.existsInApplication'),
      list: unexpected('threads.list'),
      change: unexpected('threads.change'),
      setHead: unexpected('threads.setHead'),
      delete: unexpected('threads.delete'),
      messages: unexpected('threads.messages'),
      message: unexpected('threads.message'),
      lastEvent: unexpected('threads.lastEvent'),
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
      follow: unexpected('runs.follow'),
      read: unexpected('runs.read'),
      await: unexpected('runs.await'),
      ...runs,
    },
    models: {
      defaultModel: 'gpt-4',
      list: () => models,
      find: (name) => {
        const model = models.find((candidate) => candidate.name === name);
        if (!model) throw new AppError('model_unknown', `There is no model named ${name}`);
        return model;
      },
    },
    agents: [{ name: 'assistant-graph', description: 'A stub.', nodes: ['classify', 'answer'] }],
    recover: unexpected('recover'),
    readiness: async () => ({ ready: true }),
    drain: unexpected('drain'),
  };
}

/** A `runs.follow` that hands over these facts, one event at a time. */
export function followOf(facts: readonly RunFact[]): Engine['runs']['follow'] {
  return async ({ runId, after, onEvents }) => {
    for (const [index, fact] of facts.entries()) if (index + 1 > after) await onEvents([logEvent(runId, index + 1, fact)]);
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
  snapshot: { model: 'gpt-4', agent: null, temperature: null, maxTokens: null, instructions: [] },
  usage: null,
  finishReason: null,
  failure: null,
  createdAt: 1_700_000_000_500,
  endedAt: null,
};

/** A completed run's last fact. */
export const completedFact: RunFact = {
  type: 'run.completed',
  message: { id: stubRun.answerId, seq: 2, role: 'assistant', status: 'completed', parts: [] },
  usage: null,
  model: 'gpt-4',
  finish_reason: 'stop',
};

/** A stored message of `stubThread`, its id made from its place. */
export function storedMessage(seq: number, role: Message['role'], text: string): Message {
  return {
    id: `message-${seq}` as MessageId,
    threadId,
    seq,
    parentId: null,
    role,
    status: 'completed',
    parts: [{ type: 'text', text }],
    runId: null,
    model: null,
    usage: null,
    createdAt: 0,
  };
}
