{
  'target_defaults': {
    'cflags': ['-std=c11', '-Wall', '-Wextra', '-fvisibility=hidden'],
    # Node's common.gypi exports every symbol of a program; ours have nothing to export.
    'ldflags!': ['-rdynamic'],
  },
  'targets': [
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
