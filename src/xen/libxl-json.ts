/** Values as libxl's JSON functions read and write them. */

/** Fields of type `libxl_defbool`: libxl writes these booleans as words, and the other ones as booleans. */
const DEFBOOLS: ReadonlySet<string> = new Set([
  'hap',
  'oos',
  'run_hotplug_scripts',
  'driver_domain',
  'xend_suspend_evtchn_compat',
  'enable',
  'findunused',
  'disable_ticketing',
  'agent_mouse',
  'vdagent',
  'clipboard_sharing',
  'opengl',
  'numa_placement',
  'localtime',
  'disable_migrate',
  'device_model_stubdomain',
  'claim_mode',
  'acpi',
  'nested_hvm',
  'apic',
  'dm_restrict',
  'pae',
  'acpi_s3',
  'acpi_s4',
  'acpi_laptop_slate',
  'nx',
  'viridian',
  'hpet',
  'vpt_align',
  'nographic',
  'gfx_passthru',
  'usb',
  'vkb_device',
  'xen_platform_pci',
  'e820_host',
  'pvshim',
  'msr_relaxed',
  'vpmu',
  'discard_enable',
  'colo_enable',
  'colo_restore_enable',
  'trusted',
]);

const WORDS = new Map<unknown, boolean | undefined>([
  ['True', true],
  ['False', false],
  ['<default>', undefined],
]);

export function toLibxlJson(value: unknown): string {
  return JSON.stringify(value, (key, field) => {
    if (typeof field === 'boolean' && DEFBOOLS.has(key)) {
      return field ? 'True' : 'False';
    }
    return field;
  });
}

export function fromLibxlJson(text: string): unknown {
  return JSON.parse(text, (key, field) =>
    DEFBOOLS.has(key) && WORDS.has(field) ? WORDS.get(field) : field,
  );
}
