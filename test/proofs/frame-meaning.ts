import type { RawFrame } from '../support/raw-frames.ts';
import type { StreamDoor } from './doors.ts';

export type StreamEnd = 'completed' | 'failed' | 'cancelled';

/** What a frame says of the answer. */
interface FrameMeaning {
  readonly text: string;
  readonly end: StreamEnd | null;
  /** The whole answer, where the door's last frame repeats it. */
  readonly whole: string | null;
}

const NOTHING: FrameMeaning = { text: '', end: null, whole: null };

/** Reads a frame as a client of its door does; throws when it is none of that door. */
export function meaningOf(door: StreamDoor, frame: RawFrame): FrameMeaning {
  switch (door) {
    case 'native':
      return nativeMeaning(frame);
    case 'levia':
      return leviaMeaning(frame);
    case 'graph':
      return graphMeaning(frame);
    case 'chat-sessions':
      if (frame.event !== null) return { ...NOTHING, end: 'failed' };
      return frame.data === '[DONE]' ? { ...NOTHING, end: 'completed' } : { ...NOTHING, text: frame.data };
  }
}

interface NativeEvent {
  readonly type: string;
  readonly offset: number;
  readonly text?: string;
  readonly message?: { readonly parts: readonly { readonly text?: string }[] };
}

function nativeMeaning({ id, event, data }: RawFrame): FrameMeaning {
  const { type, offset, text = '', message } = JSON.parse(data) as NativeEvent;
  if (event !== type || id !== String(offset)) throw new Error(`Frame ${id} ${event} holds event ${offset} ${type}`);
  switch (type) {
    case 'text.appended':
      return { ...NOTHING, text };
    case 'run.completed':
      return { ...NOTHING, end: 'completed', whole: message?.parts.map((part) => part.text ?? '').join('') ?? null };
    case 'run.failed':
      return { ...NOTHING, end: 'failed' };
    case 'run.cancelled':
      return { ...NOTHING, end: 'cancelled' };
    default:
      return NOTHING;
  }
}

interface LeviaFrame {
  readonly type: string;
  readonly data: { readonly content?: string; readonly type?: string; readonly reply?: string };
}

function leviaMeaning(frame: RawFrame): FrameMeaning {
  const { type, data } = JSON.parse(frame.data) as LeviaFrame;
  if (type === 'complete') return { ...NOTHING, end: 'completed', whole: data.reply ?? null };
  if (type === 'error') return { ...NOTHING, end: 'failed' };
  return { ...NOTHING, text: data.type === 'text' ? (data.content ?? '') : '' };
}

function graphMeaning({ event, data }: RawFrame): FrameMeaning {
  switch (event) {
    case 'node':
      return NOTHING;
    case 'token':
      return { ...NOTHING, text: data };
    case 'done':
      if (data !== '[DONE]') throw new Error(`done says ${data}`);
      return { ...NOTHING, end: 'completed' };
    case 'error':
      return { ...NOTHING, end: 'failed' };
    default:
      throw new Error(`graph has no event ${event}`);
  }
}
