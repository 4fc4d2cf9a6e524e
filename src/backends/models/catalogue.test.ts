import { expect, test } from 'vitest';
import type { ModelProvider } from '../../core/ports/model-provider.ts';
import { type CatalogueOptions, createCatalogue } from './catalogue.ts';

const never = new AbortController().signal;

function providerOf(list: () => readonly string[]): ModelProvider {
  return { stream: () => Promise.reject(new Error('unused')), listModels: async () => list() };
}

const demo = providerOf(() => ['demo']);
const openai = providerOf(() => ['gpt-4', 'gpt-4.1-2025-04-14', 'with space', 'qwen/qwen3']);

function build(settings: CatalogueOptions['settings'], providers: Record<string, ModelProvider>) {
  const warnings: string[] = [];
  const log = { info: () => {}, warn: (_details: object, message: string) => void warnings.push(message) };
  return { catalogue: createCatalogue({ settings, providers: { ...providers, demo }, log }), warnings };
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
