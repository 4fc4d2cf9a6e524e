import { createParser, type EventSourceMessage } from 'eventsource-parser';
import type { MessageId, RunId, ThreadId } from '../../src/core/ids.ts';
import { isTerminal, logEvent, type RunEvent, type RunFact, type TerminalFact } from '../../src/core/run-event.ts';
import { createTextIntake } from '../../src/engine/runs/text-intake.ts';
import { frameId, serializeFrame } from '../../src/http/sse.ts';
import type { Frame } from '../../src/http/stream-format.ts';
import { createRandom, type Random } from '../support/random.ts';
import { type FramedFormat, framedFormats, type SentRun } from './framed-formats.ts';
import { hostileText, oneIn, randomCuts } from './random-texts.ts';

const runId = 'run' as RunId;
const answerId = 'answer' as MessageId;
const LONE_HALF = /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;

export interface FramingOptions {
  readonly texts: number;
  readonly seed: number;
}

/** The rule for what enters the log, written a second time. */
export function loggedText(raw: string): string {
  return raw.split('\r\n').join('\n').split('\r').join('\n').split('\0').join('\ufffd').replace(LONE_HALF, '\ufffd');
}

function terminalFact(random: Random, text: string): TerminalFact {
  if (oneIn(8, random)) return { type: 'run.cancelled' };
  if (oneIn(8, random)) return { type: 'run.failed', code: 'x', detail: loggedText(hostileText(random)), retryable: false };
  const message = { id: answerId, seq: 2, role: 'assistant', status: 'completed', parts: [{ type: 'text', text }] } as const;
  return { type: 'run.completed', message, usage: null, model: 'm', finish_reason: 'stop' };
}

function otherFact(random: Random): RunFact {
  const text = loggedText(hostileText(random)) || 'x';
  const call = { call_id: text, name: text };
  return random.pick<RunFact>([
    { type: 'reasoning.appended', message_id: answerId, text },
    { type: 'node.entered', name: text },
    { type: 'tool.called', ...call, arguments: text, called_at: text },
    { type: 'tool.returned', ...call, status: 'failed', result: text, returned_at: text },
    { type: 'approval.requested', ...call, arguments: text, expires_at: text },
    { type: 'approval.decided', call_id: text, decision: 'deny', arguments: text, expired: false },
    { type: 'usage.recorded', usage: { input_tokens: 1, output_tokens: 1 } },
    { type: 'run.restarted', attempt: 2 },
  ]);
}

/** A run's log with this text in it, cut at random, as the executor would write it. */
function logOf(raw: string, text: string, random: Random): RunEvent[] {
  const thread_id = 'thread' as ThreadId;
  const facts: RunFact[] = [{ type: 'run.started', thread_id, message_id: answerId, answer_id: answerId, model: 'm', attempt: 1 }];
  const intake = createTextIntake();
  let at = 0;
  const append = (clean: string) => {
    if (clean === '') return;
    facts.push({ type: 'text.appended', message_id: answerId, text: clean, at });
    at += clean.length;
  };
  for (const delta of randomCuts(raw, random)) {
    append(intake.push(delta));
    if (oneIn(12, random)) facts.push(otherFact(random));
  }
  append(intake.end());
  facts.push(terminalFact(random, text));
  return facts.map((fact, index) => logEvent(runId, index + 1, fact));
}

interface LoggedRun extends Pick<SentRun, 'text' | 'terminal'> {
  readonly log: readonly RunEvent[];
}

interface Sent {
  readonly wire: string;
  readonly frames: readonly (Frame & { readonly id: string | null })[];
  readonly largestFrame: number;
}

