import { AppError } from '../../core/errors.ts';
import type { Agent, AgentChunk } from '../../core/ports/agent.ts';
import type { Catalogue } from '../../core/ports/catalogue.ts';
import type { Clock } from '../../core/ports/clock.ts';
import { type ModelChunk, type ModelEnd, ModelError, type ModelRequest } from '../../core/ports/model-provider.ts';
import type { Observer } from '../../core/ports/observer.ts';
import type { Run, RunFailure } from '../../core/run.ts';
import type { RunFact } from '../../core/run-event.ts';
import { agentNamed } from '../agents.ts';
import { onceAvailable } from '../unless-unavailable.ts';
import { createLiveRun, type LiveRun, type LiveRuns, type StopReason } from './live-run.ts';
import type { LogWriter } from './log-writer.ts';
import { observedProvider } from './observed-provider.ts';
import type { Ending } from './pending.ts';
import { cleanText, createTextIntake } from './text-intake.ts';

export interface ExecutorPorts {
  readonly catalogue: Catalogue;
  readonly agents: readonly Agent[];
  readonly assemble: (run: Run, signal: AbortSignal) => Promise<ModelRequest>;
  readonly writer: LogWriter;
  readonly live: LiveRuns;
  readonly clock: Clock;
  readonly observer: Observer;
  readonly limits: { readonly runMs: number; readonly answerChars: number };
}

/**
 * Executes claimed runs: from the model's stream to the log, to exactly one end. The live run is registered before `execute` returns, so a
 * reader that looks for it finds it; the rest goes on by itself and never rejects.
 */
export function createExecutor(ports: ExecutorPorts): (run: Run) => void {
  return (run) => {
    const live = createLiveRun(run, (error) => ports.observer.faulted('run reader', error));
    ports.live.add(live);
    executeToItsEnd(ports, live).catch((error: unknown) => ports.observer.faulted('run', error));
  };
}

async function executeToItsEnd(ports: ExecutorPorts, live: LiveRun): Promise<void> {
  const { clock, observer, writer } = ports;
  const { id, snapshot, attempt } = live.run;
  const startedAt = clock.elapsed();
  observer.runStarted({ id, model: snapshot.model, attempt, queuedMs: Math.max(0, clock.now() - live.run.createdAt) });
  const cancelTimeout = clock.after(ports.limits.runMs, () => live.stop('timed_out'));
  const intake = createIntake(ports, live, startedAt);
  let ending: Ending;
  try {
    const { end, passages = [] } = await streamAnswer(ports, live, intake.take);
    await intake.finish();
    live.answer.cite(passages);
    ending = live.stopReason === null ? completed(live, end) : stopped(live.stopReason);
  } catch (error) {
    await intake.finish();
    ending = live.stopReason === null ? failed(failureOf(error, observer)) : stopped(live.stopReason);
  }
  cancelTimeout();
  observer.runEnding({ id });
  await writer.end(live, ending);
  ports.live.remove(live);
  const { status, failure, fact } = ending;
  const usage = fact.type === 'run.completed' ? fact.usage : null;
  const durationMs = Math.round(clock.elapsed() - startedAt);
  observer.runEnded({ id, model: snapshot.model, status, code: failure?.code ?? null, usage, durationMs });
}

/** How a model's answer ended, and what of the user's files it had. */
interface Streamed extends Pick<ModelRequest, 'passages'> {
  readonly end: ModelEnd;
}

async function streamAnswer(ports: ExecutorPorts, live: LiveRun, emit: (chunk: AgentChunk) => void | Promise<void>): Promise<Streamed> {
  const { snapshot } = live.run;
  live.signal.throwIfAborted();
  const agent = agentNamed(ports.agents, snapshot.agent);
  const provider = ports.catalogue.provider(snapshot.provider);
  if (!provider) throw new AppError('model_unknown', `The provider of the model ${snapshot.model} is no longer configured`);
  const { signal } = live;
  const request = await onceAvailable(() => ports.assemble(live.run, signal), { clock: ports.clock, signal });
  signal.throwIfAborted();
  const observed = observedProvider(provider, ports.observer, live.run);
  const end = agent ? agent.run({ request, provider: observed, emit, signal }) : observed.stream(request, emit, signal);
  return { end: await end, passages: request.passages };
}

