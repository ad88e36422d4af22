/** The function that is measured. */
export default {
  fetch(request: Request): Response {
    const name = new URL(request.url).searchParams.get('name');
    return Response.json({ hello: name });
  },
};
