import type { RunnableConfig } from '@langchain/core/runnables';
import {
  BaseCheckpointSaver,
  type Checkpoint,
  type CheckpointMetadata,
  type CheckpointTuple,
  type PendingWrite,
} from '@langchain/langgraph-checkpoint';
import type { RunCheckpoints } from './checkpoints.ts';

/** LangGraph's checkpointer over the checkpoints of the runs under way, found by their ids. */
export class RunSaver extends BaseCheckpointSaver {
  readonly runs = new Map<string, RunCheckpoints>();

  override async getTuple(config: RunnableConfig): Promise<CheckpointTuple | undefined> {
    const { run, namespace, checkpointId } = this.placeOf(config);
    const found = run.latest(namespace);
    if (!found || (checkpointId !== undefined && checkpointId !== found.saved.id)) return undefined;
    const { id, parentId, checkpoint, metadata } = found.saved;
    const thread = { thread_id: config.configurable?.thread_id, checkpoint_ns: namespace };
    return {
      config: { configurable: { ...thread, checkpoint_id: id } },
      checkpoint,
      metadata,
      pendingWrites: found.writes.map(([taskId, channel, value]) => [taskId, channel, value]),
      ...(parentId !== undefined && { parentConfig: { configurable: { ...thread, checkpoint_id: parentId } } }),
    };
  }

  override async *list(config: RunnableConfig): AsyncGenerator<CheckpointTuple> {
    const latest = await this.getTuple(config);
    if (latest) yield latest;
  }

  override async put(config: RunnableConfig, checkpoint: Checkpoint, metadata: CheckpointMetadata): Promise<RunnableConfig> {
    const { run, namespace, checkpointId: parentId } = this.placeOf(config);
    await run.put(namespace, { id: checkpoint.id, parentId, checkpoint, metadata });
    return { configurable: { thread_id: config.configurable?.thread_id, checkpoint_ns: namespace, checkpoint_id: checkpoint.id } };
  }

  override async putWrites(config: RunnableConfig, writes: PendingWrite[], taskId: string): Promise<void> {
    const { run, namespace, checkpointId } = this.placeOf(config);
    if (checkpointId !== undefined) await run.putWrites({ namespace, checkpointId }, taskId, writes);
  }

  override async deleteThread(): Promise<void> {
    throw new Error('A graph does not delete what its run has stored');
  }

  override async getDeltaChannelHistory(): Promise<never> {
    throw new Error('Delta channels need the checkpoints before the last, which are not kept');
  }

  private placeOf({ configurable = {} }: RunnableConfig) {
    const run = this.runs.get(String(configurable.thread_id));
    if (!run) throw new Error('This run is not under way here');
    const checkpointId: unknown = configurable.checkpoint_id;
    return {
      run,
      namespace: String(configurable.checkpoint_ns ?? ''),
      checkpointId: typeof checkpointId === 'string' && checkpointId !== '' ? checkpointId : undefined,
    };
  }
}
