/** A bare fastify server that answers the benchmark's request: what HTTP costs without a VM. */
import Fastify from 'fastify';

const app = Fastify();
app.get<{ Querystring: { name: string } }>('/hello', (request, reply) => {
  reply.send({ hello: request.query.name });
});
await app.listen({ host: '127.0.0.1', port: Number(process.argv[2]) });
