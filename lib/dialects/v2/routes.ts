import type { Route } from './apiRoute.ts';
import { listEvents } from './eventRoutes.ts';
import { getJob, killJob, listJobs, removeJob, submitJob } from './jobRoutes.ts';
import { listNotifications, notifyAgain } from './notifyRoutes.ts';
import { getStderr, getStdout } from './outputRoutes.ts';

/** All routes of `/api/v2`. */
export const routes: readonly Route[] = [
  submitJob,
  listJobs,
  getJob,
  removeJob,
  killJob,
  getStdout,
  getStderr,
  listEvents,
  listNotifications,
  notifyAgain,
];
