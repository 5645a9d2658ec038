"""Lets the original pman 2.2.0.4 run on a current Python, in an environment of its own.

Python reads this file at start when its folder is on PYTHONPATH. It stands in for
 - packages the original imports but never uses for jobs of the host (cluster clients, a debugger);
 - names that the standard library has dropped since.
Nothing here alters how jobs, the database or the protocol behave.
"""
import importlib.abc
import importlib.machinery
import sys
import threading
import types

UNUSED = ("docker", "kubernetes", "openshift", "pudb", "yaml", "keystoneauth1", "swiftclient")


class _Stand(types.ModuleType):
    """A module in which every public name exists and is an exception class that nobody raises."""

    __path__ = []

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return type(name, (Exception,), {})


class _Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    def find_spec(self, fullname, path=None, target=None):
        if fullname.split(".")[0] in UNUSED:
            return importlib.machinery.ModuleSpec(fullname, self, is_package=True)
        return None

    def create_module(self, spec):
        return _Stand(spec.name)

    def exec_module(self, module):
        pass


# Behind the usual finders: a package that is installed is used.
sys.meta_path.append(_Finder())

for _name in ("isAlive",):
    if not hasattr(threading.Thread, _name):
        setattr(threading.Thread, _name, threading.Thread.is_alive)
