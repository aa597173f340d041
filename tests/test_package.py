"""The package as it is built and installed, without the checkout: what is in it, and its command."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
import tarfile
import venv
from importlib.metadata import Distribution, PathDistribution
from importlib.util import find_spec
from pathlib import Path
from zipfile import ZipFile

import pytest

import tui

CHECKOUT = Path(tui.__file__).parents[1]
pytestmark = [
    pytest.mark.skipif(
        find_spec(name) is None, reason=f"needs {name}, by which the package is built or installed"
    )
    for name in ("hatchling", "hatch_fancy_pypi_readme", "pip")
]


def built(what: str, source: Path, folder: Path) -> Path:
    """The one file that hatchling makes of a source tree."""
    command = [sys.executable, "-m", "hatchling", "build", "-t", what, "-d", str(folder)]
    subprocess.run(command, cwd=source, check=True, capture_output=True)
    (made,) = folder.iterdir()
    return made


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from the source distribution, as an index that has both would."""
    archive = built("sdist", CHECKOUT, tmp_path_factory.mktemp("sdist"))
    source = tmp_path_factory.mktemp("source")
    with tarfile.open(archive) as opened:
        opened.extractall(source, filter="data")
    (tree,) = source.iterdir()
    return built("wheel", tree, tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def environment(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment with the wheel, which finds its dependencies where those of these tests are."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, symlinks=os.name != "nt", with_pip=False)
    python = scripts(folder) / "python"
    options = ["--no-deps", "--no-index", "--no-compile", "--quiet", "--disable-pip-version-check"]
    install = [sys.executable, "-m", "pip", "--python", str(python), "install", *options, str(wheel)]
    subprocess.run(install, check=True, capture_output=True)
    # A line in a .pth is a folder whose own .pth files are not read: the checkout stays out.
    packages(folder).joinpath("dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return folder


def scripts(environment: Path) -> Path:
    return environment / ("Scripts" if os.name == "nt" else "bin")


def packages(environment: Path) -> Path:
    return Path(sysconfig.get_path("purelib", "venv", vars={"base": str(environment)}))


def run(environment: Path, *arguments: str, in_folder: Path) -> subprocess.CompletedProcess[str]:
    """Run the installed command where PYTHONPATH is the current folder."""
    return subprocess.run(
        [str(scripts(environment) / "repfuse-tui"), *arguments],
        cwd=in_folder,
        env=os.environ | {"PYTHONPATH": "."},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_installed_command_checks_a_block(environment: Path, tmp_path: Path) -> None:
    done = run(environment, "check", "--json", "--preset", "repvgg", in_folder=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["verdict"] in ("exact", "rounding")


def test_a_folder_of_the_same_name_is_not_run(environment: Path, tmp_path: Path) -> None:
    (tmp_path / "tui").mkdir()
    (tmp_path / "tui" / "__init__.py").write_text("raise RuntimeError('the other one is run')\n")
    done = run(environment, "--version", in_folder=tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, f"repfuse-tui {tui.__version__}\n", "")


def test_the_wheel_holds_the_program_and_nothing_else(wheel: Path) -> None:
    with ZipFile(wheel) as opened:
        names = set(opened.namelist())
    tracked = {
        path.relative_to(CHECKOUT).as_posix()
        for path in (CHECKOUT / "tui").rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    }
    assert tracked - names == {"tui/launcher.py"}, "which is there as repfuse_tui.py"
    assert "tui/py.typed" in names
    beside = {name for name in names - tracked if ".dist-info/" not in name}
    assert beside == {"repfuse_tui.py"}


def test_the_description_holds_no_picture_that_an_index_cannot_find(environment: Path) -> None:
    (info,) = packages(environment).glob("repfuse_tui-*.dist-info")
    distribution: Distribution = PathDistribution(info)
    description = distribution.metadata.get_payload()  # type: ignore[attr-defined]
    assert "# repfuse-tui" in description
    assert "](tests/" not in description
    assert "That is the first minute" not in description
    assert "](tests/" in (CHECKOUT / "README.md").read_text(encoding="utf-8")
