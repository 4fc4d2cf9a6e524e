import fastifyCors from '@fastify/cors';
import type { FastifyInstance } from 'fastify';

const LOOPBACK = /^http:\/\/(?:localhost|127\.0\.0\.1)(?::\d{1,5})?$/;

const exposedHeaders = [
  'X-Session-Id',
  'X-Thread-Id',
  'X-Run-Id',
  'X-Request-Id',
  'X-Model',
  'Retry-After',
  'RateLimit',
  'Idempotent-Replayed',
  'X-RateLimit-Limit',
  'X-RateLimit-Remaining',
  'X-RateLimit-Reset',
];

export interface OriginPolicy {
  /** Origins as browsers send them, compared exactly. */
  readonly allowedOrigins: readonly string[];
  /** Also lets pages of this machine in, on every port. */
  readonly development: boolean;
}

/** Whether a page from this origin may call the server. */
export function isOriginAllowed(origin: string, policy: OriginPolicy): boolean {
  return policy.allowedOrigins.includes(origin) || (policy.development && LOOPBACK.test(origin));
}

/** Answers preflights and lets the pages of allowed origins read responses (WHATWG Fetch section 3.2). */
export async function useCors(app: FastifyInstance, policy: OriginPolicy): Promise<void> {
  await app.register(fastifyCors, {
    origin: (origin, done) => done(null, origin !== undefined && isOriginAllowed(origin, policy)),
    methods: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'],
    exposedHeaders,
    maxAge: 600,
  });
}
