import type { Tool } from '../../../core/ports/tool.ts';

/** Mean day temperature in January and July (degrees Celsius) and days with rain in a year, rounded from published climate normals. */
const PLACES: Readonly<Record<string, readonly [january: number, july: number, rainyDays: number]>> = {
  Athens: [10, 29, 70],
  Berlin: [1, 20, 105],
  Cairo: [14, 29, 15],
  Delhi: [14, 31, 55],
  Istanbul: [6, 24, 110],
  Jakarta: [27, 28, 150],
  Karachi: [18, 30, 15],
  Lagos: [28, 26, 110],
  Lahore: [13, 31, 45],
  London: [5, 19, 110],
  Madrid: [6, 26, 60],
  'Mexico City': [14, 18, 120],
  Moscow: [-7, 19, 120],
  Mumbai: [24, 28, 80],
  Nairobi: [20, 17, 90],
  'New York': [1, 25, 120],
  Oslo: [-4, 18, 110],
  Paris: [5, 21, 110],
  Rome: [8, 26, 75],
  'San Francisco': [11, 17, 70],
  'Sao Paulo': [23, 17, 130],
  Seoul: [-2, 25, 105],
  Singapore: [26, 28, 170],
  Sydney: [23, 13, 100],
  Tokyo: [5, 26, 115],
};

const LABEL = 'Offline sample data: a typical day, not a forecast and not a measurement.';

/** Tells typical weather without asking anybody: something to try agents with. */
export const weather: Tool = {
  name: 'weather',
  description: `Tells the typical weather of a large city in a month, from built-in sample data (no forecast). Cities: ${Object.keys(PLACES).join(', ')}.`,
  parameters: {
    type: 'object',
    properties: {
      city: { type: 'string', minLength: 1, maxLength: 100 },
      month: { type: 'integer', minimum: 1, maximum: 12, description: 'January is 1; the year without it.' },
    },
    required: ['city'],
    additionalProperties: false,
  },
  readOnly: true,
  async call({ city, month }) {
    const wanted = plain(String(city));
    const [name, place] = Object.entries(PLACES).find(([known]) => wanted === plain(known)) ?? [];
    if (name === undefined || place === undefined)
      return { status: 'failed', result: `There is no sample data for that city, only for ${Object.keys(PLACES).join(', ')}. ${LABEL}` };
    const [january, july, rainyDays] = place;
    const rain = `rain on about ${rainyDays} days a year`;
    const when =
      typeof month === 'number' ? `month ${month}: ${temperatureIn(month, january, july)} °C` : `January ${january} °C, July ${july} °C`;
    return { status: 'completed', result: `${name}: ${when}, ${rain}. ${LABEL}` };
  },
};

/** Between the two known months the year goes like a cosine. */
function temperatureIn(month: number, january: number, july: number): number {
  const share = (1 - Math.cos(((month - 1) / 6) * Math.PI)) / 2;
  return Math.round(january + (july - january) * share);
}

function plain(name: string): string {
  return name.normalize('NFD').replace(/\p{M}/gu, '').trim().toLowerCase();
}
