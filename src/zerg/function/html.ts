/** Text that becomes HTML. */

/** Markup that is safe as it is. */
export class Html {
  readonly #markup: string;

  constructor(markup: string) {
    this.#markup = markup;
  }

  toString(): string {
    return this.#markup;
  }
}

type Part = string | number | Html | readonly Html[];

/** A template whose values are escaped, except where they are markup themselves. */
export function html(texts: TemplateStringsArray, ...parts: readonly Part[]): Html {
  let markup = texts[0] as string;
  for (const [index, part] of parts.entries()) {
    markup += (Array.isArray(part) ? part : [part]).map(markupOf).join('');
    markup += texts[index + 1] as string;
  }
  return new Html(markup);
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function markupOf(part: string | number | Html): string {
  return part instanceof Html
    ? part.toString()
    : String(part).replace(/[&<>"']/g, (character) => ENTITIES[character] as string);
}
