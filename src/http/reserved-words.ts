import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { AppError } from '../core/errors.ts';

interface Reserved {
  readonly words: readonly string[];
  readonly answer: (failure: AppError, request: FastifyRequest, reply: FastifyReply) => void;
}

/** Answers requests as of an unknown address whose path has one of these words where the scope's prefix has a parameter. */
export function refuseReserved(scope: FastifyInstance, { words, answer }: Reserved): void {
  const names = [...scope.prefix.matchAll(/:(\w+)/g)].map(([, name = '']) => name);
  if (names.length === 0 || words.length === 0) return;
  scope.addHook('onRequest', async (request, reply) => {
    const values = request.params as Readonly<Record<string, string | undefined>>;
    if (!names.some((name) => words.includes(values[name] ?? ''))) return undefined;
    answer(new AppError('route_not_found', 'There is nothing at this address.'), request, reply);
    return reply;
  });
}
