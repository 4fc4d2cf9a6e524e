import type { Clock } from '../../../core/ports/clock.ts';
import type { Tool } from '../../../core/ports/tool.ts';

const NUMBERS = { year: 'numeric', month: '2-digit', day: '2-digit', hour: '2-digit', minute: '2-digit', second: '2-digit' } as const;

/** Tells the time, since a model knows none. */
export function createClockTool({ now }: Pick<Clock, 'now'>): Tool {
  return {
    name: 'clock',
    description: 'Tells the current date, time and day of the week, in UTC and in a time zone.',
    parameters: {
      type: 'object',
      properties: { time_zone: { type: 'string', description: 'An IANA time zone such as Europe/Rome; UTC without it.', maxLength: 100 } },
      additionalProperties: false,
    },
    readOnly: true,
    async call({ time_zone: zone }) {
      const date = new Date(now());
      const timeZone = typeof zone === 'string' ? zone : 'UTC';
      const local = localTime(date, timeZone);
      if (local === null) return { status: 'failed', result: 'There is no time zone of that name; use one such as Europe/Rome.' };
      return { status: 'completed', result: `${date.toISOString()} in UTC\n${local} in ${timeZone}` };
    },
  };
}

/** For example `Friday 2026-11-20 18:05:00 GMT+05:00`; null when there is no such zone. */
function localTime(date: Date, timeZone: string): string | null {
  try {
    const format = new Intl.DateTimeFormat('en-US', {
      ...NUMBERS,
      timeZone,
      weekday: 'long',
      hourCycle: 'h23',
      timeZoneName: 'longOffset',
    });
    const parts = new Map(format.formatToParts(date).map(({ type, value }) => [type, value]));
    const [day, time] = [['year', 'month', 'day'] as const, ['hour', 'minute', 'second'] as const].map((types) =>
      types.map((type) => parts.get(type)),
    );
    return `${parts.get('weekday')} ${day?.join('-')} ${time?.join(':')} ${parts.get('timeZoneName')}`;
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
}
