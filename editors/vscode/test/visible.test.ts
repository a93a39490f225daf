import { describe, expect, it } from 'vitest';

import { code, pieces, plain, shortened, visible, visibleLines } from '../src/text/visible';

describe('text that is shown', () => {
  it.each([
    ['bidirectional overrides', 'a\u202eb', 'a<U+202E>b'],
    ['isolates', '\u2066x\u2069', '<U+2066>x<U+2069>'],
    ['control characters', '\u001b[2Kx', '<U+001B>[2Kx'],
    ['characters of no width', 'r\u200bm', 'r<U+200B>m'],
    ['tags', '\u{e0041}', '<U+E0041>'],
    ['spaces that are none', 'a\u00a0b\u3000c', 'a<U+00A0>b<U+3000>c'],
    ['fillers', '\u3164', '<U+3164>'],
    ['variation selectors', 'x\ufe0f', 'x<U+FE0F>'],
    ['lone surrogates', 'x\ud800', 'x<U+D800>'],
    ['line separators', 'a\u2028b', 'a<U+2028>b'],
  ])('shows %s', (_, text, shown) => {
    expect(visible(text)).toBe(shown);
    expect(visibleLines(text)).toBe(shown);
    expect(pieces(text).map((piece) => piece.text).join('')).toBe(shown);
  });

  it('keeps letters of every script, and emoji', () => {
    const text = 'naïve 東京 مرحبا 🦀';
    expect(visible(text)).toBe(text);
  });

  it('keeps lines where there may be lines', () => {
    expect(visibleLines('a\n\tb')).toBe('a\n\tb');
    expect(visible('a\nb')).toBe('a<U+000A>b');
  });

  it('is cut in lists only, between characters', () => {
    expect(shortened('🦀🦀🦀🦀', 3)).toBe('🦀🦀…');
    expect(shortened('a\n  b', 10)).toBe('a b');
  });
});

describe('text in Markdown', () => {
  it.each(['`', '``a`', '[x](command:y)', '$(error)', ' ', ''])('%j cannot leave its code', (text) => {
    const made = code(text);
    const [, fence = ''] = /^(`+)/.exec(made) ?? [];
    expect(made.startsWith(fence) && made.endsWith(fence)).toBe(true);
    expect(made.slice(fence.length, -fence.length)).not.toContain(fence);
  });

  it('means nothing: links, icons, emphasis, HTML', () => {
    expect(plain('[a](command:b) $(error) **c** <img>')).not.toMatch(/[[\]()$*<>]/);
  });
});
