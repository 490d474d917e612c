import { defineConfig } from 'eslint/config';
import js from '@eslint/js';
import tseslint from 'typescript-eslint';

export default defineConfig(
  {
    ignores: [
      'dist/',
      'dist-test/',
      'build/',
      'coverage/',
      '**/target/',
      'examples/*/build/',
      'examples/*/plugins/',
    ],
  },
  js.configs.recommended,
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.recommendedTypeChecked],
    languageOptions: {
      parserOptions: {
        project: ['./tsconfig.json', './tsconfig.test.json'],
        tsconfigRootDir: import.meta.dirname,
      },
    },
    rules: {
      // The defects this project cannot afford: a promise nobody awaits, a case nobody handles.
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports' }],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_' }],
      // Numbers may be used in messages without String().
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true, allowBoolean: true },
      ],
      '@typescript-eslint/only-throw-error': 'error',
      '@typescript-eslint/return-await': 'error',
      '@typescript-eslint/prefer-readonly': 'error',
      // A function may be async because of its interface, without an await.
      '@typescript-eslint/require-await': 'off',
      // One way to write each construct.
      'no-restricted-syntax': ['error', ...privateMembers()],
      '@typescript-eslint/array-type': ['error', { default: 'array' }],
      'no-duplicate-imports': 'error',
      'no-useless-rename': 'error',
      'object-shorthand': 'error',
      'no-console': 'error',
      eqeqeq: 'error',
    },
  },
  {
    // The signature of an exported function shows what it returns.
    files: ['src/**/*.ts'],
    rules: { '@typescript-eslint/explicit-module-boundary-types': 'error' },
  },
  {
    // Scripts, benchmarks and examples print to a terminal.
    files: ['**/*.mjs', '**/*.js'],
    languageOptions: { globals: nodeGlobals() },
  },
);

/** Private members are written with TypeScript's `private`: no `#name`, no `_name`. */
function privateMembers() {
  const member = ':matches(PropertyDefinition, MethodDefinition, TSAbstractPropertyDefinition)';
  return [
    { selector: 'PrivateIdentifier', message: 'Write `private name` instead of `#name`.' },
    {
      selector: `${member} > Identifier.key[name=/^_/]`,
      message: 'Write `private name` instead of `_name`.',
    },
    {
      selector: 'TSParameterProperty :matches(Identifier, AssignmentPattern > Identifier)[name=/^_/]',
      message: 'Write `private name` instead of `_name`.',
    },
  ];
}

function nodeGlobals() {
  const names = [
    'process',
    'console',
    'Buffer',
    'URL',
    'fetch',
    'performance',
    'AbortController',
    'AbortSignal',
  ];
  const timers = [
    'setTimeout',
    'clearTimeout',
    'setInterval',
    'clearInterval',
    'setImmediate',
    'queueMicrotask',
  ];
  return Object.fromEntries([...names, ...timers].map((name) => [name, 'readonly']));
}
