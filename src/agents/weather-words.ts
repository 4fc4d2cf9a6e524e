/** Beginnings of the words that questions about the weather have, in the languages that most people ask in. */
const STEMS = [
  'weather forecast temperature rain snow',
  'hava yağış temperatur yağmur sıcaklık',
  'погод дожд снег температур',
  'wetter regen schnee',
  'météo pluie neige',
  'clima lluvia nieve pronóstico tempo chuva meteo pioggia neve',
  'طقس مطر آب‌وهوا هوا باران',
  'मौसम बारिश',
  '天气 天氣 天気 气温 氣溫 気温 날씨',
].flatMap((line) => line.split(' '));

/** Of a longer question only the beginning is looked at. */
const MAX_READ = 4_000;

/** Whether a question seems to be about the weather: by its words, so that deciding costs no call of a model. */
export function mentionsWeather(question: string): boolean {
  const words =
    question
      .slice(0, MAX_READ)
      .toLowerCase()
      .match(/[\p{L}\p{M}\u200c]+/gu) ?? [];
  return words.some((word) => STEMS.some((stem) => word.startsWith(stem) || (isUnspaced(stem) && word.includes(stem))));
}

/** Scripts that put no spaces between words. */
function isUnspaced(stem: string): boolean {
  return /\p{Script=Han}/u.test(stem);
}

/** The last name in a question that does not begin it: a guess at a place for models that call no tools. */
export function placeIn(question: string): string | null {
  const names = question.slice(0, MAX_READ).matchAll(/(?<=\S\s+)\p{Lu}[\p{L}\p{M}'’-]*(?:\s\p{Lu}[\p{L}\p{M}'’-]*)*/gu);
  return Array.from(names, ([name]) => name).findLast((name) => !mentionsWeather(name)) ?? null;
}
