/** How settings of xl.cfg are read: numbers, CPU lists, specifications, and what is said of wrong ones. */
import * as fc from 'fast-check';
import t from 'tap';
import { parseCpuList } from '../../src/xen/domain-config/cpu-list.js';
import { integerFrom, Settings } from '../../src/xen/domain-config/settings.js';
import { Specification } from '../../src/xen/domain-config/specification.js';
import { vcpusFrom } from '../../src/xen/domain-config/vcpus.js';
import type { XlValue } from '../../src/xen/xl-config-file.js';

function settings(values: Record<string, XlValue>): Settings {
  const map = Object.entries(values).map(
    ([key, value], index) => [key, { value, place: `web.cfg:${index + 3}` }] as const,
  );
  return new Settings(new Map(map), 'web.cfg');
}

const invalid = (message: string) => ({ code: 'CONFIGURATION_INVALID', message });

t.test('numbers are read in all bases of strtol', async (t) => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 2 ** 40 }), (number) => {
      const texts = [`${number}`, `0x${number.toString(16)}`, `0${number.toString(8)}`];
      return texts.every(
        (text) => integerFrom(text) === number && integerFrom(`-${text}`) === 0 - number,
      );
    }),
  );
  for (const text of ['', ' ', '09', '0x', '1.5', '1e3', '12 ', 'x', '0b1', '--1']) {
    t.equal(integerFrom(text), undefined, JSON.stringify(text));
  }
});

t.test('a CPU list is what its parts add up to, from left to right', async () => {
  const part = fc.record({
    not: fc.boolean(),
    first: fc.integer({ min: 0, max: 20 }),
    more: fc.integer({ min: 0, max: 5 }),
  });
  fc.assert(
    fc.property(fc.array(part, { minLength: 1, maxLength: 8 }), (parts) => {
      const text = parts
        .map(
          ({ not, first, more }) =>
            `${not ? '^' : ''}${first}${more > 0 ? `-${first + more}` : ''}`,
        )
        .join(',');
      const has = (cpu: number) =>
        parts.reduce(
          (is, { not, first, more }) => (cpu >= first && cpu <= first + more ? !not : is),
          false,
        );
      const expected = Array.from({ length: 30 }, (_, cpu) => cpu).filter(has);
      const found = parseCpuList(text, undefined);
      return expected.length === 0
        ? typeof found === 'string'
        : JSON.stringify(found) === JSON.stringify(expected);
    }),
  );
});

t.test('CPU lists that need the machine', async (t) => {
  const host = { count: 4, nodes: 1 };
  t.same(parseCpuList('all,^1', host), [0, 2, 3]);
  t.same(parseCpuList('node:0', host), [0, 1, 2, 3]);
  t.same(parseCpuList('nodes:0-1,^3', host), [0, 1, 2]);
  t.match(parseCpuList('node:0', { count: 4, nodes: 2 }), /2 NUMA nodes/);
  t.match(parseCpuList('all', undefined), /needs Xen/);
  for (const wrong of ['', 'a', '3-1', '^all', '1,,2', '0-', '-1', '5000', 'node:']) {
    t.type(parseCpuList(wrong, host), 'string', JSON.stringify(wrong));
  }
});

t.test('specifications give back what they are made of', async () => {
  const word = fc.stringMatching(/^[a-z][a-z0-9_-]{0,9}$/);
  const value = fc.stringMatching(/^[!-+./-~]([ -+./-~]*[!-+./-~])?$/);
  fc.assert(
    fc.property(fc.dictionary(word, value, { noNullPrototype: true }), (pairs) => {
      const text = Object.entries(pairs)
        .map(([name, text]) => ` ${name} = ${text} `)
        .join(',');
      const read = settings({ vif: [text] });
      const specification = new Specification(read, 'vif', text);
      const same = Object.entries(pairs).every(
        ([name, text]) => specification.string(name) === text,
      );
      specification.end();
      return same && read.warnings.length === 0;
    }),
  );
});

t.test('words of a specification that nobody knows are warned about', async (t) => {
  const read = settings({ name: 'x', vif: ['bridge=a,colour=red'] });
  const specification = new Specification(read, 'vif', 'bridge=a,colour=red');
  specification.string('bridge');
  specification.end();
  t.match(read.warnings, [{ key: 'vif', place: 'web.cfg:4', text: /colour/ }]);
});

t.test('a wrong type is an error with file, line and key', async (t) => {
  const read = settings({
    memory: ['1'],
    vcpus: 'many',
    disk: 'x',
    vif: [['x']],
    hap: 'yes',
    cap: '-1',
  });
  t.throws(() => read.integer('memory'), invalid('web.cfg:3: memory is a list'));
  t.throws(
    () => read.integer('vcpus'),
    invalid('web.cfg:4: vcpus must be a whole number, not "many"'),
  );
  t.throws(() => read.strings('disk'), invalid('web.cfg:5: disk is a single value'));
  t.throws(() => read.strings('vif'), invalid('web.cfg:6: vif must be a list of single values'));
  t.throws(() => read.flag('hap'), invalid('web.cfg:7: hap must be a whole number'));
  t.throws(() => read.integer('cap'), invalid('web.cfg:8: cap must be from 0 to'));
  t.throws(
    () => read.choice('hap', { on: 1, off: 0 }),
    invalid('must be one of on, off, not "yes"'),
  );
  t.match(read.invalid('name', 'must be given'), invalid('web.cfg: name must be given'));
});

t.test('vCPUs', async (t) => {
  const read = (values: Record<string, XlValue>) => vcpusFrom(settings(values), undefined);
  t.same(read({}), { sched_params: {} });
  t.match(read({ vcpus: '2', maxvcpus: '4', cpus: '1' }), {
    max_vcpus: 4,
    avail_vcpus: [0, 1],
    vcpu_hard_affinity: [[1], [1], [1], [1]],
  });
  t.same(read({ cpus: '3' }).vcpu_hard_affinity, [[3]], 'one vCPU is the default');
  t.throws(() => read({ vcpus: '4', maxvcpus: '2' }), invalid('maxvcpus must not be less'));
  t.throws(() => read({ vcpus: '0' }), invalid('vcpus must be from 1'));
  t.throws(() => read({ cpus: 'x' }), invalid('web.cfg:3: cpus must be like'));
  t.throws(() => read({ cpu_weight: '0' }), invalid('cpu_weight must be from 1 to 65535'));
});
