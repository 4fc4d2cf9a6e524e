import { parseArgs } from 'node:util';
import { proveFraming } from './framing.ts';

const { values } = parseArgs({
  options: { texts: { type: 'string', default: '1000000' }, seed: { type: 'string', default: '7' }, store: { type: 'string' } },
});
if (values.store !== undefined) {
  process.stderr.write('prove:framing takes no --store: it touches none. npm test sends such texts through both stores.\n');
  process.exit(2);
}
const texts = Number(values.texts);
const seed = Number(values.seed);
if (!(Number.isSafeInteger(texts) && texts > 0 && Number.isSafeInteger(seed))) throw new Error('--texts and --seed must be whole numbers.');

const startedAt = performance.now();
const { units } = proveFraming({ texts, seed });
const seconds = (performance.now() - startedAt) / 1000;
process.stdout.write(
  `framing: ${texts} texts (${Math.round(units / 1e6)} million characters, seed ${seed}) came out unchanged in ${seconds.toFixed(0)} s, ${Math.round(texts / seconds)} texts/s\n`,
);
