import { expect, test } from 'vitest';
import { LAST_TEMPLATE_NUMBER } from '../../core/prompt.ts';
import { renderPrompt } from '../../engine/prompts/render.ts';
import { loadTemplates } from './load-templates.ts';

const templates = (await loadTemplates()).toSorted((left, right) => left.number - right.number);

interface Variable {
  readonly description: string;
  readonly default?: string | number;
}

const variablesOf = (metadata: object) => Object.entries((metadata as { readonly variables: Record<string, Variable> }).variables);
const placeholdersIn = (text: string) => [...new Set([...text.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => name))].toSorted();

test('the numbers are for good: a number once given names the same template in every version', () => {
  expect(templates.map(({ number, title }) => `${number} ${title}`)).toEqual([
    '1 Summarize a text',
    '2 Translate',
    '3 Improve a text',
    '4 Reply to an e-mail',
    '5 Explain a topic',
    '6 Review code',
    '7 Find the cause of an error',
    '8 Write minutes of a meeting',
    '9 Extract data from a text',
    '10 Brainstorm ideas',
    '11 Compare options',
    '12 Answer a question from a text',
    '13 Answer a customer',
    '14 Make a quiz',
  ]);
  expect(templates.every(({ number }) => number >= 1 && number <= LAST_TEMPLATE_NUMBER)).toBe(true);
});

test.each(templates.map((template) => [template.title, template] as const))(
  '%s says what each of its placeholders means',
  (_title, template) => {
    const { content, description, scenario, metadata, createdAt, updatedAt } = template;
    const variables = variablesOf(metadata);
    expect(variables.map(([name]) => name).toSorted()).toEqual(placeholdersIn(content));
    for (const [, variable] of variables) expect(variable.description).toMatch(/^\p{Lu}.*\.$/u);
    expect([description ?? '', scenario]).toEqual([expect.stringMatching(/^\p{Lu}.*\.$/u), expect.stringMatching(/^[a-z-]{1,100}$/)]);
    expect(createdAt).toBeGreaterThan(Date.UTC(2026));
    expect(updatedAt).toBeGreaterThanOrEqual(createdAt);
  },
);

test.each(templates.map((template) => [template.title, template] as const))(
  '%s is whole when what has no default is given',
  (_title, template) => {
    const needed = variablesOf(template.metadata).filter(([, variable]) => variable.default === undefined);
    expect(needed.length).toBeGreaterThan(0);
    const given = Object.fromEntries(needed.map(([name]) => [name, `GIVEN ${name}`]));
    const text = renderPrompt(template.content, given, template.metadata);
    expect(placeholdersIn(text)).toEqual([]);
    for (const [name] of needed) expect(text).toContain(`GIVEN ${name}`);
  },
);
