/**
 * What `functions/hello.ts` does, as a script that runs in every engine: it parses the query of a
 * URL and gives JSON. Defines one global, `handle(url)`.
 */
export const HANDLER = `
function handle(url) {
  const parameters = {};
  const question = url.indexOf('?');
  for (const pair of url.slice(question + 1).split('&')) {
    const [name, value = ''] = pair.split('=');
    parameters[decodeURIComponent(name)] = decodeURIComponent(value.replace(/\\+/g, ' '));
  }
  return JSON.stringify({ hello: parameters.name });
}
`;
