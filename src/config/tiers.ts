import { DEFAULT_TIER, DEVELOPMENT_TIER, type Tier, type UseLimits } from '../core/limits.ts';
import type { ConfigFile } from './config-schema.ts';

const BUILT_IN: Tier = {
  user: { requestsPerMinute: 6_000, messagesPerMinute: 600, messagesPerHour: 10_000, concurrentRuns: 200, connections: 500 },
  application: {
    requestsPerMinute: 120_000,
    messagesPerMinute: 30_000,
    messagesPerHour: 500_000,
    concurrentRuns: 5_000,
    connections: 20_000,
  },
};

const UNBOUNDED: UseLimits = {
  requestsPerMinute: null,
  messagesPerMinute: null,
  messagesPerHour: null,
  concurrentRuns: null,
  connections: null,
};

/**
 * Every tier by name, the built-in `default` and `development` among them. What the file leaves out of a tier is as in the built-in default;
 * of `development` it is without bound.
 */
export function readTiers(file: ConfigFile): Readonly<Record<string, Tier>> {
  const development: Tier = { user: UNBOUNDED, application: UNBOUNDED };
  const configured = Object.entries(file.tiers ?? {}).map(([name, { user, application }]) => {
    const left = name === DEVELOPMENT_TIER ? development : BUILT_IN;
    return [name, { user: { ...left.user, ...user }, application: { ...left.application, ...application } }] as const;
  });
  return Object.fromEntries<Tier>([[DEFAULT_TIER, BUILT_IN], [DEVELOPMENT_TIER, development], ...configured]);
}
