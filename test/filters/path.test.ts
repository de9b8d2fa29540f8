import { describe, expect, it } from 'vitest';
import { pathOf, plainMethod, plainPath, queryOf, splitRequest } from '../../src/filters/path.ts';
import { PATHS } from './paths.ts';

describe('the path that conditions see', () => {
  it.each(PATHS)('of %s is %s', (target, path) => {
    expect(pathOf(target)).toBe(path);
  });
});

describe('a request line', () => {
  it.each([
    ['POST /login HTTP/1.1', 'POST', '/login', 'HTTP/1.1'],
    ['GET / HTTP/2.0', 'GET', '/', 'HTTP/2.0'],
    ['GET   /login   HTTP/1.1  ', 'GET', '/login', 'HTTP/1.1'],
    ['GET /a b HTTP/1.1', 'GET', '/a b', 'HTTP/1.1'],
    ['GET /a HTTP/1.1 HTTP/1.1', 'GET', '/a HTTP/1.1', 'HTTP/1.1'],
    ['GET /login', 'GET', '/login', ''],
    ['GET \xa0/login HTTP/1.1', 'GET', '\xa0/login', 'HTTP/1.1'],
    ['VERSION-CONTROL /x HTTP/1.1', 'VERSION-CONTROL', '/x', 'HTTP/1.1'],
    ['GET HTTP/1.1', 'GET', '', 'HTTP/1.1'],
    ['post /login HTTP/1.1', '', '', ''],
    ['\x16\x03\x01\x02', '', '', ''],
    ['POST', '', '', ''],
    ['-', '', '', ''],
    ['', '', '', ''],
    [' POST /login HTTP/1.1', '', '', ''],
  ])('%s is taken apart', (line, method, target, protocol) => {
    expect(splitRequest(line)).toEqual({ method, target, protocol });
  });

  it('whose path is plain has it found in place, and it is the same', () => {
    const lines = [
      'POST /login HTTP/1.1',
      'POST /login?x=/../%zz HTTP/1.1',
      'POST /login? HTTP/1.1',
      'GET /a.b/c HTTP/1.0',
      'GET /x/.y HTTP/1.1',
      'GET /.env HTTP/1.1',
      'GET /x/. HTTP/1.1',
      'GET /x/.. HTTP/1.1',
      'GET /.a/../b HTTP/1.1',
      'GET /x/.%2e/y HTTP/1.1',
      'GET /..x HTTP/1.1',
      'GET /.?x HTTP/1.1',
      'GET //x HTTP/1.1',
      'GET /%6c HTTP/1.1',
      'GET /a b HTTP/1.1',
      'GET /a HTTP/1.x',
      'GET /a HTTP/1.1 HTTP/1.1',
      'GET /a#b HTTP/1.1',
      'GET /a',
      'GET  /a HTTP/1.1',
      'get /a HTTP/1.1',
      '-',
      '',
    ];
    const plain = lines.map((line) => plainPath(`<${line}>`, 1, line.length + 1));
    expect(plain.map((path, index) => path ?? pathOf(splitRequest(lines[index]!).target))).toEqual(
      lines.map((line) => pathOf(splitRequest(line).target)),
    );
    expect(plain.slice(0, 6)).toEqual(['/login', '/login', '/login', '/a.b/c', '/x/.y', '/.env']);
    const methods = lines.map((line) => plainMethod(`<${line}>`, 1, line.length + 1));
    expect(methods.map((method, index) => method ?? splitRequest(lines[index]!).method)).toEqual(
      lines.map((line) => splitRequest(line).method),
    );
    expect(methods.slice(0, 2)).toEqual(['POST', 'POST']);
  });

  it('has a query up to its fragment', () => {
    expect(queryOf('/a?b=c#d')).toBe('b=c');
    expect(queryOf('/a#d?b')).toBeUndefined();
    expect(queryOf('/a')).toBeUndefined();
  });
});
