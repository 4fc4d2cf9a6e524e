import type { Clock } from '../../../core/ports/clock.ts';
import type { OutgoingFetch } from '../../../core/ports/egress.ts';
import type { PassageSearch } from '../../../core/ports/passage-search.ts';
import type { Tool, ToolSource } from '../../../core/ports/tool.ts';
import { calculator } from './calculator.ts';
import { createClockTool } from './clock.ts';
import { createHttpFetch } from './http-fetch.ts';
import { createSearchAttachments } from './search-attachments.ts';
import { weather } from './weather.ts';

interface BuiltIn {
  readonly clock: Pick<Clock, 'now'>;
  readonly search: PassageSearch;
  /** Null: nothing on the Internet can be read. */
  readonly fetch: OutgoingFetch | null;
}

/** The tools that every server has; agents name them without a prefix. */
export function createBuiltInSource({ clock, search, fetch }: BuiltIn): ToolSource {
  const tools: readonly Tool[] = [
    createClockTool(clock),
    calculator,
    createSearchAttachments(search),
    weather,
    ...(fetch === null ? [] : [createHttpFetch(fetch)]),
  ];
  return { name: 'builtin', list: async () => tools, close: async () => {} };
}
