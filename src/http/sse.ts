import type { Frame } from './stream-format.ts';

/** Writes one frame as SSE (WHATWG HTML section 9.2). `id` null leaves the line out; no text can begin a field or a frame of its own. */
export function serializeFrame(frame: Pick<Frame, 'event' | 'data'>, id: string | null): string {
  let text = id === null ? '' : `id: ${id}\n`;
  if (frame.event !== null) text += `event: ${frame.event}\n`;
  let data = frame.data;
  if (data.includes('\r')) data = data.replaceAll('\r\n', '\n').replaceAll('\r', '\n');
  if (data.includes('\n')) data = data.replaceAll('\n', '\ndata: ');
  return `${text}data: ${data}\n\n`;
}

/** The id of a frame: `<offset>`, or `<offset>.<part>` for a piece of an event that was cut. */
export function frameId(offset: number, part: number | null): string {
  return part === null ? String(offset) : `${offset}.${part}`;
}
