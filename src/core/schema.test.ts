import * as TypeBox from 'typebox';
import { expect, expectTypeOf, test } from 'vitest';
import { type Static, Type } from './schema.ts';

/** The same schema made by both. */
const made = (make: (type: typeof Type) => unknown) =>
  [make(Type), make(TypeBox.Type as unknown as typeof Type)].map((it) => JSON.stringify(it));

const bounds = { minLength: 1, maxLength: 9, description: 'd' };
test.each<[string, (type: typeof Type) => unknown]>([
  ['String', (type) => type.String(bounds)],
  ['String without options', (type) => type.String()],
  ['Number', (type) => type.Number({ minimum: 0, nullable: true })],
  ['Integer', (type) => type.Integer({ maximum: 3 })],
  ['Boolean', (type) => type.Boolean({ default: true })],
  ['Literal', (type) => type.Array(type.Literal(1), { description: 'one' })],
  ['Literal of text', (type) => type.Literal('a')],
  ['Enum', (type) => type.Enum(['a', 'b'], { description: 'd' })],
  ['Array', (type) => type.Array(type.String(), { minItems: 1 })],
  ['Object', (type) => type.Object({ a: type.String(), b: type.Optional(type.Integer(bounds)) }, { additionalProperties: false })],
  ['Object of optional things', (type) => type.Object({ a: type.Optional(type.Unsafe({ type: ['string', 'null'] })) })],
  ['Object of nothing', (type) => type.Object({})],
  ['Object from another', (type) => type.Object({ ...type.Object({ a: type.Optional(type.String()) }).properties, b: type.String() })],
  ['Record', (type) => type.Record(type.String({ pattern: '^.{1,3}$' }), type.Boolean(), { description: 'd' })],
  ['Record of any name', (type) => type.Record(type.String(), type.Boolean())],
  ['Partial', (type) => type.Partial(type.Object({ a: type.String(), b: type.Optional(type.String()) }), { additionalProperties: false })],
  ['Object from a Partial', (type) => type.Object(type.Partial(type.Object({ a: type.String() })).properties)],
  ['Unsafe', (type) => type.Unsafe<string | null>({ type: ['string', 'null'], maxLength: 3 })],
])('%s is what TypeBox makes', (_, make) => {
  const [ours, theirs] = made(make);
  expect(ours).toBe(theirs);
});

test('a schema has the type of what fits it', () => {
  const schema = Type.Object({
    kind: Type.Enum(['a', 'b']),
    one: Type.Literal(1),
    names: Type.Array(Type.String()),
    size: Type.Optional(Type.Integer()),
    text: Type.Unsafe<string | null>({ type: ['string', 'null'] }),
    by: Type.Record(Type.String({ pattern: '^.$' }), Type.Boolean()),
  });
  expectTypeOf<Static<typeof schema>>().toEqualTypeOf<{
    kind: 'a' | 'b';
    one: 1;
    names: string[];
    size?: number;
    text: string | null;
    by: Record<string, boolean>;
  }>();
  const partial = Type.Partial(schema);
  expectTypeOf<Static<typeof partial>['kind']>().toEqualTypeOf<'a' | 'b' | undefined>();
});
