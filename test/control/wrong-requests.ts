/** Requests as JSON, to functions or to instances, that are refused before anybody gets them. */
export const WRONG_REQUESTS: readonly object[] = [
  { method: 'TRACE' },
  { method: 'get' },
  { url: 'ftp://x/' },
  { url: 'x' },
  { headers: [['a b', 'c']] },
  { headers: [['a', 'b\r\nc: d']] },
  { headers: [['a']] },
  { body: 'a', bodyBase64: 'YQ==' },
  { bodyBase64: '***' },
  { other: 1 },
];
