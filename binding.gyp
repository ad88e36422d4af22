# One target for each driver; scripts/build-addon.mjs builds them one by one, so that a missing
# library costs one driver. The configuration Debug is the sanitizer build.
{
  'variables': {
    # 0 where somebody else's compiler builds an installed package: a warning must not break that.
    'hatchery_strict%': 1,
  },
  'target_defaults': {
    'include_dirs': [
      '<!(node -p "require(\'node-addon-api\').include_dir")',
      'images/abi',
    ],
    'defines': [
      'NAPI_VERSION=9',
      'NODE_ADDON_API_DISABLE_CPP_EXCEPTIONS',
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
  ],
}
