// Whether all of a long text was on the screen: what was jumped over was not.

/** Follows how far a text was seen without a gap; everything in parts of its height. */
export class Seen {
  private to = 0;

  /** The part from `top` to `bottom` (0 to 1) is on the screen. */
  look(top: number, bottom: number): void {
    // A line of overlap is not needed, a gap is not forgiven; 0.0001 is rounding.
    if (top <= this.to + 0.0001) {
      this.to = Math.max(this.to, bottom);
    }
  }

  get isWhole(): boolean {
    return this.to >= 0.9999;
  }

  /** How much of it, 0 to 1. */
  get part(): number {
    return Math.min(1, this.to);
  }
}
