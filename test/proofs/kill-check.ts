import { expectedText } from '../support/seeded-answer.ts';
import type { SeededModel } from '../support/seeded-model.ts';
import { type Caller, get, NATIVE, streamRequest } from './doors.ts';
import type { Client } from './kill-client.ts';
import { createReading, type Reading, readStream } from './reading.ts';
import type { Problems } from './report.ts';

/** A thread of one round: its clients in the order of their questions. */
export interface KilledThread {
  readonly caller: Caller;
  readonly clients: readonly Client[];
}

/** What became of the runs that were checked. */
export interface Outcomes {
  completed: number;
  interrupted: number;
}

interface RunView {
  readonly thread_id: string;
  readonly message_id: string;
  readonly answer_id: string;
  readonly status: string;
  readonly attempt: number;
  readonly error?: { readonly code: string };
}

export interface MessageView {
  readonly id: string;
  readonly seq: number;
  readonly parent_id: string | null;
  readonly role: string;
  readonly status: string;
  readonly run_id: string | null;
  readonly parts: readonly { readonly text: string }[];
}

export function textOfMessage({ parts }: Pick<MessageView, 'parts'>): string {
  return parts.map(({ text }) => text).join('');
}

interface Checking {
  readonly model: SeededModel;
  readonly problems: Problems;
  readonly outcomes: Outcomes;
}

/** Compares what a thread's clients saw before and after the server's death with what it has stored. Looks only at clients that have got an end. */
export async function checkThread({ caller, clients }: KilledThread, checking: Checking): Promise<void> {
  const { problems } = checking;
  const sent = clients.filter((client) => client.reading.end !== null);
  const [first] = sent;
  if (first === undefined) return;
  const runs = new Map<Client, RunView>();
  for (const client of sent) runs.set(client, await getJson<RunView>(caller, `${NATIVE}/runs/${client.runId}`));
  const path = `${NATIVE}/threads/${runs.get(first)?.thread_id}/messages?limit=100`;
  const messages = (await getJson<{ data: MessageView[] }>(caller, path)).data;
  const questions = messages.filter(({ role }) => role === 'user');
  problems.expect(questions.length === sent.length, 'messages', `${first.label}: ${questions.length} questions for ${sent.length} sent`);
  let interrupted = 0;
  for (const [client, run] of runs) {
    if (run.status === 'failed') interrupted += 1;
    await checkClient({ client, run, messages, caller }, checking);
  }
  problems.expect(interrupted <= 1, 'queue', `${first.label}: ${interrupted} interrupted runs, and only one can have been running`);
}

interface Checked {
  readonly client: Client;
  readonly run: RunView;
  readonly messages: readonly MessageView[];
  readonly caller: Caller;
}

async function checkClient({ client, run, messages, caller }: Checked, { model, problems, outcomes }: Checking): Promise<void> {
  const { asked, label, reading, question } = client;
  const log = createReading(problems, `log of ${label}`);
  await readStream(log, {
    door: 'native',
    problems,
    request: streamRequest('native', caller, { runId: client.runId ?? '', cursor: null }),
  });
  checkSeen(client, log, problems);
  problems.expect(reading.text === log.text && reading.end === log.end, 'resumed', `${label}: resumed to another answer than the log's`);

  const stored = messages.find(({ id }) => id === run.message_id);
  problems.expect(stored !== undefined && textOfMessage(stored) === question.text, 'messages', `${label}: the question is not stored`);
  const answer = messages.find(({ id }) => id === run.answer_id);
  problems.expect(answer?.status === run.status, 'messages', `${label}: run ${run.status}, answer ${answer?.status}`);
  problems.expect(answer !== undefined && textOfMessage(answer) === log.text, 'messages', `${label}: the answer is not the log's text`);

  const whole = expectedText(asked);
  const calls = model.callsOf(asked.seed);
  problems.expect(run.status === log.end, 'terminal', `${label}: run ${run.status}, log ${log.end}`);
  if (run.status === 'completed') {
    outcomes.completed += 1;
    problems.expect(log.text === whole, 'text', `${label}: ${log.text.length} of ${whole.length} characters in the log`);
    // An agent's run that had not said anything goes on as the next attempt, and asks the model again.
    problems.expect(calls >= 1 && calls <= run.attempt, 'calls', `${label}: ${calls} model calls in ${run.attempt} attempts`);
  } else {
    outcomes.interrupted += 1;
    problems.expect(run.error?.code === 'interrupted', 'terminal', `${label}: ${run.status} ${run.error?.code}`);
    problems.expect(whole.startsWith(log.text), 'text', `${label}: the kept text is no beginning of the answer`);
    problems.expect(
      calls <= Math.max(1, run.attempt - 1),
      'calls',
      `${label}: ${calls} model calls, interrupted in attempt ${run.attempt}`,
    );
  }
}

/** Every piece that the client had when the server died stands in the log, at its place. */
function checkSeen({ before, label, question }: Client, log: Reading, problems: Problems): void {
  problems.expect(log.text.startsWith(before.text), 'lost', `${label}: saw ${before.text.length} characters, the log has other ones`);
  if (!['native', 'levia', 'graph'].includes(question.door)) return;
  const stored = new Map(log.pieces.map(({ offset, text }) => [offset, text]));
  for (const { offset, text } of before.pieces) {
    problems.expect(stored.get(offset)?.includes(text) === true, 'lost', `${label}: event ${offset} is not the one that was seen`);
  }
}

export async function getJson<Body>(caller: Caller, path: string): Promise<Body> {
  const { status, text } = await get(caller, path);
  if (status !== 200) throw new Error(`${path}: ${status} ${text}`);
  return JSON.parse(text) as Body;
}