function send({ format, behind }: FramedFormat, run: LoggedRun, random: Random): Sent {
  const encode = format.createEncoder();
  const frames: (Frame & { id: string | null })[] = [];
  let wire = '';
  let largestFrame = 0;
  const write = (frame: Frame, id: string | null) => {
    const text = format.lines ? `${frame.data}\n` : serializeFrame(frame, id);
    frames.push({ ...frame, id });
    wire += text;
    if (text.length * 3 > largestFrame) largestFrame = Math.max(largestFrame, Buffer.byteLength(text));
  };
  for (const event of run.log) {
    for (const frame of encode(event)) write(frame, format.ids ? frameId(event.offset, frame.part) : null);
    if ('pings' in format && format.pings && oneIn(20, random)) wire += ': ping\n\n';
  }
  const last = behind?.(run.terminal, run.text);
  if (last) write({ part: null, event: null, data: JSON.stringify(last) }, null);
  return { wire, frames, largestFrame };
}

/** Reads the bytes as messages of a WebSocket, each a line. */
function receiveLines(bytes: Buffer): EventSourceMessage[] {
  const lines = bytes.toString().split('\n');
  if (lines.pop() !== '') throw new Error('a line without its end');
  return lines.map((data) => ({ data, id: undefined, event: undefined }));
}

/** Reads the bytes as a client that follows the SSE rules, in random pieces. */
function receive(bytes: Buffer, random: Random): EventSourceMessage[] {
  const events: EventSourceMessage[] = [];
  const decoder = new TextDecoder();
  const parser = createParser({
    onEvent: (event) => events.push(event),
    onError: (error) => {
      throw error;
    },
    onRetry: () => {
      throw new Error('forged retry');
    },
  });
  const longest = bytes.length < 4_096 ? 60 : 16_384;
  for (let from = 0; from < bytes.length; ) {
    const to = from + random.integer(1, longest);
    parser.feed(decoder.decode(bytes.subarray(from, to), { stream: true }));
    from = to;
  }
  return events;
}

function difference({ frames }: Sent, events: readonly EventSourceMessage[]): string | null {
  if (events.length !== frames.length) return `${events.length} events of ${frames.length} frames`;
  for (const [index, { data, event, id }] of frames.entries()) {
    const got = events[index];
    if (got?.data !== data || (got.event ?? null) !== event || (got.id ?? null) !== id) return `event ${index} is not frame ${index}`;
  }
  return null;
}

/** What is wrong when this text goes through this format; null when nothing is. */
function checkFormat(framed: FramedFormat, run: LoggedRun, random: Random) {
  const { format, understand, documentedClient } = framed;
  const sent = send(framed, run, random);
  const bytes = Buffer.from(sent.wire);
  const events = format.lines ? receiveLines(bytes) : receive(bytes, random);
  const found = difference(sent, events);
  if (found !== null) return found;
  const { text, ends, endsLast } = understand(events);
  if (text !== run.text) return 'the text came out changed';
  if (ends !== 1 || !endsLast) return `${ends} ends`;
  const whole: SentRun = { bytes, text: run.text, events, terminal: run.terminal, largestFrame: sent.largestFrame };
  return documentedClient?.(whole) ?? null;
}

/** Sends one text through every format. Throws with text and format when it comes out changed, or with an event or end that nobody sent. */
function checkText(raw: string, random: Random): void {
  const text = loggedText(raw);
  const log = logOf(raw, text, random);
  const terminal = log.at(-1);
  if (!terminal || !isTerminal(terminal)) throw new Error('a log without an end');
  for (const format of framedFormats) {
    const problem = checkFormat(format, { log, text, terminal }, random);
    if (problem !== null) throw new Error(`${format.format.name}: ${problem}: ${JSON.stringify(raw.slice(0, 2_000))}`);
  }
}

/**
 * Sends random hostile texts through text intake, log, every dialect's encoder and the SSE serializer, and reads them as independent clients
 * do. Throws at the first that is not read as it entered the log, in one piece and with exactly one end. Gives the code units it sent.
 */
export function proveFraming({ texts, seed }: FramingOptions): { readonly units: number } {
  const random = createRandom(seed);
  let units = 0;
  for (let done = 0; done < texts; done += 1) {
    const raw = hostileText(random);
    units += raw.length;
    try {
      checkText(raw, random);
    } catch (cause) {
      throw new Error(`Text ${done + 1} of seed ${seed} breaks the framing`, { cause });
    }
  }
  return { units };
}
