import { clusterTurn } from '../helpers/clusterTurn.ts';
import { holdToContract } from './engineContract.ts';

await clusterTurn();
holdToContract('kubernetes');
