import koffi, { type LibraryHandle } from 'koffi';
import { BackworksError } from '../errors.js';
import { findJsonCheck } from './binaries.js';

/** Facts about a text, as bits; `enum json_fact` of src/runner/json/json_check.h has the same numbers. */
export const JsonFact = {
  VALID: 1 << 0,
  /** The text nests too deep. The rest was not read, so it may not be JSON at all. */
  TOO_DEEP: 1 << 1,
  /** The text is an object with a member `status` (or `body`), whatever its value. */
  HAS_STATUS: 1 << 2,
  HAS_BODY: 1 << 3,
  /** Some object, at any depth, has a member `__proto__`. */
  HAS_PROTOTYPE: 1 << 4,
} as const;

/**
 * Fields of a listed member, as indexes into its numbers: byte offsets from the start of the text. JsonMember of
 * src/runner/json/json_check.h has the same fields in the same order.
 */
export const MemberField = {
  /** First byte of the name, after its quote. */
  NAME: 0,
  /** The closing quote of the name. */
  NAME_END: 1,
  VALUE: 2,
  /** First byte after the value. */
  VALUE_END: 3,
  /** Index of the next member outside this member's value. */
  AFTER: 4,
  /** Level of the member's object (1 = outermost), shifted left by one; lowest bit: the name has escapes. */
  SHAPE: 5,
} as const;

/** How many numbers a member has. */
export const MEMBER_FIELDS = 6;

type Check = (bytes: Buffer, length: number, depthMax: number) => number;
type List = (
  bytes: Buffer,
  length: number,
  depthMax: number,
  levels: number,
  table: Uint32Array,
  capacity: number,
) => number;

interface Functions {
  readonly check: Check;
  readonly list: List;
}

/** Kept here because koffi unloads a library as soon as nothing refers to its handle. */
let library: LibraryHandle | null = null;
let functions: Functions | null = null;

/**
 * Loads the library that checks JSON. Without this call, the first check loads it.
 * @throws BackworksError BW_RUNNER_NOT_FOUND, BW_RUNNER_START when the library cannot be loaded
 */
export function loadJsonCheck(): Functions {
  if (functions !== null) return functions;
  const path = findJsonCheck();
  try {
    library = koffi.load(path);
    const text = ['void *', 'size_t', 'uint32_t'];
    functions = {
      check: library.func('backworks_json_check', 'uint32_t', text) as Check,
      list: library.func('backworks_json_members', 'uint32_t', [
        ...text,
        'uint32_t',
        'void *',
        'uint32_t',
      ]) as List,
    };
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new BackworksError('BW_RUNNER_START', `${path} cannot be loaded: ${reason}`, { cause });
  }
  return functions;
}

/**
 * Checks a text without building anything from it, about ten times as fast as JSON.parse().
 * @param depthMax how deep arrays and objects may nest, up to 1024
 * @returns facts of `JsonFact`; 0 when the bytes are not JSON in UTF-8
 * @throws BackworksError as loadJsonCheck()
 */
export function checkJson(bytes: Buffer, depthMax: number): number {
  return (functions ?? loadJsonCheck()).check(bytes, bytes.length, depthMax);
}

/** The members of a text's objects. */
export interface MemberList {
  /** Facts of `JsonFact` about the text. */
  readonly facts: number;
  /** MEMBER_FIELDS numbers for each member, in the order of the text. */
  readonly table: ArrayLike<number>;
}

/** Members of an ordinary text. */
const ORDINARY_MEMBERS = 64;
/** Room in scratch memory. A longer list is read a second time, with room for all. */
const SCRATCH_MEMBERS = 1024;
/** Scratch memory: the number of members, then their fields. */
const scratch = new Uint32Array(1 + SCRATCH_MEMBERS * MEMBER_FIELDS);

/**
 * Checks a text and lists the members of its outermost object, and of objects that are values of listed
 * members. Members inside arrays are not listed.
 * @param depthMax as checkJson()
 * @param levels how many levels of objects are listed; 1 lists the outermost members only
 * @throws BackworksError as loadJsonCheck()
 */
export function listMembers(bytes: Buffer, depthMax: number, levels: number): MemberList {
  const { list } = functions ?? loadJsonCheck();
  const facts = list(bytes, bytes.length, depthMax, levels, scratch, SCRATCH_MEMBERS);
  const count = scratch[0]!;
  if (count <= SCRATCH_MEMBERS) return { facts, table: copyOfScratch(count) };
  const table = new Uint32Array(1 + count * MEMBER_FIELDS);
  list(bytes, bytes.length, depthMax, levels, table, count);
  return { facts, table: table.subarray(1) };
}

/**
 * Checks a text as checkJson() does and lists its members in the same pass.
 * @returns `table` is null when there are more members than scratch memory has room for
 */
export function checkAndList(
  bytes: Buffer,
  depthMax: number,
  levels: number,
): { readonly facts: number; readonly table: ArrayLike<number> | null } {
  const { list } = functions ?? loadJsonCheck();
  const facts = list(bytes, bytes.length, depthMax, levels, scratch, SCRATCH_MEMBERS);
  const count = scratch[0]!;
  return { facts, table: count <= SCRATCH_MEMBERS ? copyOfScratch(count) : null };
}

function copyOfScratch(count: number): ArrayLike<number> {
  const end = 1 + count * MEMBER_FIELDS;
  if (count > ORDINARY_MEMBERS) return scratch.slice(1, end);
  // A short plain array is cheaper than a typed array, whose memory is allocated separately.
  const short: number[] = [];
  for (let at = 1; at < end; at += 1) short.push(scratch[at]!);
  return short;
}
