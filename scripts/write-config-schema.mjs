import { writeFile } from 'node:fs/promises';
import { configSchemaDocument } from '../src/config/config-schema.ts';

// Writes what the settings are really checked against to the file that editors read; format it with Biome afterwards.
const file = new URL('../polylogue.config.schema.json', import.meta.url);
await writeFile(file, `${JSON.stringify(configSchemaDocument(), null, 2)}\n`);
