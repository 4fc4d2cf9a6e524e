import { join } from 'node:path';
import type { Logger } from 'pino';
import { openFileBlobs } from '../backends/blobs/files/index.ts';
import { systemClock } from '../backends/clock/system-clock.ts';
import { createExtractor } from '../backends/extractors/create-extractor.ts';
import type { Config } from '../config.ts';
import type { BlobStore } from '../core/ports/blob-store.ts';
import type { Extractor } from '../core/ports/extractor.ts';

/** What keeps files and reads the text in them. */
interface OpenFiles {
  readonly blobs: BlobStore;
  readonly extractor: Extractor;
  close(): Promise<void>;
}

/** Files lie where the rest of the data does: beside an embedded store, or in the database that servers share. */
export async function openFiles(config: Config, log: Logger): Promise<OpenFiles> {
  const blobs = await openBlobs(config, log);
  const extractor = createExtractor({ clock: systemClock });
  return {
    blobs,
    extractor,
    async close() {
      await extractor.close();
      await blobs.close();
    },
  };
}

async function openBlobs({ databaseUrl, dataDir }: Config, log: Logger): Promise<BlobStore> {
  const folder = join(dataDir, 'files');
  if (databaseUrl === null) return openFileBlobs(folder);
  const { openPostgresBlobs } = await import('../backends/blobs/postgres/index.ts');
  const onFault = (err: unknown) => log.warn({ err }, 'a connection that keeps files broke');
  return openPostgresBlobs({ url: databaseUrl, incoming: join(folder, 'incoming'), clock: systemClock, onFault });
}
