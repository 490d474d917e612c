import { JSON_DEPTH_MAX } from '../plugins/json-depth.js';

/** Texts that programs mistake for something else. They are also used as names of JSON members. */
export const HOSTILE_TEXTS: readonly string[] = [
  '',
  ' ',
  '%s%s%s%s%n%n%n%n',
  '%2147483647d%.99999f',
  '../../../../../../etc/passwd',
  '/proc/self/mem',
  '..\\..\\windows\\win.ini',
  "' OR '1'='1' --",
  '"}],{"a":[{"',
  '\\',
  '\\"',
  '\\u0000',
  'a\r\nset-cookie: a=1\r\n\r\n',
  '`id`; $(id) | id & id',
  '<script>alert(1)</script>',
  '${jndi:ldap://127.0.0.1/a}',
  '{{7*7}}',
  '\u0000\u0001\u001f\u007f',
  '\u202eright to left\u202c \u2028\u2029',
  '\ufeffbyte order mark',
  '\ufffd\uffff\u{10ffff}',
  '😀'.repeat(8),
  'Å'.normalize('NFD'),
  '-1',
  '0',
  'NaN',
  'null',
  'true',
  '1e999',
  '0x7fffffff',
  '9223372036854775808',
  '2024-02-30T25:61:61Z',
  '__proto__',
  'constructor',
  'a'.repeat(255),
  'a'.repeat(256),
  'a'.repeat(1025),
  'b'.repeat(4097),
];

/** Numbers as JSON text, at the limits of what programs count with. */
export const HOSTILE_NUMBERS: readonly string[] = [
  '0',
  '-0',
  '-1',
  '1e400',
  '-1e400',
  '1e-400',
  '2147483647',
  '2147483648',
  '-2147483649',
  '4294967296',
  '9007199254740993',
  '9223372036854775807',
  '9223372036854775808',
  '-9223372036854775809',
  '18446744073709551616',
  '0.1000000000000000055511151231257827021181583404541015625',
  `${'9'.repeat(400)}.${'9'.repeat(400)}`,
];

/** JSON values that nest as deep as the server allows. */
export const DEEP_VALUES: readonly string[] = [
  nested('[', '', ']'),
  nested('{"a":', '1', '}'),
  nested('{"items":[', '{}', ']}', JSON_DEPTH_MAX / 2 - 1),
  `{"a":${nested('[', '"end"', ']', JSON_DEPTH_MAX - 1)},"b":${nested('[', 'null', ']', JSON_DEPTH_MAX - 1)}}`,
  `[${Array.from({ length: 200 }, () => nested('[', '0', ']', JSON_DEPTH_MAX - 1)).join(',')}]`,
];

function nested(open: string, middle: string, close: string, levels = JSON_DEPTH_MAX): string {
  return open.repeat(levels) + middle + close.repeat(levels);
}

const ITEMS = 20_000;
/** Bytes of a long text: what fits into the default `server.body_limit` with its encoding. */
const LONG = 700_000;

/** JSON values of about the largest size that the server takes by default. */
export function hugeValues(): string[] {
  const members = Array.from({ length: ITEMS }, (_, index) => `"name${index}":"value ${index}"`);
  return [
    JSON.stringify('x'.repeat(LONG)),
    `"${'\\u00e9'.repeat(LONG / 6)}"`,
    `[${'0,'.repeat(LONG / 4)}0]`,
    `{${members.join(',')}}`,
    `[${Array.from({ length: ITEMS }, () => '{"id":1,"tags":["a"]}').join(',')}]`,
    `{"${'n'.repeat(LONG)}":1}`,
    '1'.repeat(100_000),
  ];
}

/** JSON values with text that is not UTF-8 once it is decoded, or that uses all of Unicode. */
export const ENCODED_VALUES: readonly string[] = [
  '"\\ud800"',
  '"\\udfff\\ud800"',
  '"a\\ud83d"',
  '"\\u0000"',
  '{"\\u0000":"\\u0000a"}',
  '{"\\ud800":1}',
  '"\\uffff\\ufffe\\ufdd0"',
  '"\\b\\f\\n\\r\\t\\/\\\\\\""',
  '"\u{10ffff}\u0080߿ࠀ"',
  '"é\u0301\u202e\ufeff"',
];

/** JSON values that are valid and unusual. */
export const HOSTILE_VALUES: readonly string[] = [
  ...HOSTILE_TEXTS.map((text) => JSON.stringify(text)),
  ...HOSTILE_NUMBERS,
  '{"a":1,"a":2,"a":{"a":3}}',
  '{"":{"":[]}}',
  '{"__proto__":{"admin":true},"constructor":{"prototype":{}}}',
  '{"response":{"status":999},"request":null,"status":"200","body":[]}',
  ' \t\r\n{ \n"a" \t: [ 1 , 2 ] }\n ',
  `{${HOSTILE_TEXTS.map((text) => `${JSON.stringify(text)}:${JSON.stringify(text)}`).join(',')}}`,
  `[${HOSTILE_NUMBERS.join(',')}]`,
];

/** Small JSON values, most with nothing in them. */
export const EMPTY_VALUES: readonly string[] = [
  '{}',
  '[]',
  '""',
  'null',
  'false',
  '0',
  '{"a":{}}',
  '{"":""}',
  '[[]]',
  '[null]',
];
