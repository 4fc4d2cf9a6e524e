import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { anyHistory } from '../../../../test/support/histories.ts';
import { startUpstream, type Upstream } from '../../../../test/support/upstream.ts';
import { questionFor, VENDORS, vendorAnswer } from '../../../../test/support/vendor-answers.ts';
import { render } from '../../../engine/context/render.ts';

interface Block {
  readonly type: string;
  readonly id?: string;
  readonly tool_use_id?: string;
  readonly text?: string;
}

interface Turn {
  readonly role: string;
  readonly content: readonly Block[];
}

interface Part {
  readonly text?: string;
  readonly functionCall?: { readonly name: string };
  readonly functionResponse?: { readonly name: string };
}

let open: Upstream[] = [];
beforeAll(() => {
  open = [];
});
afterAll(() => Promise.all(open.map((upstream) => upstream.close())));

test.each(VENDORS)('any history makes a request that $name takes', async (vendor) => {
  const upstream = await startUpstream(vendorAnswer(vendor, ['ok']));
  open.push(upstream);
  const clock = { now: () => 0, sleep: async () => {} };
  const provider = await vendor.create({ name: vendor.name, baseUrl: upstream.baseUrl, apiKey: 'k', clock });
  await fc.assert(
    fc.asyncProperty(anyHistory, async (history) => {
      const messages = render(history, { instructions: ['Be brief.'], provider: vendor.name });
      await provider.stream({ ...questionFor(vendor), messages }, () => {}, new AbortController().signal);
      const body = upstream.requests.at(-1)?.body as Readonly<Record<string, unknown>>;
      if (vendor.name === 'anthropic') expectLegalTurns(body.messages as readonly Turn[], body.tools !== undefined);
      else expectLegalContents(body.contents as readonly { role: string; parts: readonly Part[] }[]);
    }),
    { numRuns: 150 },
  );
});

/** Roles in turns beginning and ending with the user; each call answered at the start of the next turn; no blank text. */
function expectLegalTurns(turns: readonly Turn[], declaresTools: boolean): void {
  expect(turns.map(({ role }) => role)).toEqual(turns.map((_turn, index) => (index % 2 === 0 ? 'user' : 'assistant')));
  expect(turns.length % 2).toBe(1);
  for (const [index, { content }] of turns.entries()) {
    expect(content.length).toBeGreaterThan(0);
    for (const block of content) if (block.type === 'text') expect(block.text).toMatch(/\S/);
    const before = (turns[index - 1]?.content ?? []).filter(({ type }) => type === 'tool_use').map(({ id }) => id);
    const results = content.slice(0, before.length).map(({ tool_use_id }) => tool_use_id);
    expect(results).toEqual(before);
    expect(content.slice(before.length).some(({ type }) => type === 'tool_result')).toBe(false);
    if (before.length > 0) expect(declaresTools).toBe(true);
  }
}

/** Begins and ends with the user; the content behind calls holds exactly their results, in their order. */
function expectLegalContents(contents: readonly { role: string; parts: readonly Part[] }[]): void {
  expect(contents[0]?.role).toBe('user');
  expect(contents.at(-1)?.role).toBe('user');
  for (const [index, { parts }] of contents.entries()) {
    expect(parts.length).toBeGreaterThan(0);
    const calls = (contents[index - 1]?.parts ?? []).flatMap(({ functionCall }) => (functionCall ? [functionCall.name] : []));
    const results = parts.flatMap(({ functionResponse }) => (functionResponse ? [functionResponse.name] : []));
    expect(results).toEqual(calls);
    if (calls.length > 0) expect(parts).toHaveLength(calls.length);
  }
}
