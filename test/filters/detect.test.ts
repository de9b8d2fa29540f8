import { describe, expect, it } from 'vitest';
import { detectFormat } from '../../src/filters/index.ts';

const REQUEST = '[05/Jan/2026:10:11:12 +0100] "GET / HTTP/1.1" 200 179';
const LINES = {
  common: `192.0.2.7 - - ${REQUEST}`,
  combined: `192.0.2.7 - - ${REQUEST} "-" "curl/8"`,
  vhost_combined: `www.example.net:443 192.0.2.7 - - ${REQUEST} "-" "curl/8"`,
  traefik: `192.0.2.7 - - ${REQUEST} "-" "curl/8" 7 "web@file" "http://198.51.100.1:80" 5ms`,
  haproxy:
    '2001:db8::7:40022 [05/Jan/2026:10:11:12.655] https~ app/srv1 0/0/1/4/5 200 512 - - ---- 1/1/0/0/0 0/0 "GET / HTTP/1.1"',
  json: '{"ts":1767604272.1,"request":{"remote_ip":"192.0.2.7"},"status":200}',
};
const FRAMES: Record<string, (line: string) => string> = {
  syslog: (line) => `Jan  5 10:11:12 web nginx: ${line}`,
  docker: (line) =>
    JSON.stringify({ log: `${line}\n`, stream: 'stdout', time: '2026-01-05T09:11:12.123456789Z' }),
  cri: (line) => `2026-01-05T09:11:12.123456789Z stdout F ${line}`,
};

describe('the format of a log', () => {
  it.each(Object.entries(LINES))('is found: %s', (logFormat, line) => {
    expect(detectFormat([line, line, ''])).toEqual({ logFormat, frame: undefined, share: 1 });
    for (const [frame, around] of Object.entries(FRAMES))
      expect(detectFormat([around(line)])).toEqual({ logFormat, frame, share: 1 });
    const nested = FRAMES.docker!(`<190>${FRAMES.syslog!(line)}`);
    expect(detectFormat([nested])).toEqual({ logFormat, frame: 'docker and syslog', share: 1 });
  });

  it('is what most lines are, and tells how many', () => {
    const lines = [LINES.common, LINES.haproxy, LINES.haproxy, 'the end of something'];
    expect(detectFormat(lines)).toEqual({ logFormat: 'haproxy', frame: undefined, share: 0.5 });
    const many = [...Array.from({ length: 200 }, () => LINES.combined), LINES.common, LINES.common];
    expect(detectFormat(many)).toMatchObject({ logFormat: 'combined', share: 1 });
  });

  it('is none where no line fits', () => {
    expect(detectFormat([])).toBeUndefined();
    expect(detectFormat(['', 'x', '{"a":', 'Jan  5 10:11:12 web app: x'])).toBeUndefined();
    expect(detectFormat([LINES.combined.replace('05/Jan', '32/Jan')])).toBeUndefined();
    expect(detectFormat([LINES.combined.replace('192.0.2.7', 'unix:')])).toBeUndefined();
  });

  it('is no choice of those who write into it', () => {
    const hostile = Object.values(LINES).map((line) => line.replaceAll('"', '\\x22'));
    const lines = hostile.map((line) =>
      LINES.combined.replace('curl/8', line).replace('GET /', `GET /?${line}`),
    );
    expect(detectFormat(lines)).toEqual({ logFormat: 'combined', frame: undefined, share: 1 });
  });
});
