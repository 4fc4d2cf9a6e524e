import { createHash } from 'node:crypto';
import type { FastifyRequest } from 'fastify';
import { AppError } from '../core/errors.ts';
import type { RepeatKey } from '../engine/index.ts';

const VISIBLE_ASCII = /^[\x21-\x7e]{1,255}$/;

/** The request's `Idempotency-Key` with a fingerprint of dialect, method, path and body; null without one. Throws `idempotency_key_invalid`. */
export function readRepeatKey(request: FastifyRequest, dialect: string): RepeatKey | null {
  const key = request.headers['idempotency-key'];
  if (key === undefined) return null;
  if (typeof key !== 'string' || !VISIBLE_ASCII.test(key)) {
    throw new AppError('idempotency_key_invalid', 'Idempotency-Key must be 1 to 255 visible ASCII characters.');
  }
  const path = request.url.split('?', 1)[0];
  const content = JSON.stringify([dialect, request.method, path, request.body ?? null]);
  return { key, fingerprint: createHash('sha256').update(content).digest('hex') };
}
