// How long to wait before the server is started again, as a pure function of
// what happened: quickly at first, ever slower when it fails each time.

const FIRST = 500;
const LONGEST = 60_000;
/** A server that ran this long was well; what comes next is a new failure. In milliseconds. */
export const WELL = 60_000;

/** The wait before the next start after so many failures in a row, in milliseconds. */
export function delay(failures: number): number {
  return Math.min(LONGEST, FIRST * 2 ** Math.max(0, failures - 1));
}

/** The failures in a row after the server ended; `ran` in milliseconds. */
export function failuresAfter(before: number, ran: number): number {
  return ran >= WELL ? 1 : before + 1;
}
