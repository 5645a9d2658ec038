import { holdToContract } from './engineContract.ts';

holdToContract('swarm');
