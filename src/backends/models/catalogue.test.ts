import { expect, test } from 'vitest';
import type { ModelProvider } from '../../core/ports/model-provider.ts';
import { type CatalogueOptions, createCatalogue } from './catalogue.ts';

const never = new AbortController().signal;

function providerOf(list: () => readonly string[]): ModelProvider {
  return { stream: () => Promise.reject(new Error('unused')), listModels: async () => list() };
}

const demo = providerOf(() => ['demo']);
const openai = providerOf(() => ['gpt-4', 'gpt-4.1-2025-04-14', 'with space', 'qwen/qwen3']);

function build(
  settings: CatalogueOptions['settings'],
  providers: Record<string, ModelProvider>,
  ownNames: Readonly<Record<string, readonly string[]>> = {},
) {
  const warnings: string[] = [];
  const told: unknown[] = [];
  const log = {
    info: (details: object) => void told.push(details),
    warn: (_details: object, message: string) => void warnings.push(message),
  };
  const options = { settings, providers: { ...providers, demo }, ownNames: new Map(Object.entries(ownNames)), log };
  return { catalogue: createCatalogue(options), warnings, told };
}

const names = ({ catalogue }: ReturnType<typeof build>) => catalogue.list().map(({ name }) => name);

test('without a provider the demo model serves every visible name', () => {
  const built = build({}, {});
  const { catalogue } = built;
  expect(names(built)).toEqual(['gpt-4', 'gpt-3.5-turbo', 'llama-3.3-70b-versatile', 'demo']);
  expect(catalogue.defaultModel).toBe('gpt-4');
  const model = catalogue.find('any-name');
  expect(model).toMatchObject({ name: 'any-name', provider: 'demo', window: 128_000, maxOutput: 4096 });
  expect(catalogue.provider('demo')).toBe(demo);
  for (const name of ['openai', '__proto__']) expect(catalogue.provider(name)).toBeNull();
  for (const bad of ['', ' ', 'a b', 'a\u0000', 'x'.repeat(101)]) expect(catalogue.find(bad)).toBeNull();
});

test('with an OpenAI-compatible provider: the customary names and what it lists', async () => {
  const built = build({}, { openai });
  expect(names(built)).toEqual(['gpt-4', 'gpt-3.5-turbo', 'llama-3.3-70b-versatile']);
  await built.catalogue.refresh(never);
  expect(names(built)).toEqual(['gpt-4', 'gpt-3.5-turbo', 'llama-3.3-70b-versatile', 'gpt-4.1-2025-04-14', 'qwen/qwen3']);
  expect(built.catalogue.find('gpt-4')).toEqual({ name: 'gpt-4', provider: 'openai', upstream: 'gpt-4', window: 8192, maxOutput: 2048 });
  expect(built.catalogue.find('gpt-4.1-2025-04-14')?.window).toBe(1_047_576);
  expect(built.catalogue.find('demo')).toBeNull();
  expect(built.catalogue.find('constructor')).toBeNull();
});

const CUSTOMARY = ['gpt-4', 'gpt-3.5-turbo', 'llama-3.3-70b-versatile'];

test('with only a provider that has names of its own: these, and the customary names mapped to one of them, which the log says', async () => {
  let list: readonly string[] = [];
  const anthropic = providerOf(() => list);
  const built = build({}, { anthropic }, { anthropic: ['claude-b', 'claude-a'] });
  const { catalogue, told } = built;
  expect(names(built)).toEqual([...CUSTOMARY, 'claude-b', 'claude-a']);
  expect(catalogue.defaultModel).toBe('gpt-4');
  expect(catalogue.find('gpt-4')).toMatchObject({ name: 'gpt-4', provider: 'anthropic', upstream: 'claude-b' });
  expect(catalogue.find('claude-a')).toMatchObject({ name: 'claude-a', provider: 'anthropic', upstream: 'claude-a' });
  expect(catalogue.find('demo')).toBeNull();
  const choice = (model: string) => ({ provider: 'anthropic', model, names: CUSTOMARY });
  expect(told).toEqual([choice('claude-b')]);

  await catalogue.refresh(never);
  expect(names(built)).toEqual([...CUSTOMARY, 'claude-b', 'claude-a']);
  list = ['claude-z', 'claude-a'];
  await catalogue.refresh(never);
  expect(names(built)).toEqual([...CUSTOMARY, 'claude-z', 'claude-a']);
  expect(catalogue.find('gpt-4')?.upstream).toBe('claude-a');
  list = ['claude-z'];
  await catalogue.refresh(never);
  expect(catalogue.find('gpt-4')?.upstream).toBe('claude-z');
  expect(told.filter((details) => 'names' in (details as object))).toEqual(['claude-b', 'claude-a', 'claude-z'].map(choice));
});

