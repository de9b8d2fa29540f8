// What can be told of the packages from package.json and package-lock.json alone, without asking anybody.

export interface Package {
  readonly version?: string;
  readonly integrity?: string;
  readonly resolved?: string;
  readonly license?: string;
  readonly link?: boolean;
  readonly dev?: boolean;
  readonly devOptional?: boolean;
  readonly hasInstallScript?: boolean;
}

export interface Manifest {
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
}

export interface Lock {
  readonly packages: Readonly<Record<string, Package>>;
}

/** Packages whose install script we know of, have read, and do without: none runs (.npmrc), and each must be a decision. */
const KNOWN_SCRIPTS: readonly string[] = [];

/** Licences under which what a user installs may stand: none asks more of him than to keep its text. */
const LICENCES: readonly string[] = [
  'MIT',
  'ISC',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'Apache-2.0',
  'BlueOak-1.0.0',
  '0BSD',
];
/** Of tools that never reach him: weak copyleft too. */
const TOOL_LICENCES: readonly string[] = [...LICENCES, 'MPL-2.0'];

const EXACT = /^(?:npm:(?:@[\w.-]+\/)?[\w.-]+@)?\d+\.\d+\.\d+(?:-[\w.]+)?$/;
/** A SHA-512 in base64. */
const INTEGRITY = /^sha512-[A-Za-z0-9+/]{86}==$/;

/** @returns what is wrong, a sentence each. */
export function faultsOf(manifest: Manifest, lock: Lock): string[] {
  return [
    ...inManifest(manifest),
    ...packagesOf(lock).flatMap(([path, entry]) => inPackage(nameOf(path), entry)),
  ];
}

function inManifest({ dependencies, optionalDependencies, devDependencies }: Manifest): string[] {
  const wanted = Object.entries({ ...dependencies, ...optionalDependencies, ...devDependencies });
  return wanted.flatMap(([name, version]) =>
    EXACT.test(version) ? [] : [`${name} is not pinned exactly: ${version}`],
  );
}

function inPackage(name: string, entry: Package): string[] {
  const allowed = isTool(entry) ? TOOL_LICENCES : LICENCES;
  return [
    ...(INTEGRITY.test(entry.integrity ?? '') ? [] : [`${name} has no SHA-512 in the lock file`]),
    // The lock file names no registry (.npmrc), so that whatever it names is a file, a repository or an address.
    ...(entry.resolved === undefined && !entry.link
      ? []
      : [`${name} comes from elsewhere: ${entry.resolved}`]),
    ...(EXACT.test(entry.version ?? '') ? [] : [`${name} has no version: ${entry.version}`]),
    ...(!entry.hasInstallScript || KNOWN_SCRIPTS.includes(name) ? [] : [`${name} has an install script`]),
    ...(allowed.includes(entry.license ?? '')
      ? []
      : [`${name} has a licence that is not listed: ${entry.license}`]),
  ];
}

/** Does it never reach a user: a tool, or what one of the tools shares with an optional wish of a dependency? */
function isTool({ dev, devOptional }: Package): boolean {
  return dev === true || devOptional === true;
}

/** What `npm install bailiff` brings, by name. */
export function installed(lock: Lock): string[] {
  return packagesOf(lock).flatMap(([path, entry]) => (isTool(entry) ? [] : [nameOf(path)]));
}

function packagesOf({ packages }: Lock): [string, Package][] {
  return Object.entries(packages).filter(([path]) => path !== '');
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);
}
