/** Writes as many pages as `?pages=` says, so that the next request's rewind has to copy them. */
export default {
  fetch(request: Request): Response {
    const pages = Number(new URL(request.url).searchParams.get('pages'));
    const bytes = new Uint8Array(pages * 4096).fill(1);
    return new Response(String(bytes.length));
  },
};
