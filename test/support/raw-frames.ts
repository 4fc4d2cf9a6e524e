/** One frame of an SSE stream as its bytes say it. */
export interface RawFrame {
  readonly id: string | null;
  readonly event: string | null;
  /** The data lines, joined by line feeds. */
  readonly data: string;
}

/** Cuts bytes into frames. A frame counts when it is complete; comments are left out. Throws on bytes that are no such stream. */
export function createFrameReader(): (bytes: Uint8Array) => readonly RawFrame[] {
  let rest = Buffer.alloc(0);
  return (bytes) => {
    rest = Buffer.concat([rest, bytes]);
    const frames: RawFrame[] = [];
    for (let end = rest.indexOf('\n\n'); end >= 0; end = rest.indexOf('\n\n')) {
      const frame = parseFrame(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(rest.subarray(0, end)));
      if (frame) frames.push(frame);
      rest = rest.subarray(end + 2);
    }
    return frames;
  };
}

function parseFrame(text: string): RawFrame | null {
  if (text.includes('\r')) throw new Error(`A carriage return in a frame: ${JSON.stringify(text)}`);
  let id: string | null = null;
  let event: string | null = null;
  const data: string[] = [];
  for (const line of text.split('\n')) {
    if (line.startsWith(':')) continue;
    const [, name, value = ''] = /^(id|event|data): (.*)$/su.exec(line) ?? [];
    if (name === 'data') data.push(value);
    else if (name === 'id' && id === null) id = value;
    else if (name === 'event' && event === null) event = value;
    else throw new Error(`A line that no frame has: ${JSON.stringify(line)}`);
  }
  return data.length === 0 ? null : { id, event, data: data.join('\n') };
}
