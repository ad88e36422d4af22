/** One fact about a machine or an installation. */
export interface Check {
  readonly name: string;
  /** `lacking`: Hatchery cannot work. `limited`: it works, with less. */
  readonly state: 'ok' | 'limited' | 'lacking';
  readonly detail: string;
  /** What to do; given unless the state is `ok`. */
  readonly remedy?: string;
}
