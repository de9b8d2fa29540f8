// A terminal taken over for a while and handed back as it was: another screen, no cursor, keys without an echo.
const ENTER = '\x1b[?1049h\x1b[?25l\x1b[?7l';
const LEAVE = '\x1b[?7h\x1b[?25h\x1b[?1049l';
/** Terminals that know it show what stands between the two at once; others pass it over. */
const [HOLD, SHOW] = ['\x1b[?2026h', '\x1b[?2026l'];

export interface Terminal {
  readonly columns: number;
  readonly rows: number;
  /**
   * Shows these lines, which fit and are printable but for colours. What stands there is written over in one piece, never
   * cleared first: nothing flickers. Lines that are too long are cut by the terminal.
   */
  draw(lines: readonly string[]): void;
  /** Hands the terminal back. Harmless when called again. */
  leave(): void;
}

export interface Hooks {
  onResize(): void;
  /** `q`, Ctrl-C or Ctrl-D. */
  onQuit(): void;
}

export function takeTerminal(hooks: Hooks): Terminal {
  const { stdin, stdout } = process;
  let isTaken = false;
  let shown = '';

  function enter(): void {
    isTaken = true;
    shown = '';
    stdout.write(ENTER);
    if (stdin.isTTY) stdin.setRawMode(true).resume();
  }

  function handBack(): void {
    if (!isTaken) return;
    isTaken = false;
    if (stdin.isTTY) stdin.setRawMode(false).pause();
    stdout.write(LEAVE);
  }

  function onKey(keys: Buffer): void {
    for (const key of keys.toString('latin1'))
      if (key === 'q' || key === '\x03' || key === '\x04') hooks.onQuit();
      else if (key === '\x1a') {
        handBack();
        process.kill(process.pid, 'SIGTSTP');
      }
  }

  function goOn(): void {
    enter();
    hooks.onResize();
  }

  function onResize(): void {
    shown = '';
    hooks.onResize();
  }

  enter();
  stdin.on('data', onKey);
  stdout.on('resize', onResize);
  process.on('SIGCONT', goOn);
  process.once('exit', handBack);
  return {
    get columns() {
      return stdout.columns;
    },
    get rows() {
      return stdout.rows;
    },
    draw(lines) {
      const frame = `\x1b[H${lines.map((line) => `${line}\x1b[K`).join('\r\n')}\x1b[J`;
      if (!isTaken || frame === shown) return;
      shown = frame;
      stdout.write(`${HOLD}${frame}${SHOW}`);
    },
    leave() {
      process.off('exit', handBack);
      process.off('SIGCONT', goOn);
      stdout.off('resize', onResize);
      stdin.off('data', onKey);
      handBack();
    },
  };
}
