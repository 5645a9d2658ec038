import type { Route } from './apiRoute.ts';
import { getBackends } from './backendsRoute.ts';
import { listEvents } from './eventRoutes.ts';
import { getJobFile, listJobFiles } from './fileRoutes.ts';
import { getJob, killJob, listJobs, removeJob, rerunJob, submitJob } from './jobRoutes.ts';
import { findOutputLines, getOutputLines } from './lineRoutes.ts';
import { listNotifications, notifyAgain } from './notifyRoutes.ts';
import { getOutput, getStderr, getStdout } from './outputRoutes.ts';
import { listRunning } from './runningRoute.ts';
import { getCapabilities, getServer } from './serverRoutes.ts';
import { openStore } from './storeRoute.ts';

/** All routes of `/api/v2`. */
export const routes: readonly Route[] = [
  submitJob,
  listJobs,
  getJob,
  removeJob,
  killJob,
  rerunJob,
  getStdout,
  getStderr,
  getOutput,
  getOutputLines,
  findOutputLines,
  listJobFiles,
  getJobFile,
  listRunning,
  listEvents,
  getCapabilities,
  getBackends,
  getServer,
  openStore,
  listNotifications,
  notifyAgain,
];
