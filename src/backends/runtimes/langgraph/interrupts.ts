import type { StateSnapshot } from '@langchain/langgraph';
import { AppError } from '../../../core/errors.ts';
import type { AgentTask, ApprovalAnswer } from '../../../core/ports/agent-runtime.ts';
import type { RunCheckpoints } from './checkpoints.ts';

/** Characters of JSON. */
const MAX_QUESTION = 100_000;

interface Asking {
  readonly task: Pick<AgentTask, 'desk'>;
  readonly checkpoints: Pick<RunCheckpoints, 'answersTo'>;
}

/** Asks what the graph's interrupts ask: the answers by interrupt, `waiting` when a person has to think, null when there is none. */
export async function answersToInterrupts(
  { task, checkpoints }: Asking,
  { tasks }: Pick<StateSnapshot, 'tasks'>,
): Promise<Record<string, unknown> | 'waiting' | null> {
  const questions = tasks.flatMap(({ name, interrupts }) => interrupts.map(({ id = '', value }) => ({ id, name, value })));
  if (questions.length === 0) return null;
  const answers: Record<string, unknown> = {};
  let waiting = false;
  for (const { id, name, value } of questions) {
    // A node may ask several times under one id; the answers that it has had tell its questions apart.
    const call_id = `${id}_${checkpoints.answersTo(id)}`;
    const answer = await task.desk.ask({ call_id, name, arguments: questionOf(name, value) });
    if (answer === 'waiting') waiting = true;
    else answers[id] = resumeValue(answer);
  }
  return waiting ? 'waiting' : answers;
}

function questionOf(node: string, value: unknown): string {
  const json = JSON.stringify(value) ?? 'null';
  if (json.length > MAX_QUESTION) throw new AppError('run_failed', `The question that the node ${node} asks is too long for a person`);
  return json;
}

/** What `interrupt()` gives the graph: false when it was denied, else the JSON or the words that the person wrote, else true. */
function resumeValue({ decision, arguments: written }: ApprovalAnswer): unknown {
  if (decision === 'deny') return false;
  if (written === null) return true;
  try {
    return JSON.parse(written);
  } catch (error) {
    if (error instanceof SyntaxError) return written;
    throw error;
  }
}
