/** Where a person opens the dashboard of a server. */
import type { Scope } from '../client/index.js';

/** What the dashboard needs to show and to do everything that it can. */
export const DASHBOARD_SCOPES: readonly Scope[] = ['read', 'spawn', 'deploy'];

/**
 * @param control where the control API is, as `http://host:port`.
 * @param code of a link, which lets one browser in; behind the `#` it reaches no server and no log.
 */
export function dashboardUrl(control: string, code?: string): string {
  const page = `${control}/dashboard/`;
  return code === undefined ? page : `${page}#code=${code}`;
}