/** Turns a model's chunks into facts of the log: clean text, first text urgent, bounded in all. */
function createIntake({ writer, observer, clock, limits }: ExecutorPorts, live: LiveRun, startedAt: number) {
  const { id, answerId: message_id, snapshot } = live.run;
  const text = createTextIntake();
  const reasoning = createTextIntake();
  let first = true;
  let size = 0;

  function append(fact: RunFact, urgent: boolean): void | Promise<void> {
    live.answer.add(fact);
    return writer.append(live, fact, urgent ? 'urgent' : 'window');
  }

  function appendText(type: 'text.appended' | 'reasoning.appended', clean: string): void | Promise<void> {
    if (clean === '' || live.stopReason !== null) return undefined;
    size += clean.length;
    if (size > limits.answerChars) return live.stop('answer_too_long');
    if (type === 'reasoning.appended') return append({ type, message_id, text: clean }, false);
    const urgent = first;
    if (first) observer.firstToken({ id, model: snapshot.model, sinceStartMs: Math.round(clock.elapsed() - startedAt) });
    first = false;
    return append({ type, message_id, text: clean, at: live.answer.length }, urgent);
  }

  function appendToolCall(chunk: Extract<ModelChunk, { type: 'tool_call' }>): void | Promise<void> {
    size += chunk.arguments.length + chunk.name.length;
    if (live.signal.aborted) return undefined;
    if (size > limits.answerChars) return live.stop('answer_too_long');
    const call = { call_id: cleanText(chunk.call_id), name: cleanText(chunk.name) };
    void append({ type: 'tool.called', ...call, arguments: cleanText(chunk.arguments) }, true);
    // No tool is offered to the model, so whatever it calls does not exist.
    return append({ type: 'tool.returned', ...call, status: 'failed', result: `There is no tool named ${call.name}` }, true);
  }

  return {
    take(chunk: AgentChunk): void | Promise<void> {
      switch (chunk.type) {
        case 'node':
          return live.signal.aborted ? undefined : append({ type: 'node.entered', name: chunk.name }, true);
        case 'text':
          return appendText('text.appended', text.push(chunk.text));
        case 'reasoning':
          return appendText('reasoning.appended', reasoning.push(chunk.text));
        case 'tool_call':
          return appendToolCall(chunk);
      }
    },
    /** Hands over what the intakes still hold back. */
    async finish(): Promise<void> {
      await appendText('reasoning.appended', reasoning.end());
      await appendText('text.appended', text.end());
    },
  };
}

function completed(live: LiveRun, end: ModelEnd): Ending {
  const { answerId, answerSeq, snapshot } = live.run;
  const message = { id: answerId, seq: answerSeq, role: 'assistant', status: 'completed', parts: live.answer.parts() } as const;
  return {
    fact: { type: 'run.completed', message, usage: end.usage, model: snapshot.model, finish_reason: end.reason },
    status: 'completed',
    failure: null,
  };
}

function failed(failure: RunFailure): Ending {
  return { fact: { type: 'run.failed', ...failure }, status: 'failed', failure };
}

function stopped(reason: StopReason): Ending {
  switch (reason) {
    case 'cancelled':
      return { fact: { type: 'run.cancelled' }, status: 'cancelled', failure: null };
    case 'timed_out':
      return failed({ code: 'run_timed_out', detail: 'The answer took too long', retryable: true });
    case 'answer_too_long':
      return failed({ code: 'answer_too_long', detail: 'The answer is longer than this server stores', retryable: false });
    case 'interrupted':
    case 'lost':
      return failed(INTERRUPTED);
  }
}

/** A run whose process stopped before its end. */
export const INTERRUPTED: RunFailure = {
  code: 'interrupted',
  detail: 'The server stopped while this answer was being written',
  retryable: true,
};

/** Why an execution failed, in words for its reader; what nobody expected is reported. */
export function failureOf(error: unknown, observer: Observer): RunFailure {
  if (error instanceof ModelError) return { code: error.code, detail: error.message, retryable: error.retryable };
  if (error instanceof AppError) return { code: error.code, detail: error.message, retryable: error.code === 'overloaded' };
  observer.faulted('model', error);
  return { code: 'internal', detail: 'The answer failed for a reason that the server has logged', retryable: true };
}
