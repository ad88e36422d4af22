/** Shutdowns and deaths are told once each, in order, whoever caused them. Runs in the lab. */
import { execFileSync } from 'node:child_process';
import t from 'tap';
import type { DomainEvent } from '../../src/xen/libxl.js';
import { grubConfig, libxlFor, Screen } from './libxl-guests.js';
import { within } from './patience.js';

const libxl = await libxlFor(t);

async function next(events: AsyncIterator<DomainEvent>, count: number): Promise<DomainEvent[]> {
  const list: DomainEvent[] = [];
  while (list.length < count) {
    const event = await within(`event ${list.length + 1} of ${count}`, events.next());
    list.push(event.value);
  }
  return list;
}

t.test('domains that others made are watched too', async (t) => {
  const file = `${t.testdir({
    'other.cfg':
      'name="other"\ntype="pvh"\nkernel="/usr/lib/grub-xen/grub-i386-xen_pvh.bin"\nmemory=64\n' +
      'vcpus=1\ntsc_mode="native"\non_poweroff="preserve"\n',
  })}/other.cfg`;
  const after = await libxl.eventPosition();
  execFileSync('xl', ['create', '-p', '-q', file]);
  const domid = await libxl.findDomain('other');
  const { uuid } = await libxl.domainInfo(domid ?? 0);
  execFileSync('xl', ['destroy', 'other']);
  const events = libxl.events({ after });
  const [death] = await next(events, 1);
  t.match(death, { type: 'death', domid, uuid, number: after + 1 });
  await events.return?.();
});

t.test('one goes on where another has ended, without a gap', async (t) => {
  const after = await libxl.eventPosition();
  const first = await libxl.createDomain(grubConfig('pvh', 'first'));
  const second = await libxl.createDomain(grubConfig('pvh', 'second'));
  const early = libxl.events({ after });
  await libxl.destroyDomain(first);
  const [one] = await next(early, 1);
  await early.return?.();
  await libxl.destroyDomain(second);
  const late = libxl.events({ after: one?.number ?? 0 });
  const both = libxl.events({ after });
  const [two] = await next(late, 1);
  t.match([one, two], [{ domid: first }, { domid: second, number: (one?.number ?? 0) + 1 }]);
  t.strictSame(await next(both, 2), [one, two], 'the same for everybody');
  await Promise.all([late.return?.(), both.return?.()]);
});

t.test('a guest that halts before anybody looks is told of, once', async (t) => {
  const domid = await libxl.createDomain(grubConfig('pvh', 'hasty'));
  const screen = new Screen(await libxl.openConsole(domid));
  await libxl.unpauseDomain(domid);
  await screen.waitFor(/grub> /);
  const after = await libxl.eventPosition();
  screen.console.write('reboot\r');
  const events = libxl.events({ after });
  const [shutdown] = await next(events, 1);
  t.match(shutdown, { type: 'shutdown', domid, reason: 'reboot' });
  await libxl.destroyDomain(domid);
  t.match(await next(events, 1), [{ type: 'death', domid }]);
  await events.return?.();
});

t.test(
  'a domain with the UUID of one that has just died is told of, as one that is restored',
  async (t) => {
    const uuid = '01234567-89ab-cdef-0123-456789abcdef';
    const make = async (name: string) => {
      const { c_info, ...rest } = grubConfig('pvh', name);
      return libxl.createDomain({ ...rest, c_info: { ...c_info, uuid } });
    };
    const after = await libxl.eventPosition();
    const events = libxl.events({ after });
    for (const name of ['first', 'second', 'third']) {
      const domid = await make(name);
      await libxl.destroyDomain(domid);
      const [death] = await next(events, 1);
      t.match(death, { type: 'death', domid, uuid }, name);
    }
    await events.return?.();
  },
);

t.test('numbers that are too old, or not there yet, are refused', async (t) => {
  const position = await libxl.eventPosition();
  for (const after of [0, position + 1000]) {
    await t.rejects(libxl.events({ after }).next(), { code: 'EVENTS_LOST' });
  }
});

t.test('an iterator ends with its signal', async (t) => {
  const controller = new AbortController();
  const events = libxl.events({ signal: controller.signal });
  const waiting = events.next();
  controller.abort();
  t.strictSame(await waiting, { done: true, value: undefined });
});
