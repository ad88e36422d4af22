/** What a benchmark says: rows with a figure, what it was compared with, and whether that is enough. */

export type Unit = 'µs' | 'ms' | 'MiB' | 'requests/s' | 'times';

export interface Target {
  /** In words, as in the list of targets: `at most 0.6 of posix_spawn`. */
  readonly text: string;
  readonly met: boolean;
}

export interface Row {
  /** Which question it answers: the name that `--only` takes. */
  readonly question: string;
  readonly figure: string;
  readonly value: number;
  readonly unit: Unit;
  /** What the value was compared with in the same run, in the same unit. */
  readonly baseline?: { readonly name: string; readonly value: number };
  /** The subject's share of the baseline, where the target is about that. */
  readonly ratio?: number;
  readonly target?: Target;
  /** What one has to know to read the figure. */
  readonly note?: string;
}

/** A target that is met when `measured` is not above `limit`. */
export function atMost(measured: number, limit: number, text: string): Target {
  return { text, met: measured <= limit };
}

/** A target that is met when `measured` is not below `limit`. */
export function atLeast(measured: number, limit: number, text: string): Target {
  return { text, met: measured >= limit };
}

/** Three significant digits, whole numbers from 100 on. */
export function formatNumber(value: number): string {
  if (value === 0) return '0';
  const digits = Math.floor(Math.log10(Math.abs(value)));
  return value.toFixed(Math.min(3, Math.max(0, 2 - digits)));
}

function formatValue(value: number, unit: Unit): string {
  return `${formatNumber(value)} ${unit}`;
}

function verdict(target: Target | undefined): string {
  if (target === undefined) return '';
  return target.met ? 'yes' : 'NO';
}

/** A table in plain text, columns aligned, notes below it. */
export function formatTable(rows: readonly Row[]): string {
  const head = ['', 'figure', 'measured', 'compared with', 'ratio', 'target', 'met'];
  const notes: string[] = [];
  const cells = rows.map((row) => {
    if (row.note !== undefined && !notes.includes(row.note)) notes.push(row.note);
    const mark = row.note === undefined ? '' : ` [${notes.indexOf(row.note) + 1}]`;
    return [
      row.question,
      row.figure + mark,
      formatValue(row.value, row.unit),
      row.baseline ? `${row.baseline.name} ${formatValue(row.baseline.value, row.unit)}` : '',
      row.ratio === undefined ? '' : formatNumber(row.ratio),
      row.target?.text ?? '',
      verdict(row.target),
    ];
  });
  const widths = head.map((title, column) =>
    Math.max(title.length, ...cells.map((line) => line[column]?.length ?? 0)),
  );
  const lines = [head, ...cells].map((line) =>
    line
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
  return [...lines, ...notes.map((note, index) => `[${index + 1}] ${note}`)].join('\n');
}

/** The rows whose target is missed. */
export function missed(rows: readonly Row[]): Row[] {
  return rows.filter((row) => row.target !== undefined && !row.target.met);
}
