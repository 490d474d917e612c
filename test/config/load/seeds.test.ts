/** The sample configurations of the original requirements load unchanged. */
import { expect, test } from '@jest/globals';
import { parseConfig } from '../../../dist/config/load/load.js';

const ENHANCED = `# Enhanced configuration format
plugins:
  # Built-in plugins
  auth:
    type: "builtin"
    enabled: true
    config:
      jwt_secret: "secret"
  
  # External plugins
  weather:
    type: "external"
    path: "./plugins/libweather_plugin.so"
    enabled: true
    config:
      api_key: "\${WEATHER_API_KEY}"
      
  # Auto-discovery
  auto_discover:
    enabled: true
    directories: ["./plugins", "/usr/local/lib/backworks/plugins"]
`;

const MARKETPLACE = `# backworks.yaml
plugins:
  # Built-in plugins (compiled in)
  auth:
    type: "builtin"
    config:
      jwt_secret: "secret"
  
  # External plugins (dynamically loaded)
  my-custom-plugin:
    type: "external"
    path: "./plugins/my-custom-plugin.so"
    config:
      api_key: "12345"
      
  # Marketplace plugins (downloaded)
  stripe-plugin:
    type: "marketplace"
    version: "1.2.0"
    config:
      api_key: "\${STRIPE_API_KEY}"
`;

const at = (env: NodeJS.ProcessEnv) => ({ file: 'backworks.yaml', directory: '/srv/app', env });

test('the sample with auto discovery loads', () => {
  const { config, warnings } = parseConfig(ENHANCED, at({ WEATHER_API_KEY: 'k-1' }));
  expect(
    config.plugins.map(({ name, type, path, enabled, where }) => [name, type, path, enabled, where]),
  ).toEqual([
    ['auth', 'builtin', null, true, 'backworks.yaml:4:3'],
    ['weather', 'external', '/srv/app/plugins/libweather_plugin.so', true, 'backworks.yaml:11:3'],
  ]);
  expect(config.plugins.map((plugin) => plugin.config)).toEqual([
    { jwt_secret: 'secret' },
    { api_key: 'k-1' },
  ]);
  expect(config.autoDiscover).toEqual({
    enabled: true,
    directories: ['/srv/app/plugins', '/usr/local/lib/backworks/plugins'],
  });
  expect(warnings).toEqual([
    'backworks.yaml:4:3: plugins.auth: builtin plugins are not supported by this version yet',
  ]);
});

test('the sample with a marketplace plugin loads', () => {
  const { config, warnings } = parseConfig(MARKETPLACE, at({ STRIPE_API_KEY: 'k-2' }));
  expect(config.plugins.map((plugin) => plugin.name)).toEqual(['auth', 'my-custom-plugin', 'stripe-plugin']);
  expect(config.plugins[1]?.config).toEqual({ api_key: '12345' });
  expect(config.plugins[2]).toMatchObject({ type: 'marketplace', path: null, config: { api_key: 'k-2' } });
  expect(config.autoDiscover.enabled).toBe(false);
  expect(warnings).toEqual([
    'backworks.yaml:4:3: plugins.auth: builtin plugins are not supported by this version yet',
    'backworks.yaml:17:3: plugins.stripe-plugin: marketplace plugins are not supported by this version yet',
  ]);
});

test('a missing key of a sample is reported by name', () => {
  expect(() => parseConfig(ENHANCED, at({}))).toThrow(
    expect.objectContaining({
      code: 'BW_CONFIG_VARIABLE',
      message:
        'backworks.yaml:16:16: plugins.weather.config.api_key: the variable WEATHER_API_KEY is not set' +
        ' — set it, or give a default: ${WEATHER_API_KEY:-default}',
    }),
  );
});
