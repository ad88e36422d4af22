/** The functions that a front routes to, with the Zerg page among them. */
import type { DeployedFunction } from '../fabric/function.js';
import type { NamedFunctions } from '../front/routing.js';
import type { Answering } from '../front/service.js';
import { ZERG, type ZergOptions, ZergPage } from './zerg-page.js';

/** What they are without it. */
export interface Deployed extends NamedFunctions {
  function(name: string): DeployedFunction | undefined;
}

export class FunctionsWithZerg implements NamedFunctions {
  readonly page: ZergPage;
  readonly #functions: Deployed;

  constructor(functions: Deployed, options: Omit<ZergOptions, 'rendering'>) {
    this.#functions = functions;
    this.page = new ZergPage({ ...options, rendering: () => functions.function(ZERG) });
  }

  function(name: string): Answering | undefined {
    const found = this.#functions.function(name);
    return name === ZERG && found !== undefined ? this.page : found;
  }

  boundTo(host: string): string | undefined {
    return this.#functions.boundTo(host);
  }

  functions(): Iterable<Answering> {
    return this.#functions.functions();
  }
}
