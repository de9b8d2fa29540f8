// Every route there is: one file a noun.
import type { Route } from './route.ts';
import { bansRoutes } from './routes/bans.ts';
import { configRoutes } from './routes/config.ts';
import { historyRoutes } from './routes/history.ts';
import { logRoutes } from './routes/log.ts';
import { openapiRoutes } from './routes/openapi.ts';
import { standingRoutes } from './routes/standing.ts';
import { statusRoutes } from './routes/status.ts';

export const ROUTES: readonly Route[] = [
  ...statusRoutes,
  ...bansRoutes,
  ...historyRoutes,
  ...standingRoutes,
  ...configRoutes,
  ...logRoutes,
  ...openapiRoutes,
];
