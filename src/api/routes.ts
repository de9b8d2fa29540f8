// Every route there is: one file a noun.
import type { Route } from './route.ts';
import { bansRoutes } from './routes/bans.ts';
import { configRoutes } from './routes/config.ts';
import { eventsRoutes } from './routes/events.ts';
import { historyRoutes } from './routes/history.ts';
import { logRoutes } from './routes/log.ts';
import { openapiRoutes } from './routes/openapi.ts';
import { reportsRoutes } from './routes/reports.ts';
import { standingRoutes } from './routes/standing.ts';
import { statusRoutes } from './routes/status.ts';

export const ROUTES: readonly Route[] = [
  ...statusRoutes,
  ...bansRoutes,
  ...historyRoutes,
  ...reportsRoutes,
  ...eventsRoutes,
  ...standingRoutes,
  ...configRoutes,
  ...logRoutes,
  ...openapiRoutes,
];
