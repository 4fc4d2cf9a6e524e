import { describe } from 'vitest';
import { findTestServer } from '../support/test-database.ts';
import { storeTargetsIn } from './target.ts';

const server = await findTestServer();
if (server !== null) storeTargetsIn(server);

describe.skipIf(server === null)('on PostgreSQL, keys', () => import('./scopes.test.ts').then(() => undefined));
describe.skipIf(server === null)('on PostgreSQL, tokens', () => import('./token-scopes.test.ts').then(() => undefined));
describe.skipIf(server === null)('on PostgreSQL, chat sockets', () => import('./socket-scopes.test.ts').then(() => undefined));
