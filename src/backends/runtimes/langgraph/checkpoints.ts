import { createHash } from 'node:crypto';
import type { CheckpointMetadata, Checkpoint as GraphCheckpoint, PendingWrite } from '@langchain/langgraph-checkpoint';
import { WRITES_IDX_MAP } from '@langchain/langgraph-checkpoint';
import type { AgentTask } from '../../../core/ports/agent-runtime.ts';
import type { Narrator, Told } from '../narrator.ts';
import { type RunRecords, runRecords } from '../run-records.ts';
import { decodeState, encodeState } from './state-codec.ts';

/** The last checkpoint of a graph, or of a graph within it, as LangGraph gave it. */
interface Saved {
  readonly id: string;
  readonly parentId: string | undefined;
  readonly checkpoint: GraphCheckpoint;
  readonly metadata: CheckpointMetadata;
}

/** What one task wrote: task, channel, value. */
type SavedWrite = [taskId: string, channel: string, value: unknown];

interface Place {
  readonly namespace: string;
  readonly checkpointId: string;
}

/** The checkpoints of one run. Only the last of each namespace is kept: a run goes on, and never back. */
export interface RunCheckpoints {
  readonly empty: boolean;
  /** What the narrator had told at the last checkpoint; null without one. */
  readonly told: Told | null;
  latest(namespace: string): { readonly saved: Saved; readonly writes: readonly SavedWrite[] } | null;
  put(namespace: string, saved: Saved): Promise<void>;
  putWrites(place: Place, taskId: string, writes: readonly PendingWrite[]): Promise<void>;
  /** Ids of the tasks that have ended beside others which have not. */
  ended(): readonly string[];
  /** How many answers the task that asks an interrupt has had. */
  answersTo(interruptId: string): number;
  /** Who knows what belongs to a checkpoint; without one nothing is stored. */
  narrator: Narrator | null;
}

const PREFIX = 'langgraph/';
const TOLD = `${PREFIX}told`;

interface Kept {
  readonly json: string;
  readonly id: string;
  /** By task and place among its writes. */
  readonly writes: Map<string, string>;
}

type CheckpointTask = Pick<AgentTask, 'run' | 'checkpoints' | 'stored' | 'signal'>;

/** Reads what earlier attempts of a run have left. */
export async function openCheckpoints(task: CheckpointTask): Promise<RunCheckpoints> {
  const records = runRecords(task);
  const kept = new Map<string, Kept>();
  const texts = await records.list(PREFIX);
  const told = texts.find(({ name }) => name === TOLD);
  for (const { name, text } of texts) if (name.endsWith('/state')) keepState(kept, text);
  for (const { name, text } of texts) if (name.endsWith('/writes')) keepWrites(kept, decodeState(text) as StoredWrites);
  return createCheckpoints(records, kept, told ? (decodeState(told.text) as Told) : null);
}

interface StoredState extends Saved {
  readonly namespace: string;
}

interface StoredWrites {
  readonly namespace: string;
  readonly id: string;
  readonly writes: readonly [string, string][];
}

function keepState(kept: Map<string, Kept>, json: string): void {
  const { namespace, id } = decodeState(json) as StoredState;
  kept.set(namespace, { id, json, writes: new Map() });
}

/** Writes of a checkpoint that another has followed are of no more use. */
function keepWrites(kept: Map<string, Kept>, { namespace, id, writes }: StoredWrites): void {
  const state = kept.get(namespace);
  if (state?.id === id) for (const [place, json] of writes) state.writes.set(place, json);
}

function createCheckpoints(records: RunRecords, kept: Map<string, Kept>, told: Told | null): RunCheckpoints {
  let narrator: Narrator | null = null;

  const allWrites = () => Array.from(kept.values(), ({ writes }) => writesOf(writes));

  return {
    get empty() {
      return kept.size === 0;
    },
    told,
    get narrator() {
      return narrator;
    },
    set narrator(value) {
      narrator = value;
    },
    latest(namespace) {
      const found = kept.get(namespace);
      return found ? { saved: decodeState(found.json) as Saved, writes: writesOf(found.writes) } : null;
    },
    async put(namespace, saved) {
      const state: StoredState = { namespace, ...saved };
      const json = encodeState(state);
      kept.set(namespace, { id: saved.id, json, writes: new Map() });
      // What begins a graph is not waited for: its first node may speak before that is stored.
      const atOnce = saved.metadata.source === 'input' ? narrator?.told() : undefined;
      await records.put(() => [{ name: `${keyOf(namespace)}/state`, text: json }, ...toldRecord(atOnce ?? narrator?.told())]);
    },
    async putWrites({ namespace, checkpointId }, taskId, writes) {
      const state = kept.get(namespace);
      if (state?.id !== checkpointId) return;
      for (const [index, [channel, value]] of writes.entries()) {
        const special = WRITES_IDX_MAP[channel];
        const place = `${taskId},${special ?? index}`;
        // Only what LangGraph itself notes of a task replaces what stands there.
        if (special === undefined && state.writes.has(place)) continue;
        state.writes.set(place, encodeState([taskId, channel, value]));
      }
      const value: StoredWrites = { namespace, id: checkpointId, writes: [...state.writes] };
      const text = encodeState(value);
      await records.put(() => [{ name: `${keyOf(namespace)}/writes`, text }, ...toldRecord(narrator?.toldMeanwhile())]);
    },
    ended: () => allWrites().flatMap((writes) => writes.filter(([, channel]) => !(channel in WRITES_IDX_MAP)).map(([taskId]) => taskId)),
    answersTo(interruptId) {
      const asking = (writes: readonly SavedWrite[]) =>
        writes.filter(([, channel, value]) => channel === '__interrupt__' && hasId(value, interruptId)).map(([taskId]) => taskId);
      const given = allWrites().flatMap((writes) => {
        const tasks = asking(writes);
        return writes.filter(([taskId, channel]) => channel === '__resume__' && tasks.includes(taskId)).map(([, , value]) => value);
      });
      return given.reduce<number>((sum, value) => sum + (Array.isArray(value) ? value.length : 1), 0);
    },
  };
}

function toldRecord(told: Told | undefined) {
  return told ? [{ name: TOLD, text: encodeState(told) }] : [];
}

function writesOf(writes: Kept['writes']): SavedWrite[] {
  return Array.from(writes.values(), (json) => decodeState(json) as SavedWrite);
}

function hasId(value: unknown, id: string): boolean {
  if (Array.isArray(value)) return value.some((item) => hasId(item, id));
  return typeof value === 'object' && value !== null && 'id' in value && value.id === id;
}

/** A namespace's name in the store; its own has no bound. */
function keyOf(namespace: string): string {
  return `${PREFIX}${createHash('sha256').update(namespace).digest('hex').slice(0, 32)}`;
}
