import type { Agent, AgentPin, AgentRuntimeName } from '../../core/agent.ts';
import type { SourcePassage } from '../../core/attachment.ts';
import { AppError } from '../../core/errors.ts';
import type { Part } from '../../core/message.ts';
import type { AgentChunk, AgentEnd, AgentRuntime, AgentTask } from '../../core/ports/agent-runtime.ts';
import type { AgentStore } from '../../core/ports/agent-store.ts';
import type { CheckpointStore } from '../../core/ports/checkpoint-store.ts';
import type { ModelProvider } from '../../core/ports/model-provider.ts';
import type { Observer } from '../../core/ports/observer.ts';
import type { ToolSchemas } from '../../core/ports/tool-schemas.ts';
import type { Run } from '../../core/run.ts';
import type { RunFact } from '../../core/run-event.ts';
import type { AgentShare, Requests } from '../context/assemble.ts';
import { onceAvailable } from '../unless-unavailable.ts';
import { type DeskLog, openDesk } from './desk.ts';
import { beginningOfLastNode } from './earlier-calls.ts';
import { canResumeLoop, runLoop } from './loop.ts';
import { createTrust } from './tool-trust.ts';
import { openToolbox, type ToolboxPorts } from './toolbox.ts';

/** Restarts behind each other, without anything between them, after which a run counts as one that brings its process down. */
const MAX_RESTARTS = 3;
const MAX_VERSIONS = 200;

export type Question = Extract<RunFact, { type: 'approval.requested' }>;
/** A runtime that is loaded when an agent needs it. */
export type ForeignRuntime = Exclude<AgentRuntimeName, 'loop'>;

export interface AgentPorts extends Omit<ToolboxPorts, 'trusted'> {
  readonly store: AgentStore & CheckpointStore;
  readonly schemas: ToolSchemas;
  readonly runtimes: (name: ForeignRuntime) => Promise<AgentRuntime>;
  readonly observer: Observer;
  readonly callMs: number;
  readonly approvalMs: number;
}

/** One answer to be given by an agent. */
interface AgentAnswer {
  readonly run: Run;
  readonly pin: AgentPin;
  readonly provider: ModelProvider;
  readonly prepare: (agent: AgentShare) => Promise<Requests>;
  readonly before: readonly RunFact[];
  /** What the answer has so far. */
  readonly parts: () => readonly Part[];
  readonly take: (chunk: AgentChunk) => void | Promise<void>;
  readonly log: DeskLog;
  readonly signal: AbortSignal;
}

/** Lets a run's agent answer. `questions` are for people, and there is one at least when the end is `waiting`. */
export type AnswerByAgent = (answer: AgentAnswer) => Promise<{
  readonly end: AgentEnd;
  readonly passages: readonly SourcePassage[];
  readonly questions: readonly Question[];
}>;

/** Makes what executes agents: their stored version, its tools, its runtime. */
export function createAnswerByAgent(ports: AgentPorts): AnswerByAgent {
  const findVersion = createVersions(ports);
  const trusted = createTrust(ports);
  return async (answer) => {
    const { run, pin, before, log, signal } = answer;
    const agent = await agentOf(findVersion, pin, signal);
    const sources = ports.sources.filter(({ applications }) => !applications || applications.includes(run.owner.applicationId));
    const open = () => openToolbox({ ...ports, sources, trusted }, agent, signal);
    const toolbox = await onceAvailable(open, { clock: ports.clock, signal });
    const desk = openDesk({ ...ports, agent, run, toolbox, before, log, signal });
    try {
      const requests = await answer.prepare({ instructions: agent.instructions, tools: desk.tools });
      const { passages } = requests;
      const known = passages.length > 0 ? { passages } : {};
      const request = { ...(await requests.compose([])), ...known };
      const compose = async () => (answer.parts().length === 0 ? request : { ...(await requests.compose(answer.parts())), ...known });
      const { provider, take: emit } = answer;
      const task: AgentTask = { agent, run, request, provider, desk, before, checkpoints: ports.store, emit, stored: log.stored, signal };
      signal.throwIfAborted();
      const end = await (agent.runtime === 'loop' ? loop(task, { compose, log }) : (await ports.runtimes(agent.runtime)).run(task));
      if (end.reason === 'waiting' && desk.waitsFor.length === 0) throw new Error('An agent waits, and nobody was asked anything');
      return { end, passages, questions: desk.waitsFor };
    } finally {
      await desk.close();
    }
  };
}

function loop(task: AgentTask, { compose, log }: { compose: Parameters<typeof runLoop>[1]['compose']; log: DeskLog }): Promise<AgentEnd> {
  return runLoop(task, { compose, recordUsage: (usage) => log.append({ type: 'usage.recorded', usage }) });
}

type FindVersion = (pin: AgentPin, signal: AbortSignal) => Promise<Agent | null>;

/** Reads versions, which never change, and remembers those that were used lately. */
function createVersions({ store, clock }: AgentPorts): FindVersion {
  const known = new Map<string, Agent>();
  return async ({ id, version }, signal) => {
    const name = `${id} ${version}`;
    const found = known.get(name) ?? (await onceAvailable(() => store.findAgentVersion(id, version), { clock, signal }));
    if (!found) return null;
    known.delete(name);
    known.set(name, found);
    for (const oldest of known.keys()) if (known.size > MAX_VERSIONS) known.delete(oldest);
    return found;
  };
}

async function agentOf(findVersion: FindVersion, pin: AgentPin, signal: AbortSignal): Promise<Agent> {
  const agent = pin.version === 0 ? null : await findVersion(pin, signal);
  if (!agent) throw new AppError('agent_unknown', `The agent ${pin.name} is no longer there`);
  return agent;
}

interface CanResumePorts extends Pick<AgentPorts, 'runtimes' | 'observer'> {
  readonly store: Pick<AgentStore, 'findAgentVersion'>;
}

/** Whether an attempt can go on where the log of the one before ends; what no agent answers cannot. */
export function createCanResume(ports: CanResumePorts) {
  return async ({ snapshot: { agent: pin } }: Run, before: readonly RunFact[]): Promise<boolean> => {
    if (pin === null || pin.version === 0) return false;
    const agent = restartsAtEnd(before) < MAX_RESTARTS ? await ports.store.findAgentVersion(pin.id, pin.version) : null;
    if (!agent) return false;
    if (agent.runtime === 'loop') return canResumeLoop(before);
    try {
      return (await ports.runtimes(agent.runtime)).canResume(before);
    } catch (error) {
      ports.observer.faulted('agent runtime', error);
      return false;
    }
  };
}

/** Restarts behind which nothing came but another beginning of the same node. */
function restartsAtEnd(before: readonly RunFact[]): number {
  const node = beginningOfLastNode(before);
  const last = before.findLastIndex(({ type }, index) => type !== 'run.restarted' && !(type === 'node.entered' && index > node));
  return before.slice(last + 1).filter(({ type }) => type === 'run.restarted').length;
}
