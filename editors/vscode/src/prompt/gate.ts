// Decides whether a yes counts. The web view disables its buttons by the same
// rules; this is where they hold.

/** Nobody has read anything in less, and what is clicked was meant for what stood there before. In milliseconds. */
export const TOO_SOON = 500;

export class Gate {
  private shownAt: number | undefined;
  private isWhole = false;

  constructor(
    readonly ticket: string,
    private readonly now: () => number,
  ) {}

  /** It came onto the screen; only the first time counts. */
  shown(): void {
    this.shownAt ??= this.now();
  }

  /** Its whole text was on the screen. */
  whole(): void {
    this.isWhole = true;
  }

  /** Why a yes does not count yet, in a sentence; nothing if it counts. */
  objection(): string | undefined {
    if (this.shownAt === undefined || this.now() - this.shownAt < TOO_SOON) {
      return 'It was shown only a moment ago. Look at it, and choose again.';
    }
    return this.isWhole ? undefined : 'Not all of it was shown yet. Scroll to its end first.';
  }
}
