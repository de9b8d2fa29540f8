// Who may import whom (docs/architecture.md): levels only look down, rooms of one level are strangers, and a room is
// entered by its index.ts or contract.ts only. Static, dynamic and type imports count alike.
//
// dependency-cruiser reads TypeScript through the package `typescript` (6); with TypeScript 7 alone it sees nothing and
// says all is well. test/architecture.test.ts therefore counts what it saw.

/** Level 1: the files directly in src/. */
const NOUNS = '^src/[^/]+[.]ts$';
/** Level 2. */
const ROOMS = 'config|sources|filters|jails|ledger|firewall|notify|api|audit|fleet|lists';

module.exports = {
  forbidden: [
    {
      name: 'no-circular',
      comment: 'A circle has no top to read from.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'nouns-see-nouns',
      comment: 'Level 1: the nouns in src/*.ts see nothing but each other, and in no circle.',
      severity: 'error',
      from: { path: NOUNS },
      to: { path: '^src/', pathNot: NOUNS },
    },
    {
      name: 'rooms-are-strangers',
      comment: 'Level 2: a room sees the nouns and itself. Siblings share words through model.ts.',
      severity: 'error',
      from: { path: `^src/(${ROOMS})/` },
      to: { path: '^src/', pathNot: [NOUNS, '^src/$1/'] },
    },
    {
      name: 'setup-looks-down',
      comment: 'Level 3: setup sees rooms and nouns.',
      severity: 'error',
      from: { path: '^src/setup/' },
      to: { path: '^src/', pathNot: [NOUNS, `^src/(${ROOMS}|setup)/`] },
    },
    {
      name: 'daemon-looks-down',
      comment: 'Level 4: daemon sees everything but the command line.',
      severity: 'error',
      from: { path: '^src/daemon/' },
      to: { path: '^src/', pathNot: [NOUNS, `^src/(${ROOMS}|setup|daemon)/`] },
    },
    {
      name: 'enter-by-the-door',
      comment:
        'From outside, only index.ts and contract.ts of a room are imported; and, so that a verb can use them without loading the daemon, daemon/system.ts, the real ports, and daemon/offline/index.ts.',
      severity: 'error',
      from: { path: '^src/([^/]+)/' },
      to: {
        path: '^src/[^/]+/',
        pathNot: [
          '^src/[^/]+/(index|contract)[.]ts$',
          '^src/daemon/(system|offline/index)[.]ts$',
          '^src/$1/',
        ],
      },
    },
    {
      name: 'one-door-processes',
      comment: 'Processes are started in src/daemon/system.ts only; rooms get Exec handed in.',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/daemon/system[.]ts$' },
      to: { path: '^(node:)?child_process$' },
    },
    {
      name: 'one-door-database',
      comment: 'SQL stands in src/ledger/ only.',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/ledger/' },
      to: { path: '(/better-sqlite3/|^(node:)?sqlite$)' },
    },
    {
      name: 'the-product-stands-alone',
      comment: 'src/ needs neither tests, benches nor development tools.',
      severity: 'error',
      from: { path: '^src/' },
      to: { path: '^(test|bench|bin)/' },
    },
    {
      name: 'no-undeclared-dependency',
      comment:
        'What src/ imports must be a dependency in package.json: a package without it would not start.',
      severity: 'error',
      from: { path: '^src/' },
      to: { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'] },
    },
    {
      name: 'no-unresolvable',
      comment: 'An import that leads nowhere.',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^(dist|coverage)/' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    detectProcessBuiltinModuleCalls: true,
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      extensions: ['.ts', '.js', '.json'],
      conditionNames: ['import', 'node', 'default', 'types'],
    },
  },
};
