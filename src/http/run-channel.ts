import type { RunId } from '../core/ids.ts';
import { isTerminal, type RunEvent } from '../core/run-event.ts';
import type { Engine } from '../engine/index.ts';
import type { EventStream } from './event-stream.ts';
import { frameId, serializeFrame } from './sse.ts';
import type { StreamCursor } from './stream-cursor.ts';
import type { Encoder, Frame, RunFormat } from './stream-format.ts';

/** Made once: an abort without a reason makes an error with a stack. */
const CLOSED = new Error('The channel is closed');
/** Characters that go to a lone reader before it is asked whether its socket keeps up. */
const WRITE_SIZE = 16_384;

/** One response and its place. */
export interface Reader {
  readonly stream: EventStream;
  /** Frames up to here are not sent to it; null once its channel is past them. */
  skip: StreamCursor | null;
  channel: Channel | null;
}

/** One reading of a run's log, from its start unless the format is stateless, through one encoder, for all its readers. */
interface Channel {
  readonly group: ChannelGroup;
  readonly encode: Encoder;
  /** Nobody is taken out of a list in place: it may be gone through just then. */
  readers: Reader[];
  readonly stop: AbortController;
  closed: boolean;
  /** Offset of the last event it encoded. */
  offset: number;
  /** Whether it waits for its lone reader's socket. */
  paused: boolean;
}

/** All channels of one run in one format. */
export interface ChannelGroup {
  readonly runId: RunId;
  readonly format: RunFormat;
  readonly follow: Engine['runs']['follow'];
  readonly onFault: (error: unknown) => void;
  readonly onEmpty: () => void;
  readonly channels: Set<Channel>;
  /** The channel that others join once they have caught up with it. */
  shared: Channel | null;
}

/**
 * Gives a reader a channel of its own, whose pace its socket sets. When the channel has caught up with the group's shared one, its reader
 * moves there; a reader that cannot keep up there gets its own channel again. So nobody waits for a slow reader, and it holds no more than
 * its socket's buffer.
 */
export function openChannel(group: ChannelGroup, reader: Reader): void {
  const channel: Channel = {
    group,
    encode: group.format.createEncoder(),
    readers: [reader],
    stop: new AbortController(),
    closed: false,
    offset: group.format.stateless ? wholeEvents(reader.skip) : 0,
    paused: false,
  };
  reader.channel = channel;
  group.channels.add(channel);
  void read(channel, reader.stream);
}

/** Offset of the last event of which a reader has every frame. */
function wholeEvents(cursor: StreamCursor | null): number {
  if (cursor === null) return 0;
  return cursor.part === null ? cursor.offset : Math.max(0, cursor.offset - 1);
}

/** Takes a reader whose response is over off its channel. */
export function leaveChannel(reader: Reader): void {
  const { channel } = reader;
  reader.channel = null;
  if (!channel?.readers.includes(reader)) return;
  remove(channel, reader);
  if (channel.readers.length === 0) close(channel);
}

function remove(channel: Channel, reader: Reader): void {
  channel.readers = channel.readers.filter((other) => other !== reader);
}

async function read(channel: Channel, stream: EventStream): Promise<void> {
  const { group, stop } = channel;
  try {
    if (stream.needsDrain()) await stream.drained();
    if (channel.closed) return;
    const onEvents = (events: readonly RunEvent[]) => deliver(channel, events, 0);
    await group.follow({ runId: group.runId, after: channel.offset, signal: stop.signal, onEvents });
  } catch (error) {
    if (!channel.closed) group.onFault(error);
  }
  if (channel.closed) return;
  // The log stopped before its end: a broken connection makes clients resume, a clean one would look like the answer's end.
  for (const reader of channel.readers) reader.stream.destroy();
  close(channel);
}

function close(channel: Channel): void {
  const { group } = channel;
  channel.closed = true;
  channel.stop.abort(CLOSED);
  if (group.shared === channel) group.shared = null;
  group.channels.delete(channel);
  if (group.channels.size === 0) group.onEmpty();
}

