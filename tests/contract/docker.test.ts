import { holdToContract } from './engineContract.ts';

holdToContract('docker');
