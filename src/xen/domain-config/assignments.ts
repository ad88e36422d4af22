/**
 * Which keys a file of xl.cfg's syntax sets, and where. libxlutil parses the values, but tells nobody
 * which keys there are, nor their lines: without them neither a misspelt key nor the place of a wrong
 * value could be named.
 */

/** libxlutil's tokens; inside of brackets only brackets, strings and comments matter. */
const TOKEN =
  /[ \t\r]+|#[^\n]*|\n|'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"|[0-9][0-9a-fx]*|[a-z][_0-9a-z]*|./y;
const KEY = /^[a-z]/;

/**
 * @param text of a file; what libxlutil would refuse gives no error here, it is refused when it is parsed
 * @returns for each key the line of its last assignment, counted from 1
 */
export function findAssignments(text: string): Map<string, number> {
  const lines = new Map<string, number>();
  let line = 1;
  let depth = 0;
  let key: { readonly name: string; readonly line: number } | undefined;
  for (const token of tokensOf(text)) {
    if (token === '\n') {
      line += 1;
    } else if (token === '[') {
      depth += 1;
    } else if (token === ']') {
      depth = Math.max(0, depth - 1);
    } else if (token === '=' && depth === 0 && key !== undefined) {
      lines.set(key.name, key.line);
    }
    if (depth === 0 && KEY.test(token)) {
      key = { name: token, line };
    } else if (token !== '+') {
      key = undefined;
    }
  }
  return lines;
}

/** Without spaces and comments. */
function* tokensOf(text: string): Generator<string> {
  const pattern = new RegExp(TOKEN);
  for (let match = pattern.exec(text); match !== null; match = pattern.exec(text)) {
    const [token] = match;
    if (!/^[ \t\r#]/.test(token)) {
      yield token;
    }
  }
}
