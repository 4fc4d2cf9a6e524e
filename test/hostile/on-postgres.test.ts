import { describe } from 'vitest';
import { findTestServer } from '../support/test-database.ts';
import { storeTargetsIn } from './target.ts';

const server = await findTestServer();
if (server !== null) storeTargetsIn(server);

describe.skipIf(server === null)('on PostgreSQL, bodies', () => import('./bodies.test.ts').then(() => undefined));
describe.skipIf(server === null)('on PostgreSQL, ids', () => import('./ids.test.ts').then(() => undefined));
describe.skipIf(server === null)('on PostgreSQL, isolation', () => import('./isolation.test.ts').then(() => undefined));
describe.skipIf(server === null)('on PostgreSQL, requests', () => import('./requests.test.ts').then(() => undefined));
describe.skipIf(server === null)('on PostgreSQL, credentials', () => import('./credentials.test.ts').then(() => undefined));
describe.skipIf(server === null)('on PostgreSQL, half sent', () => import('./half-sent.test.ts').then(() => undefined));
describe.skipIf(server === null)('on PostgreSQL, chosen ids', () => import('./chosen-ids.test.ts').then(() => undefined));
