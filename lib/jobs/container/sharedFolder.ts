import type { TreeNode } from '../../tree/node.ts';
import type { ShareRule } from './engine.ts';

/** The folder of this host that the containers of a job shared; undefined when there is none that pman sees. */
export function sharedFolder(record: TreeNode, rule: ShareRule): string | undefined {
  const asked = record.cat(['container', 'manager', 'env', 'shareDir']);
  return typeof asked === 'string' ? seenBy(rule, asked, '') : undefined;
}

/** Whether pman sees what containers leave in a shared folder: any folder tells. */
export function seesShares(rule: ShareRule): boolean {
  return seenBy(rule, '/some/folder', 'some') !== undefined;
}

/** A folder that has the same name for pman as for the engine. */
function seenBy(rule: ShareRule, asked: string, jid: string): string | undefined {
  const { awaited, shareDir } = rule(asked, jid);
  return awaited === shareDir ? awaited : undefined;
}
