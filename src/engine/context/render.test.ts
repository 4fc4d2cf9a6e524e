import fc from 'fast-check';
import { expect, test } from 'vitest';
import { anyHistory, message } from '../../../test/support/histories.ts';
import { objections } from '../../../test/support/strict-provider.ts';
import type { Part } from '../../core/message.ts';
import { render } from './render.ts';

const options = { instructions: [], provider: 'openai' };
const text = (words: string): Part => ({ type: 'text', text: words });
const call = (call_id: string): Part => ({ type: 'tool_call', call_id, name: 'search', arguments: '{"q":1}' });
const result = (call_id: string, words: string): Part => ({
  type: 'tool_result',
  call_id,
  name: 'search',
  status: 'completed',
  result: words,
});

test('any history and each of its beginnings makes a request that strict providers accept', () => {
  fc.assert(
    fc.property(anyHistory, fc.array(fc.constantFrom('', ' ', 'Be brief.', '\ud800')), (history, instructions) => {
      for (let length = 0; length <= history.length; length += 1) {
        expect(objections(render(history.slice(0, length), { instructions, provider: 'openai' }))).toEqual([]);
      }
    }),
    { numRuns: 1500 },
  );
});

test('a legal conversation goes out as it is', () => {
  const history = [
    message('user', [text('What is new?')]),
    message('assistant', [
      text('I look.'),
      call('a'),
      call('b'),
      result('b', 'rb'),
      result('a', 'ra'),
      call('c'),
      result('c', 'rc'),
      text('Nothing.'),
    ]),
    message('user', [text('Sure?')]),
  ];
  expect(render(history, { ...options, instructions: ['Be brief.', 'Be kind.'] })).toEqual([
    { role: 'system', parts: [text('Be brief.\n\nBe kind.')] },
    { role: 'user', parts: [text('What is new?')] },
    { role: 'assistant', parts: [text('I look.'), call('a'), call('b')] },
    { role: 'tool', parts: [result('a', 'ra')] },
    { role: 'tool', parts: [result('b', 'rb')] },
    { role: 'assistant', parts: [call('c')] },
    { role: 'tool', parts: [result('c', 'rc')] },
    { role: 'assistant', parts: [text('Nothing.')] },
    { role: 'user', parts: [text('Sure?')] },
  ]);
});

test('an open call is closed as cancelled, a stray or second result is left out', () => {
  const history = [
    message('user', [text('go')]),
    message('assistant', [result('a', 'early'), call('a'), result('a', 'first'), result('a', 'second'), call('b')], 'completed'),
    message('user', [text('and?'), result('b', 'too late')]),
  ];
  expect(render(history, options)).toEqual([
    { role: 'user', parts: [text('go')] },
    { role: 'assistant', parts: [call('a')] },
    { role: 'tool', parts: [result('a', 'first')] },
    { role: 'assistant', parts: [call('b')] },
    { role: 'tool', parts: [{ ...result('b', 'The call was cancelled.'), status: 'cancelled' }] },
    { role: 'user', parts: [text('and?')] },
  ]);
});

test('only an assistant calls tools', () => {
  expect(render([message('user', [text('go'), call('a')])], options)).toEqual([{ role: 'user', parts: [text('go')] }]);
});

test('repeated and malformed call ids are replaced together with their results', () => {
  const rendered = render(
    [
      message('user', [text('go')]),
      message('assistant', [call('a'), result('a', '1'), call('a'), result('a', '2'), call(''), result('', '3')]),
    ],
    options,
  );
  const ids = rendered.flatMap(({ parts }) => parts.flatMap((part) => ('call_id' in part ? [part.call_id] : [])));
  expect(ids).toEqual(['a', 'a', 'call_1', 'call_1', 'call_2', 'call_2']);
  expect(rendered.flatMap(({ parts }) => parts.flatMap((part) => (part.type === 'tool_result' ? [part.result] : [])))).toEqual([
    '1',
    '2',
    '3',
  ]);
});

test('unfinished answers keep their text, empty ones vanish and their neighbours become one message', () => {
  const history = [
    message('assistant', [text('greeting')]),
    message('user', [text('one')]),
    message('assistant', [call('a')], 'failed'),
    message('user', [text('two')]),
    message('assistant', [{ type: 'reasoning', text: 'hm' }, text('half an ans')], 'cancelled'),
    message('assistant', [text('more'), { type: 'error', code: 'x', detail: 'y' }]),
    message('user', [text('three')]),
  ];
  expect(render(history, options)).toEqual([
    { role: 'user', parts: [text('one'), text('\n\ntwo')] },
    { role: 'assistant', parts: [text('half an ans'), text('\n\nmore')] },
    { role: 'user', parts: [text('three')] },
  ]);
});

test('notes go back to their own provider only', () => {
  const noted = (provider: Record<string, unknown>): Part => ({ type: 'text', text: 'x', provider });
  const history = [
    message('user', [noted({ openai: 1, other: 2 })]),
    message('assistant', [noted({ other: 2 })]),
    message('user', [text('y')]),
  ];
  expect(render(history, options).map(({ parts }) => parts)).toEqual([[noted({ openai: 1 })], [text('x')], [text('y')]]);
});

test('arguments that are no JSON object stay readable inside one', () => {
  const broken: Part = { type: 'tool_call', call_id: 'a', name: 'search', arguments: '{"q":' };
  expect(render([message('user', [text('go')]), message('assistant', [broken])], options)[1]?.parts).toEqual([
    { ...broken, arguments: '{"unparsed":"{\\"q\\":"}' },
  ]);
});

test('no user text is lost', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.boolean(), fc.stringMatching(/^[a-z]{3,9}$/)), { maxLength: 12 }), (turns) => {
      const rendered = render(
        turns.map(([user, words]) => message(user ? 'user' : 'assistant', [text(words)])),
        options,
      );
      const said = rendered.flatMap(({ role, parts }) =>
        role === 'user' ? parts.flatMap((part) => (part.type === 'text' ? part.text.split('\n\n') : [])) : [],
      );
      expect(said.filter((words) => words !== '' && words !== 'Continue.')).toEqual(
        turns.filter(([user]) => user).map(([, words]) => words),
      );
    }),
  );
});
