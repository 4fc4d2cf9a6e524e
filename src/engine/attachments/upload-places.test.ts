import { expect, test } from 'vitest';
import { annCalling } from '../../../test/support/stub-engine.ts';
import type { ApplicationId } from '../../core/ids.ts';
import { createUploadPlaces } from './upload-places.ts';

const observer = { refused: () => undefined };
const callerOf = (application: string, user: string) => ({
  ...annCalling,
  applicationId: application as ApplicationId,
  userId: user,
});

test('one application leaves places to the others, and gets its own back', () => {
  const take = createUploadPlaces({ observer });
  const takeMany = (application: string, users: number) =>
    Array.from({ length: users * 4 }, (_, index) => take(callerOf(application, `user ${index % users}`)));
  const [release = () => undefined] = takeMany('greedy', 6);
  const busy = expect.objectContaining({ code: 'overloaded' });
  expect(() => take(callerOf('greedy', 'another'))).toThrow(busy);
  takeMany('calm', 2);
  expect(() => take(callerOf('third', 'user'))).toThrow(busy);
  release();
  release();
  take(callerOf('greedy', 'another'));
  expect(() => take(callerOf('greedy', 'another'))).toThrow(busy);
});
