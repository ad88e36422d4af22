/**
 * The request that every benchmark makes, and the answer that every subject must give: a URL whose
 * query names somebody, `{"hello":"NAME"}`. There are 50 of them, made in turn, so that nothing is
 * measured that only works for a request that was just seen.
 */
export const DISTINCT = 50;

const NAME = 'guest-{n}';

/** The URL and the answer with `{n}` for the number of the request, as `spawn.c` fills it in. */
export const URL_TEMPLATE = `http://hatchery.test/hello?name=${NAME}`;
export const ANSWER_TEMPLATE = `{"hello":"${NAME}"}`;

function fill(template: string, number: number): string {
  return template.replaceAll('{n}', String(number % DISTINCT));
}

export function url(number: number): string {
  return fill(URL_TEMPLATE, number);
}

/** Path and query, for a server that listens anywhere. */
export function path(number: number): string {
  const { pathname, search } = new URL(url(number));
  return pathname + search;
}

export function answer(number: number): string {
  return fill(ANSWER_TEMPLATE, number);
}

/** @throws Error when a subject gave a wrong answer: its figures would mean nothing. */
export function check(number: number, given: string, subject: string): void {
  if (given !== answer(number)) {
    throw new Error(`${subject} answered ${given} to ${url(number)}, not ${answer(number)}`);
  }
}
