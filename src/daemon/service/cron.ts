// The host's calendar, by node-cron. It keeps no process alive, and says nothing by itself.
import { schedule } from 'node-cron';
import type { Cron } from '../../ports.ts';

const SILENT = { info() {}, warn() {}, error() {}, debug() {} };

export function createCron(): Cron {
  return (when, task) => {
    const planned = schedule(when, task, { unref: true, suppressMissedWarning: true, logger: SILENT });
    return () => void planned.destroy();
  };
}
