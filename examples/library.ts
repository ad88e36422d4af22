import { Fabric, timelineOf } from 'hatchery';

const fabric = await Fabric.open();
const counter = await fabric.deploy({
  name: 'counter',
  source: `
    let count = 0;
    export default { fetch: (request) => Response.json({ count: ++count, url: request.url }) };
  `,
});

// Each request has a virtual machine of its own …
for (const url of ['http://counter/a', 'http://counter/b']) {
  const response = await counter.fetch(new Request(url));
  console.log(await response.json(), timelineOf(response)?.toServerTiming());
}

// … unless you keep one for several requests.
const instance = await counter.spawn();
await instance.fetch('http://counter/c');
console.log(await (await instance.fetch('http://counter/d')).json());
await instance.kill();

await fabric.close();
