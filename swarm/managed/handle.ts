import { z } from 'zod';
import type { Handle, ManagerImage, WorkRequest } from '../../lib/jobs/container/engine.ts';

const handleSchema = z.looseObject({
  manager: z.looseObject({ image: z.string(), app: z.string() }).optional(),
  workers: z.number().optional(),
});

/** What is kept of a manager that has made something: itself, and for how many workers when it was told. */
export function handleOf({ image, app }: ManagerImage, { options }: WorkRequest): Handle {
  const { workers } = options;
  return { manager: { image, app }, ...(workers === undefined ? {} : { workers }) };
}

/** The manager that has made it; undefined when the engine itself has. */
export function managerOf(handle: Handle | undefined): ManagerImage | undefined {
  return handleSchema.safeParse(handle).data?.manager;
}

/** The manager that can tell how it stands: it tells of one task, of several workers only the engine knows. */
export function tellerOf(handle: Handle | undefined): ManagerImage | undefined {
  const { manager, workers } = handleSchema.safeParse(handle).data ?? {};
  return workers === undefined ? manager : undefined;
}
