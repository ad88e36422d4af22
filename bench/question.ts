import type { Row } from './harness/report.js';

/** One question that the benchmark answers: one file in `questions/`. */
export interface Question {
  /** What `--only` takes. */
  readonly name: string;
  /** @param progress tells a person who waits what is going on. */
  run(progress: (text: string) => void): Promise<Row[]>;
}
