/** What makes an expression no expression, in words for whoever wrote it. */
export class ExpressionError extends Error {
  override readonly name = 'ExpressionError';
}

const LONGEST = 1_000;
const DEEPEST = 50;
const MOST_ARGUMENTS = 100;
const TOKEN = /\s*(?:(\d+\.?\d*(?:e[+-]?\d+)?|\.\d+(?:e[+-]?\d+)?)|([a-z][a-z0-9]*)|(\*\*|[-+*/%^(),]))/iy;

const CONSTANTS: ReadonlyMap<string, number> = new Map([
  ['pi', Math.PI],
  ['e', Math.E],
]);

const FUNCTIONS: ReadonlyMap<string, (...values: number[]) => number> = new Map<string, (...values: number[]) => number>([
  ...(['abs', 'ceil', 'cos', 'exp', 'floor', 'log10', 'log2', 'max', 'min', 'round', 'sign', 'sin', 'sqrt', 'tan', 'trunc'] as const).map(
    (name) => [name, Math[name]] as const,
  ),
  ['ln', Math.log],
  ['log', Math.log10],
]);

/** Tokens of an expression, one at a time. */
interface Reader {
  /** The next token, which stays; null at the end. */
  peek(): string | null;
  take(): string;
}

function createReader(text: string): Reader {
  const tokens: string[] = [];
  const end = text.trimEnd().length;
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < end) {
    const at = TOKEN.lastIndex;
    const [, number, name, sign] = TOKEN.exec(text) ?? [];
    const token = number ?? name?.toLowerCase() ?? sign;
    if (token === undefined) throw new ExpressionError(`"${text.slice(at).trim().slice(0, 20)}" cannot be calculated`);
    tokens.push(token);
  }
  let next = 0;
  return {
    peek: () => tokens[next] ?? null,
    take() {
      const token = tokens[next];
      if (token === undefined) throw new ExpressionError('the expression ends too early');
      next += 1;
      return token;
    },
  };
}

/**
 * The value of an arithmetic expression: numbers, `+ - * / % ^`, brackets, `pi`, `e` and functions such as `sqrt(2)`, with the usual precedence,
 * powers from the right. Throws an `ExpressionError` for anything else; nothing is ever run as code.
 */
export function evaluate(text: string): number {
  if (text.length > LONGEST) throw new ExpressionError(`an expression may have ${LONGEST} characters`);
  const reader = createReader(text);
  const value = sum(reader, 0);
  const rest = reader.peek();
  if (rest !== null) throw new ExpressionError(`"${rest}" stands in the wrong place`);
  return value;
}

function sum(reader: Reader, depth: number): number {
  let value = product(reader, depth);
  for (let sign = reader.peek(); sign === '+' || sign === '-'; sign = reader.peek()) {
    reader.take();
    const other = product(reader, depth);
    value = sign === '+' ? value + other : value - other;
  }
  return value;
}

function product(reader: Reader, depth: number): number {
  let value = signed(reader, depth);
  for (let sign = reader.peek(); sign === '*' || sign === '/' || sign === '%'; sign = reader.peek()) {
    reader.take();
    const other = signed(reader, depth);
    if (sign === '*') value *= other;
    else if (other === 0) throw new ExpressionError('nothing can be divided by zero');
    else value = sign === '/' ? value / other : value % other;
  }
  return value;
}

/** A sign binds less than a power: -2^2 is -4. */
function signed(reader: Reader, depth: number): number {
  if (depth > DEEPEST) throw new ExpressionError(`an expression may be ${DEEPEST} levels deep`);
  const sign = reader.peek();
  if (sign === '-' || sign === '+') {
    reader.take();
    const value = signed(reader, depth + 1);
    return sign === '-' ? -value : value;
  }
  return power(reader, depth);
}

function power(reader: Reader, depth: number): number {
  const base = atom(reader, depth);
  const sign = reader.peek();
  if (sign !== '^' && sign !== '**') return base;
  reader.take();
  return base ** signed(reader, depth + 1);
}

function atom(reader: Reader, depth: number): number {
  const token = reader.take();
  if (token === '(') {
    const value = sum(reader, depth + 1);
    expect(reader, ')');
    return value;
  }
  if (/^[.\d]/.test(token)) return Number(token);
  const constant = CONSTANTS.get(token);
  if (constant !== undefined) return constant;
  const fn = FUNCTIONS.get(token);
  if (fn === undefined) throw new ExpressionError(`"${token}" is not known here`);
  expect(reader, '(');
  return fn(...list(reader, depth + 1));
}

/** What stands between a function's brackets, up to and with the closing one. */
function list(reader: Reader, depth: number): readonly number[] {
  const values = [sum(reader, depth)];
  while (reader.peek() === ',' && values.length < MOST_ARGUMENTS) {
    reader.take();
    values.push(sum(reader, depth));
  }
  expect(reader, ')');
  return values;
}

function expect(reader: Reader, token: string): void {
  if (reader.take() !== token) throw new ExpressionError(`"${token}" is missing`);
}
