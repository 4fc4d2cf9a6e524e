import type { Load } from './load.ts';
import type { Protocol } from './protocols.ts';

/** A load that is put on every target in turn. */
export interface StreamScenario {
  readonly name: string;
  /** For the table. */
  readonly what: string;
  readonly load: Omit<Load, 'place' | 'protocol'>;
  /** Whether answers come whole instead of as a stream. */
  readonly whole: boolean;
}

/** `small` is what CI has time for. */
export function streamScenarios(small: boolean): readonly StreamScenario[] {
  return [
    {
      name: 'burst',
      what: '64 streams x 400 tokens, as fast as they go, 8 tokens a write',
      load: { streams: 64, questions: small ? 8 : 24, tokens: 400, delayMs: 0, batch: 8, spreadMs: 0 },
      whole: false,
    },
    {
      name: 'paced',
      what: '500 streams x 150 tokens, 50 tokens/s each',
      load: { streams: 500, questions: small ? 1 : 3, tokens: 150, delayMs: 20, batch: 1, spreadMs: 3000 },
      whole: false,
    },
    {
      name: 'many',
      what: '2,000 streams at 10 tokens/s',
      load: { streams: 2000, questions: 1, tokens: small ? 30 : 100, delayMs: 100, batch: 1, spreadMs: 4000 },
      whole: false,
    },
    {
      name: 'short',
      what: 'a request of 20 tokens, not streamed, 4 clients',
      load: { streams: 4, questions: small ? 100 : 500, tokens: 20, delayMs: 0, batch: 20, spreadMs: 0 },
      whole: true,
    },
  ];
}

/** The dialects that stream; a scenario is measured on the first of them unless others are named. */
export const dialects: readonly Protocol[] = ['chat-sessions', 'graph', 'levia', 'native', 'chat-ws'];
