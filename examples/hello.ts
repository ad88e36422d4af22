/** Serve it with `npm start`, then try http://127.0.0.1:8080/?name=Ada */
let served = 0;

export default {
  fetch(request: Request): Response {
    const name = new URL(request.url).searchParams.get('name') ?? 'world';
    served += 1; // stays 1 for ever: each request has a virtual machine of its own
    return Response.json({ hello: name, served, id: crypto.randomUUID() });
  },
};
