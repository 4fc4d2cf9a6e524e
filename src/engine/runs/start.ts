import type { Agent } from '../../core/agent.ts';
import { AppError } from '../../core/errors.ts';
import type { MessageId, RunId } from '../../core/ids.ts';
import { type RateState, tightest } from '../../core/limits.ts';
import { textOf } from '../../core/message.ts';
import type { AgentStore } from '../../core/ports/agent-store.ts';
import type { Catalogue, CatalogueModel } from '../../core/ports/catalogue.ts';
import type { Clock } from '../../core/ports/clock.ts';
import type { IdSource } from '../../core/ports/ids.ts';
import type { LoadGauge } from '../../core/ports/load.ts';
import type { RunContext } from '../../core/ports/message-store.ts';
import type { Observer } from '../../core/ports/observer.ts';
import type { BeginRefusal, BeginResult, BeginRun, Lease, RunStore, ThreadStore } from '../../core/ports/store.ts';
import type { Owner } from '../../core/principal.ts';
import { credentialRevoked, messageNotFound, repeatMismatch, serverBusy, threadNotFound } from '../../core/refusals.ts';
import type { Run, RunSnapshot } from '../../core/run.ts';
import type { Thread, ThreadRef } from '../../core/thread.ts';
import { titleFrom } from '../../core/title.ts';
import { agentNamed, refOf } from '../agents/agent-named.ts';
import { contextOfNew } from '../context/new-thread.ts';
import type { Started, StartRun } from '../engine.ts';
import type { Charge } from '../limits/charge.ts';
import type { Limits } from '../limits/create-limits.ts';
import { queueFull, runLimitReached, stateOfRuns } from '../limits/run-bounds.ts';
import { modelNamed } from '../models.ts';
import { newThread } from '../threads.ts';
import { threadName, type WakeUps } from '../wake-ups.ts';
import type { LatelyRefused } from './lately-refused.ts';

const FULL: ReadonlySet<BeginRefusal> = new Set<BeginRefusal>(['run_limit', 'queue_full']);

interface StartPorts {
  readonly store: Pick<RunStore, 'beginRun' | 'refusalToBegin'> & Pick<ThreadStore, 'findThread'> & Pick<AgentStore, 'findAgent'>;
  readonly catalogue: Catalogue;
  readonly ids: IdSource;
  readonly clock: Clock;
  readonly observer: Observer;
  readonly load: LoadGauge;
  readonly limits: Pick<Limits, 'message' | 'unfinished'>;
  readonly refused: LatelyRefused;
  readonly wakeUps: WakeUps;
  readonly lease: () => Lease | null;
  readonly execute: (run: Run, context: RunContext | null) => void;
  readonly maxQueued: number;
  /** Answers where neither the message nor its thread names an agent. */
  readonly defaultAgent: string | null;
}

/** Stores the question and its run in one transaction, and executes the run unless another one of the thread goes first. */
export function createStart(ports: StartPorts): (input: StartRun) => Promise<Started> {
  return async (input) => {
    requireLease(ports);
    const busy = ports.load.level() === 'overloaded' ? shed(ports) : null;
    if (busy && !input.repeat) throw busy;
    const begin = await beginning(ports, input);
    const { rate, result, storeMs } = await (busy ? replayOf(ports, begin, busy) : beginCharged(ports, input, begin));
    if (result.kind === 'refused') throw refusal(ports, begin, result);
    const { run, thread } = result;
    if (result.kind === 'begun') {
      ports.observer.runBegun({ id: run.id, model: run.snapshot.model, storeMs });
      ports.wakeUps.hint(threadName(input.owner, thread.id));
      if (run.status === 'running') ports.execute(run, contextOfNew(begin, run));
      else {
        ports.observer.runQueued({ id: run.id, model: run.snapshot.model });
        ports.wakeUps.hint(thread.key);
      }
    }
    return { run, thread, replayed: result.kind === 'replayed', rate };
  };
}

function requireLease({ lease }: StartPorts): Lease {
  const claim = lease();
  if (!claim) throw new AppError('draining', 'The server is shutting down; send this again', { retryAfterSeconds: 5 });
  return claim;
}

type Beginning = Omit<BeginRun, 'lease'>;

interface Charged {
  readonly result: BeginResult;
  readonly rate: RateState | null;
  /** How long the store took, in milliseconds. */
  readonly storeMs: number;
}

/** Begins the run for one message of the caller's allowance; what stores no message costs none. */
async function beginCharged(ports: StartPorts, input: StartRun, begin: Beginning): Promise<Charged> {
  if (ports.refused.has(input.owner)) {
    // Points that are taken only to come back would meanwhile be missing to all others.
    const result = await ports.store.refusalToBegin({ ...begin, lease: requireLease(ports) });
    if (result !== null) return { result, rate: null, storeMs: 0 };
  }
  let charge: Charge;
  try {
    charge = await ports.limits.message(input.owner);
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== 'rate_limited') throw error;
    return replayOf(ports, begin, error);
  }
  try {
    if (input.revoked?.aborted) throw credentialRevoked();
    const since = ports.clock.elapsed();
    const result = await ports.store.beginRun({ ...begin, lease: requireLease(ports) });
    const storeMs = ports.clock.elapsed() - since;
    if (result.kind === 'begun') {
      charge.keep();
      return { result, rate: tightest([charge.state, stateOfRuns(begin.maxUnfinished, result.runsLeft)]), storeMs };
    }
    if (result.kind === 'refused' && FULL.has(result.reason)) ports.refused.note(input.owner);
    await charge.giveBack();
    return { result, rate: charge.state && { ...charge.state, remaining: charge.state.remaining + 1 }, storeMs };
  } catch (error) {
    await charge.giveBack();
    throw error;
  }
}

