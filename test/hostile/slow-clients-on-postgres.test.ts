import { describe } from 'vitest';
import { findTestServer } from '../support/test-database.ts';
import { storeTargetsIn } from './target.ts';

const server = await findTestServer();
if (server !== null) storeTargetsIn(server);

describe.skipIf(server === null)('on PostgreSQL, slow requests', () => import('./slow-requests.test.ts').then(() => undefined));
describe.skipIf(server === null)('on PostgreSQL, stopped readers', () => import('./stopped-readers.test.ts').then(() => undefined));
