const MONTH = '(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)';
const TIME = '[0-2]\\d:[0-5]\\d:[0-6]\\d';
const CURRENT = new RegExp(`^[A-Z][a-z]{2}, \\d{2} ${MONTH} \\d{4} ${TIME} GMT$`);
const RFC_850 = new RegExp(`^[A-Z][a-z]{2,5}day, \\d{2}-${MONTH}-\\d{2} ${TIME} GMT$`);
const ASCTIME = new RegExp(`^[A-Z][a-z]{2} ${MONTH} [ \\d]\\d ${TIME} \\d{4}$`);

/**
 * Reads a date in one of the three forms of RFC 9110 section 5.6.7.
 * @returns milliseconds since the epoch, whole seconds; null for any other text
 */
export function parseHttpDate(text: string): number | null {
  const isZoned = CURRENT.test(text) || RFC_850.test(text);
  if (!isZoned && !ASCTIME.test(text)) return null;
  const ms = Date.parse(isZoned ? text : `${text} GMT`);
  return Number.isNaN(ms) ? null : ms;
}

/** The date as headers carry it, which is precise to a second. */
export function formatHttpDate(ms: number): string {
  return new Date(ms).toUTCString();
}
