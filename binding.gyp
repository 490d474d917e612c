{
  'target_defaults': {
    'cflags': ['-std=c11', '-Wall', '-Wextra', '-fvisibility=hidden'],
    # Node's common.gypi exports every symbol of a program; ours have nothing to export.
    'ldflags!': ['-rdynamic'],
  },
  'targets': [
    {
      'target_name': 'backworks-runner',
      'type': 'executable',
      'win_delay_load_hook': 'false',
      'sources': [
        'src/runner/answer.c',
        'src/runner/bpf_assembler.c',
        'src/runner/describe.c',
        'src/runner/host_table.c',
        'src/runner/input.c',
        'src/runner/library.c',
        'src/runner/main.c',
        'src/runner/output.c',
        'src/runner/print_filter.c',
        'src/runner/refused_calls.c',
        'src/runner/sandbox_policy.c',
        'src/runner/sandbox_report.c',
        'src/runner/sandbox_settings.c',
        'src/runner/seccomp_arguments.c',
        'src/runner/seccomp_filter.c',
        'src/runner/serve.c',
        'src/runner/text.c',
      ],
      'cflags': ['-pedantic', '-Wshadow', '-Wconversion', '-fPIE', '-fstack-protector-strong'],
      'configurations': {
        'Release': { 'cflags': ['-U_FORTIFY_SOURCE', '-D_FORTIFY_SOURCE=2'] },
      },
      'xcode_settings': {
        'GCC_C_LANGUAGE_STANDARD': 'c11',
        'GCC_SYMBOLS_PRIVATE_EXTERN': 'YES',
        'WARNING_CFLAGS': ['-Wall', '-Wextra', '-pedantic', '-Wshadow', '-Wconversion'],
        'OTHER_CFLAGS': ['-fstack-protector-strong'],
      },
      'msvs_settings': {
        'VCCLCompilerTool': { 'AdditionalOptions': ['/std:c11', '/experimental:c11atomics', '/guard:cf'] },
        'VCLinkerTool': { 'AdditionalOptions': ['/guard:cf'] },
      },
      'conditions': [
        ['OS=="win"', {
          'sources': [
            'src/runner/channel_windows.c',
            'src/runner/clock_windows.c',
            'src/runner/dylib_windows.c',
            'src/runner/lock_windows.c',
            'src/runner/parent_death_windows.c',
            'src/runner/shared_page_windows.c',
          ],
        }, {
          'sources': [
            'src/runner/channel_posix.c',
            'src/runner/clock_posix.c',
            'src/runner/dylib_posix.c',
            'src/runner/lock_posix.c',
            'src/runner/shared_page_posix.c',
          ],
        }],
        ['OS!="linux"', { 'sources': ['src/runner/crash_report_other.c', 'src/runner/sandbox_other.c'] }],
        ['OS=="mac"', { 'sources': ['src/runner/parent_death_darwin.c'] }],
        ['OS=="linux"', {
          'sources': [
            'src/runner/crash_report_linux.c',
            'src/runner/landlock_linux.c',
            'src/runner/module_map_linux.c',
            'src/runner/parent_death_linux.c',
            'src/runner/privileges_linux.c',
            'src/runner/resource_limits_linux.c',
            'src/runner/sandbox_linux.c',
            'src/runner/seccomp_linux.c',
            'src/runner/self_test_linux.c',
          ],
          'cflags': ['-fstack-clash-protection'],
          # as-needed: node-gyp may link with the C++ compiler, whose library nothing here uses.
          'ldflags': ['-pie', '-Wl,-z,relro,-z,now', '-Wl,-z,noexecstack', '-Wl,--as-needed'],
          'libraries': ['-ldl', '-lpthread'],
        }],
        ['OS=="linux" and target_arch=="x64"', { 'cflags': ['-fcf-protection=full'] }],
      ],
    },
    {
      'target_name': 'weather_plugin',
      'type': 'shared_library',
      'product_prefix': 'lib',
      'product_extension': 'so',
      'product_dir': '<(module_root_dir)/examples/weather/plugins',
      'include_dirs': ['native-sdk/include'],
      'sources': [
        'examples/weather/c/climate.c',
        'examples/weather/c/json_reader.c',
        'examples/weather/c/weather_plugin.c',
      ],
    },
  ],
}
