import { holdToContract } from './engineContract.ts';

holdToContract('memory');
