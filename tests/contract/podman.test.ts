import { holdToContract } from './engineContract.ts';

holdToContract('podman');
