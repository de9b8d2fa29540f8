// All cases that `npm run test:programs` plays.
import type { Case } from './case.ts';
import { DATA } from './data.ts';
import { FTP } from './ftp.ts';
import { MAIL } from './mail.ts';
import { NAMES } from './names.ts';
import { NGINX } from './nginx.ts';
import { SHELLS } from './shells.ts';
import { WEB } from './web.ts';

export const CASES: readonly Case[] = [NGINX, ...SHELLS, ...FTP, ...MAIL, ...DATA, ...WEB, ...NAMES];
