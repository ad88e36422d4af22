/** A host of plug-ins: it gives each the few functions that it may call, and the hosts it may reach. */
import { Fabric } from 'hatchery';

const stock = new Map([['tea', 3]]);
const fabric = await Fabric.open();
const plugIn = await fabric.deploy({
  name: 'plug-in',
  source: `
    export default {
      async fetch(request, env) {
        const item = new URL(request.url).searchParams.get('item');
        return Response.json({ item, left: await env.shop.left(item) });
      },
    };
  `,
  bindings: { shop: { left: async (item: string) => stock.get(item) ?? 0 } },
  allowFetch: ['api.example.com'],
  limits: { cpuMilliseconds: 50, wallMilliseconds: 1000 },
});

const response = await plugIn.fetch('http://plug-in/?item=tea');
console.log(await response.json());

await fabric.close();
