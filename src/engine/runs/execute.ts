import type { SourcePassage } from '../../core/attachment.ts';
import { AppError } from '../../core/errors.ts';
import type { AgentEnd } from '../../core/ports/agent-runtime.ts';
import type { Catalogue } from '../../core/ports/catalogue.ts';
import type { Clock } from '../../core/ports/clock.ts';
import type { RunContext } from '../../core/ports/message-store.ts';
import type { ModelProvider } from '../../core/ports/model-provider.ts';
import type { Observer } from '../../core/ports/observer.ts';
import type { Run } from '../../core/run.ts';
import type { RunEvent } from '../../core/run-event.ts';
import type { AnswerByAgent, Question } from '../agents/answer-by-agent.ts';
import type { AgentShare, Preparation, Requests } from '../context/assemble.ts';
import { onceAvailable } from '../unless-unavailable.ts';
import { cite, partsOf } from './answer.ts';
import { completed, failed, failureOf, stopped } from './endings.ts';
import { createIntake, type Intake } from './intake.ts';
import { createLiveRun, type LiveRun, type LiveRuns } from './live-run.ts';
import type { LogWriter } from './log-writer.ts';
import { observedProvider } from './observed-provider.ts';
import type { Ending, Waiting } from './outcome.ts';

export interface ExecutorPorts {
  readonly catalogue: Catalogue;
  readonly prepare: (preparation: Preparation) => Promise<Requests>;
  readonly answerByAgent: AnswerByAgent;
  readonly writer: LogWriter;
  readonly live: LiveRuns;
  readonly clock: Clock;
  readonly observer: Observer;
  /** Ends a run as cancelled that has just begun to wait. */
  readonly cancelWaiting: (run: Run) => Promise<void>;
  readonly limits: { readonly runMs: number; readonly answerChars: number };
}

/**
 * Executes claimed runs: from the model's stream to the log, to exactly one end, or to where people have to decide. The live run is registered
 * before the call returns, so a reader that looks for it finds it; the rest goes on by itself and never rejects. `earlier` is the log of the
 * attempts before, `context` what the model may see, which is read unless it is known.
 */
export function createExecutor(
  ports: ExecutorPorts,
): (run: Run, earlier: readonly RunEvent[] | undefined, context: RunContext | null) => void {
  return (run, earlier = [], context) => {
    const live = createLiveRun(run, (error) => ports.observer.faulted('run reader', error), earlier);
    ports.live.add(live);
    execute(ports, live, { earlier, context }).catch((error: unknown) => ports.observer.faulted('run', error));
  };
}

async function execute(ports: ExecutorPorts, live: LiveRun, known: Known): Promise<void> {
  const { clock, observer } = ports;
  const { id, snapshot, attempt, createdAt } = live.run;
  const startedAt = clock.elapsed();
  observer.runStarted({ id, model: snapshot.model, attempt, queuedMs: attempt > 1 ? 0 : Math.max(0, clock.now() - createdAt) });
  const cancelTimeout = clock.after(ports.limits.runMs, () => live.stop('timed_out'));
  const outcome = await outcomeOf(ports, live, { intake: createIntake(ports, live, startedAt), ...known });
  cancelTimeout();
  observer.runEnding({ id });
  await ports.writer.end(live, outcome);
  ports.live.remove(live);
  const durationMs = Math.round(clock.elapsed() - startedAt);
  const told = { id, model: snapshot.model, durationMs };
  if ('questions' in outcome) {
    observer.runEnded({ ...told, status: 'waiting', code: null, usage: null });
    if (live.stopReason === 'cancelled') await ports.cancelWaiting(live.run);
    return;
  }
  const { status, failure, fact } = outcome;
  const usage = fact.type === 'run.completed' ? fact.usage : null;
  observer.runEnded({ ...told, status, code: failure?.code ?? null, usage });
}

interface Known {
  readonly earlier: readonly RunEvent[];
  readonly context: RunContext | null;
}

interface Execution extends Known {
  readonly intake: Intake;
}

async function outcomeOf(ports: ExecutorPorts, live: LiveRun, execution: Execution): Promise<Ending | Waiting> {
  const { intake } = execution;
  try {
    const { end, passages, questions } = await streamAnswer(ports, live, execution);
    await intake.finish();
    if (live.stopReason !== null) return stopped(live.stopReason);
    if (end.reason === 'waiting') return { questions };
    cite(live, passages);
    return completed(live, end);
  } catch (error) {
    await intake.finish();
    return live.stopReason === null ? failed(failureOf(error, ports.observer)) : stopped(live.stopReason);
  }
}

/** How an execution ended, and what of the user's files it had. */
interface Streamed {
  readonly end: AgentEnd;
  readonly passages: readonly SourcePassage[];
  readonly questions: readonly Question[];
}

async function streamAnswer(ports: ExecutorPorts, live: LiveRun, { intake, earlier, context }: Execution): Promise<Streamed> {
  const { run, signal } = live;
  signal.throwIfAborted();
  const provider = observedProvider(providerOf(ports, run), ports.observer, run);
  const prepare = (agent: AgentShare | null) =>
    onceAvailable(() => ports.prepare({ run, agent, context, signal }), { clock: ports.clock, signal });
  const { agent: pin } = run.snapshot;
  if (pin !== null) {
    return ports.answerByAgent({ run, pin, provider, prepare, before: earlier, parts: () => partsOf(live), ...intake, signal });
  }
  const { passages, compose } = await prepare(null);
  const request = await compose([]);
  signal.throwIfAborted();
  const end = await provider.stream(passages.length > 0 ? { ...request, passages } : request, intake.take, signal);
  return { end, passages, questions: [] };
}

function providerOf({ catalogue }: ExecutorPorts, { snapshot }: Run): ModelProvider {
  const provider = catalogue.provider(snapshot.provider);
  if (!provider) throw new AppError('model_unknown', `The provider of the model ${snapshot.model} is no longer configured`);
  return provider;
}
