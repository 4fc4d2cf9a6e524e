import { parseQuestion } from '../support/seeded-answer.ts';
import type { SeededModel } from '../support/seeded-model.ts';
import { type Caller, NATIVE, streamRequest } from './doors.ts';
import { getJson, type MessageView, textOfMessage } from './kill-check.ts';
import { createReading, readStream } from './reading.ts';
import type { Problems } from './report.ts';
import { type Fact, followFacts } from './thread-facts.ts';
import { type ThreadWatch, watchThread } from './thread-watch.ts';

export interface SentQuestion {
  readonly seed: number;
  readonly sender: string;
  readonly runId: string;
}

/** A thread in which several senders have asked, in the order in which the server accepted each sender's questions. */
export interface QueuedThread {
  readonly caller: Caller;
  readonly threadId: string;
  readonly sent: SentQuestion[];
}

interface Turn {
  readonly question: MessageView;
  readonly answer: MessageView;
  readonly seed: number;
}

interface Evidence {
  readonly model: SeededModel;
  readonly problems: Problems;
  /** What a device saw that was connected all the time. */
  readonly live: readonly Fact[];
  /** The same on a chat socket. */
  readonly device: ThreadWatch;
}

/** Compares all views of a thread: native's messages, the facts that devices see, levia's streams, and what the model was told. */
export async function checkQueue(thread: QueuedThread, { model, problems, live, device }: Evidence): Promise<void> {
  const turns = turnsOf(await allMessages(thread), problems);
  const seeds = turns.map(({ seed }) => seed);
  problems.expect(turns.length === thread.sent.length, 'order', `${turns.length} turns for ${thread.sent.length} questions`);
  checkSenders(thread, seeds, problems);
  checkContexts(model, seeds, problems);
  checkFacts(turns, live, problems);
  const later = await followFacts(thread, { until: live.filter(({ type }) => type !== 'thread.changed').length, problems });
  problems.expect(JSON.stringify(later) === JSON.stringify(live), 'facts', `thread ${thread.threadId}: a later device sees other facts`);
  await checkDevice(thread, { turns, device, problems });
  await checkLevia(thread, turns, problems);
}

async function allMessages({ caller, threadId }: QueuedThread): Promise<readonly MessageView[]> {
  const messages: MessageView[] = [];
  for (let cursor: string | null = ''; cursor !== null; ) {
    const query: string = cursor === '' ? '' : `&cursor=${cursor}`;
    const path = `${NATIVE}/threads/${threadId}/messages?limit=15${query}`;
    const page: { data: MessageView[]; next_cursor: string | null } = await getJson(caller, path);
    messages.push(...page.data);
    cursor = page.next_cursor;
  }
  return messages.reverse();
}

/** Questions and answers in turn, numbered without a gap, each below the one before. */
function turnsOf(messages: readonly MessageView[], problems: Problems): readonly Turn[] {
  const turns: Turn[] = [];
  messages.forEach((message, at) => {
    const { seq, parent_id, role, status } = message;
    const before = messages[at - 1];
    const expected = at % 2 === 0 ? 'user' : 'assistant';
    const inPlace = seq === at + 1 && role === expected && parent_id === (before?.id ?? null) && status === 'completed';
    problems.expect(inPlace, 'order', `message ${at + 1}: ${JSON.stringify(message)}, behind ${before?.id}`);
    if (before?.role === 'user' && role === 'assistant')
      turns.push({ question: before, answer: message, seed: parseQuestion(textOfMessage(before)).seed });
  });
  return turns;
}

function checkSenders({ sent }: QueuedThread, seeds: readonly number[], problems: Problems): void {
  for (const sender of new Set(sent.map((question) => question.sender))) {
    const own = sent.filter((question) => question.sender === sender).map(({ seed }) => seed);
    const stored = seeds.filter((seed) => own.includes(seed));
    problems.expect(stored.join() === own.join(), 'order', `sender ${sender}: sent ${own.join()}, stored ${stored.join()}`);
  }
}

