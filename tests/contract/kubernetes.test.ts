import { holdToContract } from './engineContract.ts';

holdToContract('kubernetes');
