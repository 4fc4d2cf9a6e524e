import { createHash } from 'node:crypto';
import type { FastifyRequest } from 'fastify';
import { AppError } from '../core/errors.ts';
import type { RepeatKey } from '../engine/index.ts';

const VISIBLE_ASCII = /^[\x21-\x7e]{1,255}$/;

/**
 * The request's `Idempotency-Key`, null without one, with a fingerprint of what it asks for: dialect, method, path below the dialect's prefix
 * (a dialect may have several) and body, whatever the order of its fields. Throws `idempotency_key_invalid`.
 */
export function readRepeatKey(request: FastifyRequest, dialect: string): RepeatKey | null {
  const key = request.headers['idempotency-key'];
  if (key === undefined) return null;
  const path = request.url.slice(request.server.prefix.length).split('?', 1)[0];
  const content = JSON.stringify([dialect, request.method, path, request.body ?? null], sortFields);
  return { key: checkRepeatKey(key), fingerprint: createHash('sha256').update(content).digest('hex') };
}

/** Throws `idempotency_key_invalid` unless this may be an `Idempotency-Key`. */
export function checkRepeatKey(key: unknown): string {
  if (typeof key === 'string' && VISIBLE_ASCII.test(key)) return key;
  throw new AppError('idempotency_key_invalid', 'Idempotency-Key must be 1 to 255 visible ASCII characters.');
}

/** A `JSON.stringify` replacer that writes every object's fields in one order. */
function sortFields(_key: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([left], [right]) => (left < right ? -1 : 1)));
}
