"""The command finds its own package, and says so where that is another one's."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import tui
from tui import launcher

CHECKOUT = Path(tui.__file__).parents[1]
RUN = "import sys; sys.path[:0] = sys.argv.pop(1).split('|'); import repfuse_tui; sys.exit(repfuse_tui.run())"


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A folder in which the launcher is installed."""
    folder = tmp_path / "site"
    folder.mkdir()
    shutil.copy(launcher.__file__, folder / "repfuse_tui.py")
    return folder


@pytest.fixture
def foreign(tmp_path: Path) -> Path:
    """A folder with another package of that name."""
    package = tmp_path / "foreign" / "tui"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("raise RuntimeError('the other one is run')\n")
    return package.parent


def run(*folders: Path, in_folder: Path) -> subprocess.CompletedProcess[str]:
    """Start it with these folders in front of the path, and without what is installed here."""
    path = "|".join(map(str, folders))
    return subprocess.run(
        [sys.executable, "-S", "-c", RUN, path, "--version"],
        capture_output=True,
        text=True,
        cwd=in_folder,
        check=False,
    )


def test_its_own_package_is_started_before_another_on_the_path(site: Path, foreign: Path) -> None:
    done = run(foreign, site, CHECKOUT, in_folder=foreign)
    assert (done.returncode, done.stdout, done.stderr) == (0, f"repfuse-tui {tui.__version__}\n", "")


def test_another_package_installed_over_it_is_told_in_one_line(site: Path, foreign: Path) -> None:
    shutil.copytree(foreign / "tui", site / "tui")
    done = run(site, in_folder=site)
    assert (done.returncode, done.stdout) == (launcher.CANNOT_START, "")
    assert done.stderr.startswith("repfuse-tui: another package named tui was installed over its own, in ")
    assert done.stderr.count("\n") == 1


def test_a_package_that_is_gone_is_told_in_one_line(site: Path) -> None:
    (site / "tui").mkdir()  # what is left when the other one was uninstalled
    done = run(site, in_folder=site)
    assert (done.returncode, done.stdout) == (launcher.CANNOT_START, "")
    assert "its package tui is not in" in done.stderr
    assert done.stderr.count("\n") == 1