/** Turns new work away instead of letting it wait: what is under way ends sooner, and whoever is refused may go elsewhere. */
function shed({ observer }: StartPorts): AppError {
  const busy = serverBusy();
  observer.refused({ code: busy.code, limit: 'load' });
  return busy;
}

/** A repeat costs nothing, so it is answered even when nothing is left: a beginning that may begin no run can only replay one. */
async function replayOf({ store, lease }: StartPorts, begin: Beginning, refused: AppError): Promise<Charged> {
  if (begin.idempotency === null) throw refused;
  const result = await store.beginRun({ ...begin, lease: lease(), maxUnfinished: { user: 0, application: 0 } });
  if (result.kind === 'replayed' || (result.kind === 'refused' && result.reason === 'idempotency_mismatch')) {
    return { result, rate: refused.rate ?? null, storeMs: 0 };
  }
  throw refused;
}

async function beginning(ports: StartPorts, input: StartRun): Promise<Beginning> {
  const { ids, clock } = ports;
  const { owner, ask } = input;
  if (ask.kind === 'append' && textOf(ask.messages.at(-1)?.parts ?? []).trim() === '') {
    throw new AppError('validation_failed', 'The message has no text');
  }
  const { thread, ...settings } = await destination(ports, input);
  const asked = ask.kind === 'append' ? ask.messages.find((message) => message.role === 'user') : undefined;
  return {
    owner,
    now: clock.now(),
    names: { runId: ids.uuid<RunId>(), answerId: ids.uuid<MessageId>() },
    thread,
    ask:
      ask.kind === 'again'
        ? ask
        : {
            kind: 'append',
            messages: ask.messages.map((message) => ({ ...message, id: ids.uuid<MessageId>() })),
            parent: ask.parent === undefined ? 'head' : ask.parent,
          },
    ...(input.expectedHead === undefined ? {} : { expectedHead: input.expectedHead }),
    snapshot: snapshotOf(input, settings),
    title: asked ? titleFrom(textOf(asked.parts)) || null : null,
    maxQueued: ports.maxQueued,
    maxUnfinished: ports.limits.unfinished(owner),
    idempotency: input.repeat ?? null,
  };
}

/** Where the run goes, and which model and agent answer there. */
async function destination(ports: StartPorts, { owner, thread, model, agent }: StartRun) {
  const { store, catalogue, ids, defaultAgent } = ports;
  const ref = refTo(thread);
  const named = agentNamed(store, owner, agent);
  const [chosen, stored] = ref ? await Promise.all([named, store.findThread(owner, ref)]) : [await named, null];
  if (ref && stored) {
    const answering = chosen ?? (await agentOf(store, owner, stored)) ?? (await agentNamed(store, owner, defaultAgent));
    return { thread: { ref }, model: modelNamed(catalogue, model ?? answering?.model ?? stored.model), agent: answering };
  }
  if (!('create' in thread)) throw threadNotFound();
  const usual = modelNamed(catalogue, model ?? thread.create.model);
  const create = newThread(ids, { model: usual.name, ...thread.create });
  const answering = chosen ?? (await agentNamed(store, owner, create.agent ?? defaultAgent));
  const own = model ? null : (answering?.model ?? null);
  return { thread: { create }, model: own === null ? usual : modelNamed(catalogue, own), agent: answering };
}

/** A thread's agent; null when it is gone: who goes on with a conversation often cannot name another. */
async function agentOf(store: Pick<AgentStore, 'findAgent'>, { applicationId }: Owner, { agent }: Thread): Promise<Agent | null> {
  return agent === null ? null : store.findAgent(applicationId, refOf(agent));
}

/** How a thread is found that may be there; null for one that is new in any case. */
function refTo(thread: StartRun['thread']): ThreadRef | null {
  if (!('create' in thread)) return thread;
  return thread.create.id ? { id: thread.create.id } : null;
}

function snapshotOf(input: StartRun, { model, agent }: { model: CatalogueModel; agent: Agent | null }): RunSnapshot {
  const { name, provider, upstream, window, maxOutput } = model;
  return {
    ...{ model: name, provider, upstream, window, maxOutput },
    agent: agent && { id: agent.id, name: agent.name, version: agent.version },
    temperature: input.temperature ?? null,
    maxTokens: input.maxTokens ?? null,
    instructions: input.instructions ?? [],
  };
}

type Refused = Extract<BeginResult, { readonly kind: 'refused' }>;

/** What the caller is told; what is used up is reported. */
function refusal({ observer }: StartPorts, begin: Beginning, refused: Refused): AppError {
  const failure = failureOf(begin, refused);
  if (failure.rate) observer.refused({ code: failure.code, limit: failure.rate.name });
  return failure;
}

function failureOf({ maxQueued, maxUnfinished }: Beginning, refused: Refused): AppError {
  switch (refused.reason) {
    case 'thread_not_found':
      return threadNotFound();
    case 'message_not_found':
      return messageNotFound();
    case 'queue_full':
      return queueFull(maxQueued);
    case 'run_limit':
      return runLimitReached(maxUnfinished, refused.bound);
    case 'idempotency_mismatch':
      return repeatMismatch();
    case 'head_moved':
      return new AppError('state_conflict', 'The thread has changed meanwhile; read it again');
  }
}