function deliver(channel: Channel, events: readonly RunEvent[], from: number): void | Promise<void> {
  if (channel.readers.length > 1) splitSlow(channel);
  let next = from;
  while (next < events.length && !channel.closed) {
    const { readers } = channel;
    const slow = readers.length === 1 ? slowReader(readers) : null;
    if (slow) return pause({ channel, stream: slow.stream, events, next });
    next = hasSkips(readers) ? writeOne(channel, events, next) : writeMany(channel, events, next);
  }
  if (!channel.closed && channel.group.shared !== channel) meetShared(channel);
}

async function pause(wait: { channel: Channel; stream: EventStream; events: readonly RunEvent[]; next: number }): Promise<void> {
  wait.channel.paused = true;
  await wait.stream.drained();
  wait.channel.paused = false;
  return deliver(wait.channel, wait.events, wait.next);
}

function slowReader(readers: readonly Reader[]): Reader | null {
  for (const reader of readers) if (reader.stream.needsDrain()) return reader;
  return null;
}

function hasSkips(readers: readonly Reader[]): boolean {
  for (const reader of readers) if (reader.skip) return true;
  return false;
}

function splitSlow(channel: Channel): void {
  for (const reader of channel.readers) {
    if (channel.readers.length === 1) return;
    if (!reader.stream.needsDrain()) continue;
    remove(channel, reader);
    reader.skip ??= { offset: channel.offset, part: null };
    openChannel(channel.group, reader);
  }
}

function meetShared(channel: Channel): void {
  const { group, readers, offset } = channel;
  const { shared } = group;
  if (!shared || (shared.paused && offset >= shared.offset)) {
    group.shared = channel;
    return;
  }
  if (offset < shared.offset || slowReader(readers)) return;
  for (const reader of readers) {
    if (!reader.skip || reader.skip.offset < offset) reader.skip = { offset, part: null };
    reader.channel = shared;
    shared.readers.push(reader);
  }
  channel.readers = [];
  close(channel);
}

function writeMany(channel: Channel, events: readonly RunEvent[], from: number): number {
  const { encode, readers, group } = channel;
  const limit = readers.length === 1 ? WRITE_SIZE : Number.POSITIVE_INFINITY;
  let text = '';
  let next = from;
  let ended = false;
  while (next < events.length && text.length < limit) {
    const event = events[next];
    next += 1;
    if (!event) continue;
    channel.offset = event.offset;
    for (const frame of encode(event)) text += serialize(group.format, event.offset, frame);
    ended ||= isTerminal(event);
  }
  if (text !== '') {
    const bytes = readers.length === 1 ? text : Buffer.from(text);
    for (const reader of readers) reader.stream.write(bytes);
  }
  if (ended) end(channel);
  return next;
}

/** Writes one event while some readers must not get all of it. */
function writeOne(channel: Channel, events: readonly RunEvent[], next: number): number {
  const event = events[next];
  if (!event) return next + 1;
  const { offset } = event;
  channel.offset = offset;
  const ended = isTerminal(event);
  const frames = channel.encode(event);
  for (const reader of channel.readers) {
    const fresh = reader.skip ? framesBehind(reader.skip, event, frames) : frames;
    if (reader.skip && reader.skip.offset <= offset) reader.skip = null;
    if (fresh.length > 0) reader.stream.write(fresh.map((frame) => serialize(channel.group.format, offset, frame)).join(''));
  }
  if (ended) end(channel);
  return next + 1;
}

/** The very last frame goes also to whoever has it, so that each stream says how the run ended. */
function framesBehind(cursor: StreamCursor, event: RunEvent, frames: readonly Frame[]): readonly Frame[] {
  const { offset, part } = cursor;
  if (event.offset > offset) return frames;
  const fresh = event.offset === offset && part !== null ? frames.filter((frame) => frame.part === null || frame.part > part) : [];
  return fresh.length === 0 && isTerminal(event) ? frames.slice(-1) : fresh;
}

function serialize(format: RunFormat, offset: number, frame: Frame): string {
  if (format.lines) return `${frame.data}\n`;
  return serializeFrame(frame, format.ids ? frameId(offset, frame.part) : null);
}

function end(channel: Channel): void {
  for (const reader of channel.readers) reader.stream.end();
  close(channel);
}
