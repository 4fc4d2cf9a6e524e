import type { RunId } from '../core/ids.ts';
import type { Engine } from '../engine/index.ts';
import type { EventStream } from './event-stream.ts';
import { createReaderBound } from './reader-bound.ts';
import { type ChannelGroup, leaveChannel, openChannel, type Reader } from './run-channel.ts';
import type { StreamCursor } from './stream-cursor.ts';
import type { RunFormat } from './stream-format.ts';

interface OpenRunStream {
  readonly runId: RunId;
  readonly format: RunFormat;
  readonly cursor: StreamCursor;
  /** Opens the response, or the reader's part of a WebSocket, after the reader was admitted. */
  readonly respond: () => EventStream;
}

/** Shows runs' logs, as SSE responses or on WebSockets: readers of one run in one format share one encoder and its bytes, a slow one gets its own. */
export interface RunStreams {
  /**
   * Sends the frames behind the cursor, then new ones as they come, and ends the response after the terminal frame, which is sent in any
   * case. Resolves when the response is over. Rejects, without having opened it, with `too_many_readers`.
   */
  open(input: OpenRunStream): Promise<void>;
}

interface RunStreamsOptions {
  readonly engine: { readonly runs: Pick<Engine['runs'], 'follow'> };
  readonly maxReadersPerRun: number;
  /** Told when a run's log cannot be read; its readers are cut off and may resume. */
  readonly onFault: (error: unknown) => void;
}

/** Makes the one place of a process where runs' logs become frames. */
export function createRunStreams({ engine, maxReadersPerRun, onFault }: RunStreamsOptions): RunStreams {
  const bound = createReaderBound(maxReadersPerRun);
  const groups = new Map<string, ChannelGroup>();

  function groupOf(runId: RunId, format: RunFormat): ChannelGroup {
    const key = `${runId} ${format.name}`;
    const known = groups.get(key);
    if (known) return known;
    const group: ChannelGroup = {
      runId,
      format,
      follow: engine.runs.follow,
      onFault,
      onEmpty: () => void groups.delete(key),
      channels: new Set(),
      shared: null,
    };
    groups.set(key, group);
    return group;
  }

  async function open({ runId, format, cursor, respond }: OpenRunStream): Promise<void> {
    const leave = bound.admit(runId);
    try {
      const reader: Reader = { stream: respond(), skip: cursor.offset > 0 ? cursor : null, channel: null };
      openChannel(groupOf(runId, format), reader);
      await over(reader.stream.signal);
      leaveChannel(reader);
    } finally {
      leave();
    }
  }

  return { open };
}

function over(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
