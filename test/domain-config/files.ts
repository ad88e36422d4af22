/**
 * Files of xl.cfg, as people write them, for comparing what xl and Hatchery make of them. Each is
 * accepted by both, and gives the same domain.
 */

const head = (lines: string) => `name = "t"\nkernel = "/k"\n${lines}\n`;
const pvh = (lines: string) => head(`type = "pvh"\n${lines}`);

const DISKS = [
  '/dev/vg/guest-volume,,hda',
  '/root/image.iso,,hdc,cdrom',
  'format=raw, vdev=xvdc, access=ro, devtype=cdrom, target=/root/image, x.iso ',
  'raw:/dev/a,xvdd,w',
  'file:/a b/c.img,xvde,r',
  'phy:vg/x,xvdf,w',
  ',hdb:cdrom,r',
  'vdev=xvdg,format=qcow2,backendtype=qdisk,direct-io-safe,no-discard,target=/x.qcow2',
  'iscsi:foo,xvdh,w',
  'script=block-x,vdev=xvdi,target=y:z',
  'tap:aio:/q.img,xvdj,w',
  '/x.vhd,vhd,xvdk,r,discard,backend=dom7',
];

const NICS = [
  '',
  'mac=00:16:3e:01:02:03, bridge=br7,model=e1000,type=ioemu',
  'mac=0:16:3E:a:b:c,rate=10Mb/s@20ms,ip=1.2.3.4,script=/etc/x,vifname=v0,backend=dom7,' +
    'gatewaydev=eth1,devid=9,mtu=9000,untrusted',
  'rate=250KB/s',
  'rate=1GB/s,type=vif,trusted',
  'netdev=eth9',
  'rate=100b/s@1s',
  'ip=1.2.3.4 5.6.7.8',
  'bridge=a,,mac=00:16:3e:00:00:01,',
];

const quoted = (items: readonly string[]) => items.map((item) => `  '${item}',`).join('\n');