test('with several providers: all of their models, and names without an owner go to the one that may know any', async () => {
  const anthropic = providerOf(() => ['claude-a', 'shared']);
  const local = providerOf(() => ['llama', 'shared']);
  const built = build({ defaultModel: 'claude-a' }, { anthropic, local }, { anthropic: ['claude-a'] });
  expect(built.catalogue.find('gpt-4')).toMatchObject({ provider: 'local', upstream: 'gpt-4' });
  expect(built.catalogue.find('claude-a')).toMatchObject({ provider: 'anthropic', upstream: 'claude-a' });
  await built.catalogue.refresh(never);
  expect(names(built)).toEqual([...CUSTOMARY, 'claude-a', 'llama', 'shared']);
  expect(built.catalogue.find('shared')?.provider).toBe('local');
  expect(built.catalogue.find('claude-a')?.provider).toBe('anthropic');
});

test.each([
  ['claude-sonnet-5-5', 1_000_000, 128_000],
  ['claude-opus-4-8', 1_000_000, 128_000],
  ['claude-haiku-4-5-20251001', 200_000, 50_000],
  ['anthropic/claude-opus-4-1', 200_000, 32_000],
  ['claude-3-haiku-20240307', 200_000, 4096],
  ['gemini-4-argon', 1_048_576, 65_536],
  ['gemini-2.0-flash', 1_048_576, 8192],
  ['gpt-4.1', 1_047_576, 4096],
  ['unheard-of', 128_000, 4096],
])('%s has a window of %i and answers of at most %i tokens', (model, window, maxOutput) => {
  const { catalogue } = build({ defaultModel: 'x', models: { x: { provider: 'openai', model } } }, { openai });
  expect(catalogue.find('x')).toMatchObject({ window, maxOutput });
});

test('a list that cannot be had is logged and changes nothing', async () => {
  let works = true;
  const flaky = providerOf(() => {
    if (works) return ['extra'];
    throw new Error('down');
  });
  const built = build({}, { openai: flaky });
  await built.catalogue.refresh(never);
  works = false;
  await built.catalogue.refresh(never);
  expect(built.catalogue.find('extra')?.provider).toBe('openai');
  expect(built.warnings).toHaveLength(1);
});

test('a file decides alone which models there are', async () => {
  const models = { fast: { provider: 'openai', model: 'gpt-3.5-turbo' }, toy: { provider: 'demo', window: 1000, maxOutput: 100 } };
  const built = build({ defaultModel: 'fast', models }, { openai });
  await built.catalogue.refresh(never);
  expect(names(built)).toEqual(['fast', 'toy']);
  expect(built.catalogue.find('fast')).toEqual({
    name: 'fast',
    provider: 'openai',
    upstream: 'gpt-3.5-turbo',
    window: 16_385,
    maxOutput: 4096,
  });
  expect(built.catalogue.find('toy')).toMatchObject({ provider: 'demo', window: 1000, maxOutput: 100 });
  expect(built.catalogue.find('gpt-4')).toBeNull();
});

test('mistakes in a file are told at creation', () => {
  expect(() => build({ defaultModel: 'a', models: { a: { provider: 'nowhere' } } }, { openai })).toThrow(
    'The model "a" names the provider "nowhere", which is not configured: use one of openai, demo.',
  );
  expect(() => build({ models: { a: { provider: 'openai' } } }, { openai })).toThrow(
    'The default model "gpt-4" is none of the configured models',
  );
});
