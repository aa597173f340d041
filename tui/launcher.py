"""The command `repfuse-tui`: finds its own package `tui`, whatever else of that name lies about, and runs it.

It is installed beside the package as the module `repfuse_tui`, a name that nothing else has: `import tui`
alone would take a folder `tui/` of the current one where PYTHONPATH=. is set. So it imports nothing of the
package on top.
"""

from __future__ import annotations

import sys
from importlib.machinery import ModuleSpec, PathFinder
from importlib.util import module_from_spec
from pathlib import Path

NAME = "tui"
CANNOT_START = 2
_BEGINNING = b'"""A bench in the terminal for structural re-parameterization'
"""With which this program's own package begins, before anything of it is run."""


def run() -> int:
    """Run the command, which ends the process; returns where its package is not there, having said so."""
    own = _own_package()
    if own is None or own.loader is None:
        print(f"repfuse-tui: {_missing()}", file=sys.stderr)
        return CANNOT_START
    package = module_from_spec(own)
    sys.modules[NAME] = package
    own.loader.exec_module(package)
    from tui.__main__ import run as run_command

    run_command()
    return 0


def _own_package() -> ModuleSpec | None:
    """The package beside this module or around it, else, as an editable install has it, the first such."""
    here = Path(__file__)
    for folder in (str(here.parent), str(here.parents[1]), *sys.path):
        found = PathFinder.find_spec(NAME, [folder])
        if found is not None and _is_own(found):
            return found
    return None


def _is_own(found: ModuleSpec) -> bool:
    if found.origin is None:
        return False
    try:
        return Path(found.origin).read_bytes().startswith(_BEGINNING)
    except OSError:
        return False


def _missing() -> str:
    beside = Path(__file__).parent / NAME
    mend = "install repfuse-tui again, in an environment of its own"
    if (beside / "__init__.py").exists():
        return f"another package named {NAME} was installed over its own, in {str(beside)!a}: {mend}"
    return f"its package {NAME} is not in {str(beside.parent)!a} any more: {mend}"


if __name__ == "__main__":  # run as a file, where no command is installed
    sys.exit(run())
