import type {
  Static,
  TArray,
  TArrayOptions,
  TBoolean,
  TEnum,
  TEnumValue,
  TInteger,
  TLiteral,
  TLiteralValue,
  TNumber,
  TNumberOptions,
  TObject,
  TObjectOptions,
  TOptional,
  TProperties,
  TRecord,
  TSchema,
  TSchemaOptions,
  TString,
  TStringOptions,
  TUnsafe,
} from 'typebox';

export type { Static, TProperties, TSchema };

const OPTIONAL = '~optional';

/** The type is TypeBox's, which keeps what its types are called in properties that JSON does not have either. */
function create<Schema extends TSchema>(fields: object, options: object = {}): Schema {
  return { ...fields, ...options } as Schema;
}

function requiredOf(properties: TProperties): { required?: string[] } {
  const required = Object.keys(properties).filter((name) => !Object.hasOwn(properties[name] ?? {}, OPTIONAL));
  return required.length > 0 ? { required } : {};
}

function patternOf(names: TString): string {
  return 'pattern' in names ? String(names.pattern) : '^.*$';
}

function optional<Schema extends TSchema>(schema: Schema): TOptional<Schema> {
  return Object.defineProperty(create<TOptional<Schema>>(schema), OPTIONAL, { value: true, enumerable: false });
}

function partial<Properties extends TProperties>({ properties }: TObject<Properties>, options?: TObjectOptions) {
  const all = Object.fromEntries(Object.entries(properties).map(([name, schema]) => [name, optional(schema)]));
  return create<TObject<{ [Name in keyof Properties]: TOptional<Properties[Name]> }>>({ type: 'object', properties: all }, options);
}

/**
 * JSON Schemas with their TypeScript types, written as with TypeBox and the same objects as JSON; `Static` gives the type of what fits. Only
 * TypeBox's types are used: the library itself is 490 modules, which cost every start 10 MB and a tenth of a second.
 */
export const Type = {
  String: (options?: TStringOptions) => create<TString>({ type: 'string' }, options),
  Number: (options?: TNumberOptions) => create<TNumber>({ type: 'number' }, options),
  Integer: (options?: TNumberOptions) => create<TInteger>({ type: 'integer' }, options),
  Boolean: (options?: TSchemaOptions) => create<TBoolean>({ type: 'boolean' }, options),
  Literal: <Value extends Exclude<TLiteralValue, bigint>>(value: Value, options?: TSchemaOptions) =>
    create<TLiteral<Value>>({ type: typeof value, const: value }, options),
  Enum: <const Values extends TEnumValue[]>(values: readonly [...Values], options?: TSchemaOptions) =>
    create<TEnum<Values>>({ enum: values }, options),
  Array: <Item extends TSchema>(items: Item, options?: TArrayOptions) => create<TArray<Item>>({ type: 'array', items }, options),
  Object: <Properties extends TProperties>(properties: Properties, options?: TObjectOptions) =>
    create<TObject<Properties>>({ type: 'object', ...requiredOf(properties), properties }, options),
  /** Any number of properties whose names match the pattern. */
  Record: <Value extends TSchema>(names: TString, value: Value, options?: TObjectOptions) =>
    create<TRecord<string, Value>>({ type: 'object', patternProperties: { [patternOf(names)]: value } }, options),
  /** The same object, of which everything may be left out. */
  Partial: partial,
  /** A schema in JSON's own words, whose type it cannot tell itself. */
  Unsafe: <Value>(schema: TSchema) => create<TUnsafe<Value>>(schema),
  /** A property of `Object` that may be left out. */
  Optional: optional,
} as const;
