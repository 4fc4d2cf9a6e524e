import type { Tool } from '../../../core/ports/tool.ts';
import { ExpressionError, evaluate } from './expression.ts';

/** Digits that a double holds for certain: 0.1 + 0.2 is 0.3. */
const DIGITS = 15;

/** Calculates what a model would guess. */
export const calculator: Tool = {
  name: 'calculator',
  description:
    'Calculates an arithmetic expression: numbers, + - * / % ^, brackets, pi, e, and functions such as sqrt, abs, round, floor, ceil, min, max, ln, log, sin, cos (radians).',
  parameters: {
    type: 'object',
    properties: { expression: { type: 'string', description: 'For example (12.5 + 7) * 3 ^ 2', minLength: 1, maxLength: 1_000 } },
    required: ['expression'],
    additionalProperties: false,
  },
  readOnly: true,
  async call({ expression }) {
    try {
      const value = evaluate(String(expression));
      if (!Number.isFinite(value)) return { status: 'failed', result: 'The result is no finite number.' };
      return { status: 'completed', result: String(Number(value.toPrecision(DIGITS))) };
    } catch (error) {
      if (error instanceof ExpressionError) return { status: 'failed', result: `This cannot be calculated: ${error.message}.` };
      throw error;
    }
  },
};
