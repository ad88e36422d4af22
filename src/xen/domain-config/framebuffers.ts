/** `vfb`, and the display that `vnc=1` gives a domain without a machine model. */
import type { DomainConfig, DomainType } from '../libxl-config.js';
import { definedOf, type Settings } from './settings.js';
import { type Specification, specificationsOf } from './specification.js';

type Framebuffer = NonNullable<DomainConfig['vfbs']>[number];
type Keyboard = NonNullable<DomainConfig['vkbs']>[number];

/**
 * Framebuffers, each with the keyboard that xl gives it, and the keyboards of `vkb`. An HVM domain has
 * its display in the device model.
 */
export function framebuffersFrom(
  settings: Settings,
  type: DomainType,
): Pick<DomainConfig, 'vfbs' | 'vkbs'> {
  const listed = specificationsOf(settings, 'vfb', framebufferFrom) ?? [];
  const hasDisplay = type !== 'hvm' && settings.flag('vnc');
  const vfbs = hasDisplay ? [...listed, displayFrom(settings, listed.length)] : listed;
  const keyboards: Keyboard[] = [
    ...vfbs.map(({ devid }) => definedOf({ devid })),
    ...(specificationsOf(settings, 'vkb', (keyboard, index) =>
      keyboardFrom(keyboard, vfbs.length + index),
    ) ?? []),
  ];
  return {
    ...(vfbs.length === 0 ? {} : { vfbs }),
    ...(keyboards.length === 0 ? {} : { vkbs: keyboards }),
  };
}

function framebufferFrom(framebuffer: Specification, devid: number): Framebuffer {
  // Before there were several displays in one framebuffer, its kind was said so.
  framebuffer.string('type');
  return definedOf({
    devid,
    vnc: definedOf({
      enable: framebuffer.boolean('vnc'),
      listen: framebuffer.string('vnclisten'),
      passwd: framebuffer.string('vncpasswd'),
      display: framebuffer.integer('vncdisplay'),
      findunused: framebuffer.boolean('vncunused'),
    }),
    sdl: definedOf({
      enable: framebuffer.boolean('sdl'),
      opengl: framebuffer.boolean('opengl'),
      display: framebuffer.string('display'),
      xauthority: framebuffer.string('xauthority'),
    }),
    keymap: framebuffer.string('keymap'),
  });
}

/** The display whose settings stand in the file itself. */
function displayFrom(settings: Settings, devid: number): Framebuffer {
  return definedOf({ devid, ...displaySettingsFrom(settings) });
}

/** VNC, SDL and the keymap, as PV and HVM domains have them. */
export function displaySettingsFrom(settings: Settings): Framebuffer {
  return definedOf({
    vnc: definedOf({
      enable: settings.flag('vnc'),
      listen: settings.string('vnclisten'),
      passwd: settings.string('vncpasswd'),
      display: settings.integer('vncdisplay', { minimum: 0, maximum: 59_635 }),
      findunused: settings.flag('vncunused'),
    }),
    sdl: definedOf({
      enable: settings.flag('sdl'),
      opengl: settings.flag('opengl'),
      display: settings.string('display'),
      xauthority: settings.string('xauthority'),
    }),
    keymap: settings.string('keymap'),
  });
}

function keyboardFrom(keyboard: Specification, devid: number): Keyboard {
  return definedOf({
    devid,
    backend_domname: keyboard.string('backend'),
    backend_type: keyboard.choice('backend-type', { qemu: 'qemu', linux: 'linux' } as const),
    unique_id: keyboard.string('unique-id'),
    feature_disable_keyboard: keyboard.boolean('feature-disable-keyboard'),
    feature_disable_pointer: keyboard.boolean('feature-disable-pointer'),
    feature_abs_pointer: keyboard.boolean('feature-abs-pointer'),
    feature_raw_pointer: keyboard.boolean('feature-raw-pointer'),
    feature_multi_touch: keyboard.boolean('feature-multi-touch'),
    width: keyboard.integer('width'),
    height: keyboard.integer('height'),
    multi_touch_width: keyboard.integer('multi-touch-width'),
    multi_touch_height: keyboard.integer('multi-touch-height'),
    multi_touch_num_contacts: keyboard.integer('multi-touch-num-contacts'),
  });
}
