import { describe, expect, it } from 'vitest';

import { Seen } from '../src/webview/seen';

describe('a text was shown whole', () => {
  it('when it fits', () => {
    const seen = new Seen();
    seen.look(0, 1);
    expect(seen.isWhole).toBe(true);
  });

  it('when it was scrolled through', () => {
    const seen = new Seen();
    seen.look(0, 0.4);
    seen.look(0.3, 0.7);
    expect(seen.isWhole).toBe(false);
    seen.look(0.7, 1);
    expect(seen.isWhole).toBe(true);
  });

  it('not when its middle was jumped over', () => {
    const seen = new Seen();
    seen.look(0, 0.3);
    seen.look(0.8, 1);
    expect(seen.isWhole).toBe(false);
    expect(seen.part).toBe(0.3);
  });
});
