import { z } from 'zod';
import { EVENT_TYPES } from '../events/event.ts';

/** How the sending of one event to one receiver stands. */
export const deliverySchema = z.object({
  seq: z.int().positive(),
  type: z.enum(EVENT_TYPES),
  /** `webhook-id`. */
  message: z.string(),
  state: z.enum(['waiting', 'delivered', 'given_up']),
  tries: z.int().min(0),
  /** Milliseconds since 1970, of the last try. */
  triedAt: z.number().optional(),
  /** When the next try is due. */
  dueAt: z.number().optional(),
  /** What the receiver has answered the last time. */
  status: z.int().optional(),
  error: z.string().optional(),
});
export type Delivery = Readonly<z.infer<typeof deliverySchema>>;

/** A receiver of events: of one job, or of all. */
export const subscriptionSchema = z.object({
  /** Of an endpoint of the server its name with `@` in front; of a job its root and the number of its entry. */
  id: z.string(),
  /** The job; absent: all jobs. */
  root: z.string().optional(),
  url: z.string(),
  events: z.array(z.enum(EVENT_TYPES)),
  secretName: z.string(),
  /** The last event that was looked at for it: none is taken twice. */
  seen: z.int().min(0),
  /** No further event will come: the job has ended. */
  isClosed: z.boolean().default(false),
  /** The receiver wants no more (410). */
  isStopped: z.boolean().default(false),
  /** In order; those that wait, and the last ones of the others. */
  deliveries: z.array(deliverySchema),
});
type Subscribed = z.infer<typeof subscriptionSchema>;
export interface Subscription extends Omit<Subscribed, 'deliveries'> {
  deliveries: Delivery[];
}

/** How many deliveries that are over are remembered of a subscription. */
const REMEMBERED = 50;

/** Puts a delivery in the place of what was known of it, and forgets the oldest ones that are over. */
export function putDelivery(subscription: Subscription, delivery: Delivery): void {
  const { deliveries } = subscription;
  const at = deliveries.findIndex(({ seq }) => seq === delivery.seq);
  if (at < 0) deliveries.push(delivery);
  else deliveries[at] = delivery;
  subscription.seen = Math.max(subscription.seen, delivery.seq);
  let over = deliveries.filter(({ state }) => state !== 'waiting').length;
  if (over <= REMEMBERED) return;
  subscription.deliveries = deliveries.filter(
    ({ state }) => state === 'waiting' || over-- <= REMEMBERED,
  );
}

/** The delivery whose turn it is: the first one that waits. Undefined when there is none. */
export function nextDelivery({ deliveries }: Subscription): Delivery | undefined {
  return deliveries.find(({ state }) => state === 'waiting');
}

/** Whether nothing is to be sent, and nothing will be. */
export function isOver(subscription: Subscription): boolean {
  if (subscription.isStopped) return true;
  return subscription.isClosed && nextDelivery(subscription) === undefined;
}

/** What is still to be sent. */
export const waitingOf = ({ deliveries }: Subscription): readonly Delivery[] =>
  deliveries.filter(({ state }) => state === 'waiting');
