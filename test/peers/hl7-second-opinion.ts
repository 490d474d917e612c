import { type Node, type Segment, shell } from './hl7-example.js';

/** Segment, its occurrence, field, repetition, component, subcomponent; numbers from 1, as in HL7. */
export type Path = readonly [string, ...number[]];

export interface Opinion {
  /** What the Python package hl7 reads at the paths. */
  readonly values: readonly string[];
  /** The message as the Python package hl7apy writes it. */
  readonly er7: string;
  /** Whether hl7apy finds the message valid, or the error it reports. */
  readonly valid: boolean | string;
}

/** What two packages of others read in a message. */
export function secondOpinion(message: string, paths: readonly Path[] = []): Opinion {
  const input = JSON.stringify({ message, paths });
  return JSON.parse(shell('python3 test/fixtures/peers/hl7_second_opinion.py', input)) as Opinion;
}

type Level = 'repetitions' | 'components' | 'subcomponents';

const partsOf = (node: Node, level: Level): readonly Node[] =>
  typeof node === 'string' ? [node] : (node[level] ?? [node]);

/** The places and texts of a field in the plugin's JSON. */
const fieldValues = (field: Node, place: Path): { path: Path; text: string }[] =>
  partsOf(field, 'repetitions').flatMap((repetition, r) =>
    partsOf(repetition, 'components').flatMap((component, c) =>
      partsOf(component, 'subcomponents').map((value, v) => ({
        path: [...place, r + 1, c + 1, v + 1],
        text: typeof value === 'string' ? value : (value.text ?? ''),
      })),
    ),
  );

/** The places and texts of a message in the plugin's JSON. */
export function valuesOf(segments: readonly Segment[]): { path: Path; text: string }[] {
  const seen = new Map<string, number>();
  return segments.flatMap(({ name, fields }) => {
    const occurrence = (seen.get(name) ?? 0) + 1;
    seen.set(name, occurrence);
    // Fields 1 and 2 of MSH are the delimiters, which the packages do not take apart.
    const first = name === 'MSH' ? 2 : 0;
    return fields.slice(first).flatMap((field, at) => fieldValues(field, [name, occurrence, first + at + 1]));
  });
}
