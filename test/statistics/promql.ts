/** Reads PromQL as far as a dashboard needs it: which metrics, which labels, which values of them. */
export interface Matcher {
  readonly label: string;
  readonly operator: string;
  readonly value: string;
}

export interface Selector {
  readonly metric: string;
  readonly matchers: readonly Matcher[];
  /** Labels that what is around it groups by. */
  readonly groupedBy: ReadonlySet<string>;
}

const AGGREGATIONS = new Set(['sum', 'min', 'max', 'avg', 'count', 'topk', 'bottomk']);
/** With how many arguments. */
const FUNCTIONS: Readonly<Record<string, number>> = {
  ...{ rate: 1, increase: 1, irate: 1, changes: 1, histogram_quantile: 2, clamp_min: 2 },
};
const TOKENS =
  /\s*(?:(\d+(?:\.\d+)?(?:e-?\d+)?)(?![a-z])|([a-zA-Z_:][\w:]*)|("(?:[^"\\]|\\.)*")|(\[[^\]]*\])|(=~|!~|!=|==|>=|<=|[-+*/%^<>=(){},]))/y;
const RANGE = /^\[(?:\$__rate_interval|\d+[smhd])\]$/;
const OPERATORS = new Set(['+', '-', '*', '/', '%', '^', '==', '!=', '>', '<', '>=', '<=']);

/** @throws Error with what is wrong */
export function selectorsOf(expression: string): Selector[] {
  const reader = new Reader(expression);
  reader.expression(new Set());
  reader.end();
  return reader.selectors;
}

class Reader {
  readonly selectors: Selector[] = [];
  readonly #text: string;
  readonly #tokens: string[] = [];
  #at = 0;

  constructor(text: string) {
    this.#text = text;
    const tokens = new RegExp(TOKENS);
    while (text.slice(tokens.lastIndex).trim() !== '') {
      const at = tokens.lastIndex;
      const [found] = tokens.exec(text) ?? [];
      if (found === undefined) {
        throw new Error(`no PromQL at ${at}: ${text}`);
      }
      this.#tokens.push(found.trim());
    }
  }

  expression(groupedBy: ReadonlySet<string>): void {
    this.#operand(groupedBy);
    while (OPERATORS.has(this.#next)) {
      this.#at += 1;
      this.#operand(groupedBy);
    }
  }

  end(): void {
    if (this.#at < this.#tokens.length) {
      this.#fail();
    }
  }

  get #next(): string {
    return this.#tokens[this.#at] ?? '';
  }

  #operand(groupedBy: ReadonlySet<string>): void {
    const token = this.#next;
    if (/^\d/.test(token)) {
      this.#at += 1;
    } else if (token === '(') {
      this.#arguments(groupedBy);
    } else if (AGGREGATIONS.has(token)) {
      this.#at += 1;
      const by = new Set([...groupedBy, ...(this.#next === 'by' ? this.#labels() : [])]);
      this.#arguments(by);
    } else if (Object.hasOwn(FUNCTIONS, token)) {
      this.#at += 1;
      if (this.#arguments(groupedBy) !== FUNCTIONS[token]) {
        throw new Error(`${token} has other arguments: ${this.#text}`);
      }
    } else {
      this.#selector(groupedBy);
    }
  }

  /** @returns how many */
  #arguments(groupedBy: ReadonlySet<string>): number {
    let count = 0;
    this.#take('(');
    do {
      this.expression(groupedBy);
      count += 1;
    } while (this.#takes(','));
    this.#take(')');
    return count;
  }

  #labels(): string[] {
    const labels: string[] = [];
    this.#at += 1;
    this.#take('(');
    do {
      labels.push(this.#take(/^[a-z_]\w*$/i));
    } while (this.#takes(','));
    this.#take(')');
    return labels;
  }

  #selector(groupedBy: ReadonlySet<string>): void {
    const metric = this.#take(/^[a-zA-Z_:][\w:]*$/);
    const matchers: Matcher[] = [];
    if (this.#takes('{')) {
      do {
        const label = this.#take(/^[a-z_]\w*$/i);
        const operator = this.#take(/^(?:=|!=|=~|!~)$/);
        matchers.push({ label, operator, value: this.#take(/^"/).slice(1, -1) });
      } while (this.#takes(','));
      this.#take('}');
    }
    if (this.#next.startsWith('[')) {
      this.#take(RANGE);
    }
    this.selectors.push({ metric, matchers, groupedBy });
  }

  #takes(token: string): boolean {
    const isNext = this.#next === token;
    this.#at += isNext ? 1 : 0;
    return isNext;
  }

  #take(token: string | RegExp): string {
    const next = this.#next;
    if (typeof token === 'string' ? next !== token : !token.test(next)) {
      this.#fail();
    }
    this.#at += 1;
    return next;
  }

  #fail(): never {
    throw new Error(`unexpected ${this.#next || 'end'}: ${this.#text}`);
  }
}
