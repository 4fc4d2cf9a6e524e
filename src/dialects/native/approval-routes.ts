import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { approvalNotFound } from '../../core/refusals.ts';
import { type Static, Type } from '../../core/schema.ts';
import type { JsonObject } from '../../core/thread.ts';
import type { DialectDeps } from '../../http/dialect.ts';
import { readRepeatKey } from '../../http/idempotency.ts';
import { callerIn, nameRun, runIn } from './request.ts';
import { toRunView } from './translate.ts';

const MAX_ARGUMENTS = 200_000;
const MAX_CALL_ID = 64;

/** Body of POST `/runs/{id}/approvals/{call_id}`. */
const DecideBody = Type.Object(
  {
    decision: Type.Enum(['approve', 'deny']),
    arguments: Type.Optional(Type.Unsafe<JsonObject | string | null>({ type: ['object', 'string', 'null'], maxLength: MAX_ARGUMENTS })),
  },
  { additionalProperties: false },
);
type DecideBody = Static<typeof DecideBody>;

/** Adds deciding about calls that wait for an approval. */
export function registerApprovalRoutes(scope: FastifyInstance, deps: DialectDeps): void {
  scope.post('/runs/:run_id/approvals/:call_id', { schema: { body: DecideBody } }, (request, reply) => decide(deps, request, reply));
}

async function decide({ engine }: DialectDeps, request: FastifyRequest, reply: FastifyReply): Promise<object> {
  const { decision, arguments: args = null } = request.body as DecideBody;
  // A repeated decision changes nothing; what is no key is refused all the same.
  readRepeatKey(request, 'native');
  const runId = runIn(request);
  const callId = await callIn({ engine }, request, runId);
  const run = await engine.runs.decide(callerIn(request), { runId, callId, decision, arguments: args });
  nameRun(reply, run);
  return toRunView(run);
}

/** The call in the path; what no call can be named is an approval that does not exist, in a run that does. */
async function callIn({ engine }: Pick<DialectDeps, 'engine'>, request: FastifyRequest, runId: ReturnType<typeof runIn>): Promise<string> {
  const { call_id: id = '' } = request.params as { call_id?: string };
  if (id.length <= MAX_CALL_ID && id.isWellFormed() && !id.includes('\0')) return id;
  await engine.runs.find(callerIn(request), runId);
  throw approvalNotFound();
}
