"""Loads a database folder with the original's own loader, as pman does at start, and prints it as JSON."""
import json
import sys

from pfmisc.C_snode import C_stree

tree = C_stree.tree_load(pathDiskRoot=sys.argv[1], loadJSON=True, loadPickle=False)
json.dump(dict(tree.snode_root), sys.stdout)
