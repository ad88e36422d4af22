/** One behaviour of a web API; `run` runs in the guest and throws if the API behaves otherwise. */
export interface Case {
  /** The line of docs/web-apis.md that the case is about. */
  readonly line: string;
  readonly title: string;
  /** Whether the case shows what the page says differs from the standard. */
  readonly isDifference: boolean;
  run(): unknown;
}

/** A case: the API behaves as its standard says. */
export function standard(line: string, title: string, run: () => unknown): Case {
  return { line, title, isDifference: false, run };
}

/** A case: the API differs from its standard as the page says. */
export function difference(line: string, title: string, run: () => unknown): Case {
  return { line, title, isDifference: true, run };
}