/** Each question was asked with the questions before it, perhaps not all of them, in the same order. */
function checkContexts(model: SeededModel, seeds: readonly number[], problems: Problems): void {
  seeds.forEach((seed, at) => {
    const context = model.contextOf(seed);
    const newest = seeds.slice(Math.max(0, at - context.length), at);
    const right = context.join() === newest.join() && (at === 0 || context.length > 0);
    problems.expect(right, 'order', `question ${at + 1} was asked after ${context.join()} instead of ${newest.join()}`);
  });
}

/** Facts are numbered without a gap; runs start in the order of their questions, one when the one before has ended. */
function checkFacts(turns: readonly Turn[], facts: readonly Fact[], problems: Problems): void {
  for (const [at, { number }] of facts.entries()) problems.expect(number === at + 1, 'facts', `fact ${at + 1} has number ${number}`);
  const runs = facts.filter(({ type }) => type === 'run.started' || type === 'run.ended');
  const expected = turns.flatMap(({ answer }) => [`run.started ${answer.run_id}`, `run.ended ${answer.run_id}`]);
  const seen = runs.map(({ type, run_id }) => `${type} ${run_id}`);
  const at = expected.findIndex((fact, index) => fact !== seen[index]);
  problems.expect(at < 0 && seen.length === expected.length, 'facts', `run fact ${at + 1}: ${seen[at]} instead of ${expected[at]}`);
  const added = facts.filter(({ type }) => type === 'message.added');
  for (const role of ['user', 'assistant'] as const) {
    const ids = added.filter((fact) => fact.role === role).map(({ message_id, seq }) => `${seq} ${message_id}`);
    const stored = turns.map((turn) => (role === 'user' ? turn.question : turn.answer)).map(({ id, seq }) => `${seq} ${id}`);
    problems.expect(ids.join() === stored.join(), 'facts', `${role} messages: ${ids.join()} instead of ${stored.join()}`);
  }
}

interface Watched {
  readonly turns: readonly Turn[];
  readonly device: ThreadWatch;
  readonly problems: Problems;
}

/** A socket that was there all the time got every question and every answer once, each kind in order; one that comes later gets them as they stand. */
async function checkDevice({ caller, threadId }: QueuedThread, { turns, device, problems }: Watched): Promise<void> {
  const stored = turns
    .flatMap(({ question, answer }) => [question, answer])
    .map((message) => `${message.role} ${message.id} ${textOfMessage(message)}`);
  const live = await device.until(stored.length);
  for (const role of ['user', 'assistant']) {
    const [seen, expected] = [live, stored].map((messages) => messages.filter((message) => message.startsWith(role)));
    problems.expect(
      seen?.join() === expected?.join(),
      'device',
      `thread ${threadId}: a socket saw other ${role} messages, or in another order`,
    );
  }
  const later = await watchThread(caller, threadId);
  const history = await later.until(stored.length);
  problems.expect(history.join() === stored.join(), 'device', `thread ${threadId}: chat-ws and native show different threads`);
  later.close();
}

async function checkLevia({ caller, sent }: QueuedThread, turns: readonly Turn[], problems: Problems): Promise<void> {
  const bySeed = new Map(sent.map((question) => [question.seed, question]));
  for (const { answer, seed } of turns) {
    const runId = bySeed.get(seed)?.runId;
    problems.expect(runId === answer.run_id, 'order', `question ${seed} got run ${runId}, its answer is of ${answer.run_id}`);
    const reading = createReading(problems, `levia stream of ${runId}`);
    await readStream(reading, { door: 'levia', problems, request: streamRequest('levia', caller, { runId: runId ?? '', cursor: null }) });
    problems.expect(reading.text === textOfMessage(answer), 'order', `run ${runId}: levia and native show different answers`);
  }
}
