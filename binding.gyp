# One target for each driver; scripts/steps/addon.mjs builds them one by one, so that a missing
# library costs one driver. The configuration Debug is the sanitizer build.
{
  'variables': {
    # 0 where somebody else's compiler builds an installed package: a warning must not break that.
    'hatchery_strict%': 1,
    # Some of Xen's headers have anonymous structures, and refuse to be read as standard C++. (Not
    # spelled gnu++20, which target_defaults takes away from everybody.)
    'hatchery_xen_flags': ['-std=gnu++2a'],
    # The ring-0 code that the driver puts into its guests, as data.
    'hatchery_xen_stub': 'images/kernel/xen/pvh_stub.S',
    'hatchery_xen_libraries': [
      '-lxenctrl',
      '-lxenguest',
      '-lxenevtchn',
      '-lxenforeignmemory',
      '-lxenstore',
      '-lxentoollog',
    ],
  },
  'target_defaults': {
    'include_dirs': [
      '<!(node -p "require(\'node-addon-api\').include_dir")',
      'images/abi',
    ],
    'defines': [
      'NAPI_VERSION=9',
      'NODE_ADDON_API_DISABLE_CPP_EXCEPTIONS',
      # An environment that is being ended takes no exceptions any more: that must not abort the
      # process.
      'NODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS',
    ],
    'cflags_cc!': ['-std=gnu++17', '-std=gnu++20'],
    'cflags': ['-Wall', '-Wextra', '-fvisibility=hidden'],
    'cflags_cc': ['-std=c++20', '-fno-exceptions'],
    'conditions': [
      ['hatchery_strict==1', { 'cflags': ['-Werror'] }],
    ],
    'configurations': {
      'Release': {
        'cflags!': ['-O3'],
        'cflags': ['-O2'],
      },
      'Debug': {
        'cflags!': ['-O0'],
        'cflags': ['-O1', '-g', '-fno-omit-frame-pointer', '-fsanitize=address,undefined'],
        'ldflags': ['-fsanitize=address,undefined'],
      },
    },
  },
  'targets': [
    {
      'target_name': 'hatchery_kvm',
      'sources': ['<!@(node scripts/native-sources.mjs machine kvm)'],
    },
    {
      # The same with switches that turn off one component of a rewind each, for the tests that
      # prove that the component is needed.
      'target_name': 'hatchery_kvm_test',
      'defines': ['HATCHERY_TEST_HOOKS'],
      'sources': ['<!@(node scripts/native-sources.mjs machine kvm)'],
    },
    {
      # The walls around a worker process, and what its supervisor shares with it.
      'target_name': 'hatchery_process',
      'sources': ['<!@(node scripts/native-sources.mjs process)'],
    },
    {
      # The same with a way to try any system call, for the tests of the walls.
      'target_name': 'hatchery_process_test',
      'defines': ['HATCHERY_TEST_HOOKS'],
      'sources': ['<!@(node scripts/native-sources.mjs process)'],
    },
    {
      # Guests in processes, where there is no hypervisor.
      'target_name': 'hatchery_process_guests',
      'sources': ['<!@(node scripts/native-sources.mjs machine process_guests)'],
    },
    {
      # The same with calls that fail on demand.
      'target_name': 'hatchery_process_guests_test',
      'defines': ['HATCHERY_TEST_HOOKS'],
      'sources': ['<!@(node scripts/native-sources.mjs machine process_guests)'],
    },
    {
      # Needs Xen's headers and libraries (Debian: libxen-dev), as the next two do.
      'target_name': 'hatchery_xen',
      'sources': ['<!@(node scripts/native-sources.mjs machine xen)', '<(hatchery_xen_stub)'],
      'libraries': ['<@(hatchery_xen_libraries)'],
      'cflags_cc': ['<@(hatchery_xen_flags)'],
    },
    {
      # The same with hooks for tests: calls that fail, and a look at all that a machine is.
      'target_name': 'hatchery_xen_test',
      'defines': ['HATCHERY_TEST_HOOKS'],
      'sources': ['<!@(node scripts/native-sources.mjs machine xen)', '<(hatchery_xen_stub)'],
      'libraries': ['<@(hatchery_xen_libraries)'],
      'cflags_cc': ['<@(hatchery_xen_flags)'],
    },
    {
      # Domains of any kind, by way of Xen's own toolstack library.
      'target_name': 'hatchery_libxl',
      'sources': ['<!@(node scripts/native-sources.mjs libxl)', 'native/machine/thread.cc'],
      'libraries': ['-lxenlight', '-lxlutil', '-lxentoollog', '-lxenstore'],
      # Its threads outlive a worker thread of Node's that was alone in using it.
      'ldflags': ['-Wl,-z,nodelete'],
    },
  ],
}
