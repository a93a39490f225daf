import { describe, expect, it } from 'vitest';

import { type Surroundings, isInside, locate } from '../src/server/locate';

/** A machine with these programs; a value is where a link leads. */
function machine(programs: Readonly<Record<string, string>>, change: Partial<Surroundings> = {}): Surroundings {
  return {
    setting: '',
    extensionFolder: '/ext',
    searchPath: '/usr/local/bin:/usr/bin',
    home: '/home/ada',
    workspaceFolders: ['/w'],
    platform: 'linux',
    executable: (file) => programs[file],
    canonical: (folder) => folder,
    ...change,
  };
}

const EVERYWHERE = {
  '/opt/countersign': '/opt/countersign',
  '/ext/server/countersign': '/ext/server/countersign',
  '/usr/bin/countersign': '/usr/bin/countersign',
};

describe('the server is found', () => {
  it('by the setting before all else', () => {
    const found = locate(machine(EVERYWHERE, { setting: '/opt/countersign' }));
    expect(found).toEqual({ found: true, file: '/opt/countersign', by: 'setting' });
  });

  it('in the extension before PATH', () => {
    expect(locate(machine(EVERYWHERE))).toEqual({ found: true, file: '/ext/server/countersign', by: 'bundled' });
  });

  it('on PATH, in its order', () => {
    const programs = { '/usr/bin/countersign': '/usr/bin/countersign', '/usr/local/bin/countersign': '/opt/c' };
    expect(locate(machine(programs))).toEqual({ found: true, file: '/opt/c', by: 'path' });
  });

  it('below the home folder by ~', () => {
    const programs = { '/home/ada/bin/countersign': '/home/ada/bin/countersign' };
    expect(locate(machine(programs, { setting: '~/bin/countersign' }))).toMatchObject({ by: 'setting' });
  });

  it('as countersign.exe on Windows', () => {
    const programs = { '/ext/server/countersign.exe': '/ext/server/countersign.exe' };
    expect(locate(machine(programs, { platform: 'win32' }))).toMatchObject({ by: 'bundled' });
  });
});

describe('the server is not started', () => {
  it('when the setting names nothing that can be run, and no other takes its place', () => {
    expect(locate(machine(EVERYWHERE, { setting: '/missing' }))).toMatchObject({ found: false });
  });

  it('when the setting is relative', () => {
    expect(locate(machine(EVERYWHERE, { setting: 'bin/countersign' }))).toMatchObject({ found: false });
  });

  it.each([
    ['inside', '/w/bin/countersign', '/w/bin/countersign'],
    ['linked from inside', '/w/countersign', '/opt/countersign'],
    ['linked into', '/opt/link', '/w/target/countersign'],
  ])('%s a folder that is open', (_, file, real) => {
    const found = locate(machine({ [file]: real }, { setting: file }));
    expect(found).toMatchObject({ found: false });
  });

  it('from a folder on PATH that is open', () => {
    const programs = { '/w/bin/countersign': '/w/bin/countersign', '/usr/bin/countersign': '/usr/bin/countersign' };
    const found = locate(machine(programs, { searchPath: '/w/bin:/usr/bin' }));
    expect(found).toMatchObject({ file: '/usr/bin/countersign' });
  });

  it('from a relative entry of PATH', () => {
    const programs = { 'bin/countersign': '/x', countersign: '/y' };
    expect(locate(machine(programs, { searchPath: 'bin::.' }))).toMatchObject({ found: false });
  });

  it('from a folder that is open under another name', () => {
    const found = locate(
      machine({ '/real/countersign': '/real/countersign' }, { setting: '/real/countersign', canonical: () => '/real' }),
    );
    expect(found).toMatchObject({ found: false });
  });

  it('when there is none', () => {
    expect(locate(machine({}, { searchPath: undefined }))).toMatchObject({ found: false });
  });
});

describe('inside', () => {
  it.each([
    ['/w', '/w', true],
    ['/w/a', '/w', true],
    ['/w/..a', '/w', true],
    ['/wa', '/w', false],
    ['/', '/w', false],
    ['/v/w', '/w', false],
  ])('%s in %s: %s', (file, folder, inside) => {
    expect(isInside(file, folder)).toBe(inside);
  });
});
