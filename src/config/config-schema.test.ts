import { readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { expect, test } from 'vitest';
import { loadConfig } from '../config.ts';
import { configSchemaDocument } from './config-schema.ts';

const stored: unknown = JSON.parse(readFileSync(new URL('../../polylogue.config.schema.json', import.meta.url), 'utf8'));

test('the stored schema is the one that settings are checked against (node scripts/write-config-schema.mjs makes it anew)', () => {
  expect(stored).toEqual(JSON.parse(JSON.stringify(configSchemaDocument())));
});

test.each([
  [{ version: 1 }, true],
  [{ version: 1, tiers: { free: { user: { connections: null } } }, limits: { runSeconds: 60 } }, true],
  [{ version: 2 }, false],
  [{ version: 1, limit: {} }, false],
  [{ version: 1, tiers: { free: { user: { connections: 0 } } } }, false],
  [{ version: 1, tiers: { '': {} } }, false],
])('an editor says of %j what the server says', (file, valid) => {
  const editor = new Ajv2020({ strict: true, allowUnionTypes: true }).compile(configSchemaDocument());
  expect(editor(file)).toBe(valid);
  const load = () => loadConfig({ env: {}, cwd: '/srv', readFile: () => JSON.stringify(file) });
  if (valid) expect(load).not.toThrow();
  else expect(load).toThrow(/config\.json:1:\d+: /);
});

type Schema = Readonly<Record<string, unknown>>;

/** Every setting of a schema with its path; entries of named things stand for all of them. */
function settingsOf(schema: Schema, path = ''): readonly (readonly [string, Schema])[] {
  const below = [schema.properties, schema.patternProperties].flatMap((group) => Object.entries((group ?? {}) as Record<string, Schema>));
  return below.flatMap(([name, setting]) => [[`${path}/${name}`, setting] as const, ...settingsOf(setting, `${path}/${name}`)]);
}

test('every setting has a description, and its default is the real one', () => {
  const settings = settingsOf(configSchemaDocument() as Schema);
  expect(settings.length).toBeGreaterThan(30);
  expect(settings.filter(([, { description }]) => typeof description !== 'string').map(([path]) => path)).toEqual([]);
  const config: unknown = loadConfig({ env: {}, cwd: '/srv', readFile: () => null });
  const defaults = settings.filter(([path, setting]) => 'default' in setting && !path.includes('^'));
  expect(defaults.length).toBeGreaterThan(9);
  for (const [path, setting] of defaults) {
    const real = path
      .split('/')
      .slice(1)
      .reduce((value, name) => (value as Schema)[name], config);
    expect([path, real]).toEqual([path, setting.default]);
  }
});
