import { createHash } from 'node:crypto';
import type { Dialect } from '../dialect.ts';
import { createAsyncApi } from './async-api.ts';
import type { DescribedRoute } from './described-routes.ts';
import { createOpenApi } from './open-api.ts';
import { toOpenApi30 } from './open-api-30.ts';
import type { DescribedDialect } from './operation.ts';

/** A document as it is sent. */
export interface CachedDocument {
  readonly text: string;
  readonly etag: string;
}

interface Documents {
  readonly openApi: CachedDocument;
  readonly openApi30: CachedDocument;
  /** For callers who reach the server at this address. */
  asyncApi(url: string): CachedDocument;
}

/** Writes all descriptions of a server. Loaded and called when the first of them is asked for. */
export async function writeDocuments(routes: readonly DescribedRoute[], dialects: readonly Dialect[]): Promise<Documents> {
  const described = await describe(dialects);
  const openApi = createOpenApi(routes, described);
  const asyncApis = new Map<string, CachedDocument>();
  return {
    openApi: cache(openApi),
    openApi30: cache(toOpenApi30(openApi)),
    asyncApi(url) {
      const known = asyncApis.get(url) ?? cache(createAsyncApi(described, url));
      asyncApis.set(url, known);
      return known;
    },
  };
}

async function describe(dialects: readonly Dialect[]): Promise<readonly DescribedDialect[]> {
  const described = await Promise.all(
    dialects.map(async ({ name, purpose, prefixes, document }) =>
      document ? [{ name, purpose, prefixes, document: await document() }] : [],
    ),
  );
  return described.flat();
}

function cache(document: object): CachedDocument {
  const text = JSON.stringify(document);
  return { text, etag: `"${createHash('sha256').update(text).digest('base64url')}"` };
}
