import type { ErrorShape } from './error-handler.ts';
import { statusTitle } from './status-title.ts';

/** Failures as RFC 9457 problem details; native's shape, and that of addresses that belong to no dialect. */
export const problemShape: ErrorShape = {
  contentType: 'application/problem+json',
  body: (failure, status, request) => ({
    type: 'about:blank',
    title: statusTitle(status),
    status,
    detail: failure.message,
    code: failure.code,
    request_id: request.id,
    ...(failure.fields.length > 0 && { errors: failure.fields }),
  }),
};
