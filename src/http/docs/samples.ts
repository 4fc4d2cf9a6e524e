import type { Attachment } from '../../core/attachment.ts';
import type { AttachmentId, ContentId, MessageId, PromptId, RunId, ThreadId, ThreadKey } from '../../core/ids.ts';
import { DEFAULT_APPLICATION } from '../../core/ids.ts';
import type { Message } from '../../core/message.ts';
import type { Prompt } from '../../core/prompt.ts';
import type { Run } from '../../core/run.ts';
import { logEvent, type RunEvent, type RunFact } from '../../core/run-event.ts';
import type { Thread } from '../../core/thread.ts';
import type { Preview } from '../../engine/index.ts';
import { frameId, serializeFrame } from '../sse.ts';
import type { StreamSample } from './operation.ts';

const THREAD = '019a9e2f-1b5c-7c3a-9d4e-2f60718293a4' as ThreadId;
export const SAMPLE_RUN_ID = '019a9e2f-1b77-7f10-8a21-304152637485' as RunId;
const QUESTION = '019a9e2f-1b76-7aa0-b1c2-d3e4f5061728' as MessageId;
const ANSWER = '019a9e2f-1b78-7bb1-a2b3-c4d5e6f70819' as MessageId;
const CREATED = Date.UTC(2026, 10, 20, 9, 30);
const PARTS = [{ type: 'text', text: 'Hello! How can I help?' }] as const;
const USAGE = { input_tokens: 9, output_tokens: 7 };

/** A thread of one question and its answer, for examples. */
export const sampleThread: Thread = {
  key: 'never shown' as ThreadKey,
  id: THREAD,
  number: 5_231_907_448_120_331,
  userNumber: 1_734_820_551_907,
  applicationNumber: 8_410_273_660_125,
  userId: 'user123',
  title: 'Hello',
  model: 'gpt-4',
  agent: null,
  tags: ['support'],
  archived: false,
  metadata: { plan: 'pro' },
  headId: ANSWER,
  createdAt: CREATED,
  updatedAt: CREATED + 900,
};

/** The thread as it is just after it was made. */
export const sampleNewThread: Thread = { ...sampleThread, title: null, tags: [], metadata: {}, headId: null, updatedAt: CREATED };

/** The sample thread's question. */
export const sampleQuestion: Message = {
  id: QUESTION,
  threadId: THREAD,
  seq: 1,
  parentId: null,
  role: 'user',
  status: 'completed',
  parts: [{ type: 'text', text: 'Hello' }],
  runId: SAMPLE_RUN_ID,
  model: null,
  usage: null,
  createdAt: CREATED + 100,
};

/** The sample thread's answer. */
export const sampleAnswer: Message = {
  ...sampleQuestion,
  id: ANSWER,
  seq: 2,
  parentId: QUESTION,
  role: 'assistant',
  parts: PARTS,
  model: 'gpt-4',
  usage: USAGE,
  createdAt: CREATED + 900,
};

/** The run that gave the answer. */
export const sampleRun: Run = {
  id: SAMPLE_RUN_ID,
  owner: { applicationId: DEFAULT_APPLICATION, userId: 'user123' },
  threadKey: sampleThread.key,
  threadId: THREAD,
  threadNumber: sampleThread.number,
  messageId: QUESTION,
  answerId: ANSWER,
  answerSeq: 2,
  status: 'completed',
  attempt: 1,
  snapshot: {
    model: 'gpt-4',
    provider: 'openai',
    upstream: 'gpt-4',
    window: 8_192,
    maxOutput: 4_096,
    agent: null,
    temperature: null,
    maxTokens: null,
    instructions: [],
  },
  usage: USAGE,
  finishReason: 'stop',
  failure: null,
  createdAt: CREATED + 100,
  endedAt: CREATED + 900,
};

/** A file in the sample thread. */
export const sampleFile: Attachment = {
  id: '019a9e2f-1b7a-7e13-8d22-6b7c8d9e0f1a' as AttachmentId,
  number: 6_203_841_957_330_118,
  threadId: THREAD,
  threadNumber: 5_231_907_448_120_331,
  name: 'document.pdf',
  size: 1024,
  type: 'pdf',
  digest: '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08',
  contentId: 'never shown' as ContentId,
  pageCount: 1,
  characters: 16,
  truncated: false,
  createdAt: CREATED,
};

/** A prompt as it is just after it was made. */
export const samplePrompt: Prompt = {
  id: '019a9e2f-1b79-7d02-9c11-5a6b7c8d9e0f' as PromptId,
  number: 7_314_950_262_118_403,
  title: 'Text Summarizer',
  content: 'Summarize the following text: {text}',
  scenario: 'summarization',
  description: 'Generates concise summaries',
  metadata: { tags: ['summary', 'concise'] },
  isTemplate: false,
  version: 1,
  usageCount: 0,
  createdAt: CREATED,
  updatedAt: CREATED,
};

/** What a model answered to it. */
export const samplePreview: Pick<Preview, 'text' | 'model' | 'tokens'> = {
  text: 'Generated summary of the sample text...',
  model: 'gpt-3.5-turbo',
  tokens: 150,
};

const facts: readonly RunFact[] = [
  { type: 'run.started', thread_id: THREAD, message_id: QUESTION, answer_id: ANSWER, model: 'gpt-4', attempt: 1 },
  { type: 'text.appended', message_id: ANSWER, text: 'Hello! How', at: 0 },
  { type: 'text.appended', message_id: ANSWER, text: ' can I help?', at: 10 },
  { type: 'usage.recorded', usage: USAGE },
  {
    type: 'run.completed',
    message: { id: ANSWER, seq: 2, role: 'assistant', status: 'completed', parts: PARTS },
    usage: USAGE,
    model: 'gpt-4',
    finish_reason: 'stop',
  },
];

/** The log of the sample run. */
export const sampleEvents: readonly RunEvent[] = facts.map((fact, index) => logEvent(SAMPLE_RUN_ID, index + 1, fact));

/** The sample run, or another log, as a stream in some format sends it. */
export function sampleStream({ ids, createEncoder }: StreamSample, events: readonly RunEvent[] = sampleEvents): string {
  const encode = createEncoder();
  return events
    .flatMap((event) => encode(event).map((frame) => serializeFrame(frame, ids ? frameId(event.offset, frame.part) : null)))
    .join('');
}

/** The sample run's log with a node of a graph in it. */
export const sampleGraphEvents: readonly RunEvent[] = [
  ...facts.slice(0, 1),
  { type: 'node.entered', name: 'answer' } as const,
  ...facts.slice(1),
].map((fact, index) => logEvent(SAMPLE_RUN_ID, index + 1, fact));