export const FILES: Readonly<Record<string, string>> = {
  smallest: 'name="m"\nkernel="/k"',
  'everything on one line': 'name="x";kernel="/k";memory=3;',
  comments: `# c\nname="t" # d\nkernel='/k'\nvif = [\n "", # a\n\n "bridge=b",\n]\nmemory=0x40\n`,
  'the last of a key': head('memory=32; memory=48'),
  'added to a list and a string': head(
    'disk=["/a,,xvda"]; disk+=["/b,,xvdb"]; extra="a"; extra+=" b"',
  ),
  'octal and quoted numbers': head('memory=0100\nvcpus="2"'),
  pvh: `name = "p1"; type = "pvh"
uuid = "6ba7b810-9dad-11d1-80b4-00c04fd430c8"
kernel = "/k"
ramdisk = "/r"
root = "/dev/xvda1 ro"
extra = "console=hvc0 quiet"
memory = 64
maxmem = 128
vcpus = 1
maxvcpus = 4
cpus = "0-1,^1"
cpu_weight = 512
cap = 50
tsc_mode = "native"
on_poweroff = "preserve"
on_reboot = "destroy"
on_crash = "coredump-destroy"
on_watchdog = "rename-restart"
on_soft_reset = "soft-reset"
hap = 1
oos = 0
shadow_memory = 8
nomigrate = 1
max_event_channels = 100
max_grant_frames = 32
max_maptrack_frames = 0x40
max_grant_version = 2
nestedhvm = 0
timer_mode = "one_missed_tick_pending"
pvshim = 0
localtime = 1
rtc_timeoffset = 3600
acpi=0
iomem=["f0000,1","f1000,10@100"]
ioports=["2f8-2ff","3f8"]
irqs=[5,6]
passthrough="disabled"
driver_domain=0
xend_suspend_evtchn_compat=1
vmtrace_buf_kb=64
msr_relaxed=1
dm_restrict=1
`,
  'a command line': head('cmdline = "a"\nroot = "/dev/x"\nextra = "e"'),
  'escapes in strings': head('extra="a\\tb\\\\n\\"q\\" c"'),
  'only a root': head('root="/dev/z"'),
  disks: head(`disk = [\n${quoted(DISKS)}\n]`),
  'network interfaces': head(`vif = [\n${quoted(NICS)}\n]`),
  framebuffers: head(`vfb = [
 'type=vnc,vnclisten=0.0.0.0:3,vncdisplay=2,vncunused=1,vncpasswd=x,keymap=de',
 'sdl=1,display=:0,xauthority=/x,opengl=1,vnc=0', '' ]`),
  'a display': head('vnc=1\nvnclisten="127.0.0.1:7"\nvncunused=0\nkeymap="de"'),
  'no display': head('vnc=0'),
  channels: head(
    "channel = [ 'name=org.x, connection=pty', 'name=o2,connection=socket,path=/x/y' ]",
  ),
  shares: head(
    "p9 = [ 'tag=t,security_model=none,path=/p','tag=u,security_model=none,path=/q,backend=dom3' ]",
  ),
  'a TPM': head("vtpm = [ 'backend=dom3,uuid=6ba7b810-9dad-11d1-80b4-00c04fd430c8' ]"),
  'a keyboard': head(
    "vkb = ['unique-id=k,backend-type=linux,feature-abs-pointer=1,width=100,height=50']",
  ),
  pvcalls: head("pvcalls = ['backend=0']"),
  usb: head('usbctrl=["version=1,ports=4"]\nusbdev=["type=hostdev,hostbus=1,hostaddr=2"]'),
  pci: head(
    'pci_permissive=1\npci=["01:00.0","0000:02:03.4@5,permissive=0,msitranslate=1,seize=1","03:00.*"]',
  ),
  'each vCPU its own': head('vcpus=3\ncpus = ["0", "0,^1", "1-5,^2-3,2"]'),
  'CPUs as numbers': head('vcpus=2\ncpus=[1,0]'),
  'one CPU as a number': head('vcpus=1\ncpus=1'),
  'fewer than there are vCPUs': head('vcpus=2\ncpus=["0"]'),
  'soft affinity': head('vcpus=2\ncpus="0-3"\ncpus_soft="1"'),
  scheduling: head('cpu_weight=7; cap=3; period=1; extratime=1'),
  'a boot loader': 'name="t"\nbootloader = "pygrub"\nbootloader_args = ["--a", "b c"]\n',
  'arguments of a boot loader in one string':
    'name="t"\nbootloader = "pygrub"\nbootloader_args="x y  z"\n',
  'a builder': head('builder="generic"'),
  'a device model': head(
    'device_model_version="qemu-xen";device_model_override="/q";device_model_user="u"\n' +
      'device_model_args = ["-a", "-b"]\ndevice_model_args_pv = ["x y"]',
  ),
  labels: head('seclabel="a:b";init_seclabel="c"'),
  'a pool': head('pool="Pool-0"'),
  'the memory map of the machine': head('e820_host = 1'),
  'a TSC mode by number': head('tsc_mode=2'),
  'a timer mode by number': pvh('timer_mode=1'),
  'a shim': pvh('pvshim=1;pvshim_path="/s";pvshim_cmdline="a";pvshim_extra="b"'),
  'a boot loader for PVH': 'name="t"\ntype="pvh"\nbootloader="pygrub"\n',
  hvm: 'name="t"\nbuilder="hvm"\n',
  'hvm with a screen': `name = "h"
type = "hvm"
memory = 128
firmware = "uefi"
boot="dc"
vnc=1
vnclisten="0.0.0.0:3"
serial="pty"
usb=1
usbdevice=["tablet"]
vga="stdvga"
videoram=16
acpi=1
hpet=0
viridian=1
nographic=0
altp2m="mixed"
hdtype="ahci"
xen_platform_pci=1
vif=['','type=vif,model=e1000']
`,
  'hvm with much': `name="t"
type="hvm"
serial=["pty","file:/x"]
stdvga=1
pae=1
nx=0
usbversion=2
bios="seabios"
spice=1
spiceport=6000
spicedisable_ticketing=1
soundhw="hda"
vkb_device=1
mmio_hole=512
keymap="de"
vncunused=1
vncpasswd="q"
vncdisplay=3
sdl=0
opengl=1
acpi_s3=0
acpi_s4=0
acpi_laptop_slate=1
vpt_align=0
nestedhvm=1
apic=0
timer_mode="no_missed_ticks_pending"
smbios_firmware="/s"
acpi_firmware="/a"
display=":1"
xauthority="/xa"
kernel="/k"
extra="a"
bios_path_override="/bp"
`,
};

/** What these say depends on the machine: how many CPUs it has. */
export const FILES_OF_THE_HOST: Readonly<Record<string, string>> = {
  'all CPUs but one': head('vcpus=1\ncpus="all,^0"'),
  'a node': head('vcpus=1\ncpus="node:0,^1"'),
};
