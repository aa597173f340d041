"""What is written has every bit, name, order and nesting that was planned; or nothing is written at all."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import safetensors
import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from tests.checkpoints.samples import (
    DTYPES,
    SAFETENSORS_DTYPES,
    library_save,
    name_of,
    random_bits,
    same_bits,
    small_state_dict,
)
from tui.checkpoints.contents import Checkpoint, Entry, Format
from tui.checkpoints.errors import CheckpointError, ExistsError
from tui.checkpoints.opening import open_checkpoint
from tui.checkpoints.plan import CarriedOver, Made, Planned, carried
from tui.checkpoints.writing import format_for, write_checkpoint

pytestmark = pytest.mark.filterwarnings("ignore:torch.quantize_per", "ignore:ComplexHalf support")

FORMATS = pytest.mark.parametrize("format", list(Format))


def all_of(checkpoint: Checkpoint) -> list[Planned]:
    return [carried(entry) for entry in checkpoint.entries.values()]


def made(name: str, tensor: Tensor) -> Made:
    return Made(Entry(name, tuple(tensor.shape), name_of(tensor.dtype)), lambda: tensor)


@pytest.fixture
def source(tmp_path: Path) -> Iterator[Checkpoint]:
    library_save(tmp_path / "in.safetensors", small_state_dict(), {"format": "pt", "by": "\x1b é"})
    with open_checkpoint(tmp_path / "in.safetensors") as checkpoint:
        yield checkpoint


@pytest.mark.parametrize("dtype", SAFETENSORS_DTYPES, ids=name_of)
@FORMATS
def test_every_dtype_goes_round_through_both_formats(
    tmp_path: Path, dtype: torch.dtype, format: Format
) -> None:
    tensors = {str(shape): random_bits(shape, dtype, 5) for shape in [(3, 4), (2, 0, 5), (1,), (2, 1, 2, 2)]}
    if dtype is not torch.float4_e2m1fn_x2:
        tensors["single"] = random_bits((), dtype, 6)
    library_save(tmp_path / "a", tensors)
    with open_checkpoint(tmp_path / "a") as checkpoint:
        write_checkpoint(checkpoint, all_of(checkpoint), tmp_path / "b", format=format)
    with open_checkpoint(tmp_path / "b") as checkpoint:
        assert checkpoint.format is format
        write_checkpoint(checkpoint, all_of(checkpoint), tmp_path / "c")
    with safetensors.safe_open(tmp_path / "c", "pt") as read:
        assert set(read.keys()) == tensors.keys()
        for name, tensor in tensors.items():
            assert same_bits(read.get_tensor(name), tensor)


@pytest.mark.parametrize("dtype", DTYPES, ids=name_of)
def test_every_dtype_that_torch_saves_is_carried_over(tmp_path: Path, dtype: torch.dtype) -> None:
    tensors = {str(shape): random_bits(shape, dtype, 5) for shape in [(), (3, 4), (2, 0, 5), (2, 1, 2, 2)]}
    torch.save(tensors, tmp_path / "a.pt")
    with open_checkpoint(tmp_path / "a.pt") as checkpoint:
        write_checkpoint(checkpoint, all_of(checkpoint), tmp_path / "b.pt", format=Format.TORCH)
    read = torch.load(tmp_path / "b.pt", weights_only=True)
    assert list(read) == list(tensors)
    assert all(same_bits(read[name], tensor) for name, tensor in tensors.items())


def test_a_safetensors_file_is_written_byte_for_byte_as_it_was(source: Checkpoint, tmp_path: Path) -> None:
    write_checkpoint(source, all_of(source), tmp_path / "out")
    assert (tmp_path / "out").read_bytes() == source.path.read_bytes()


@FORMATS
def test_order_names_and_metadata_are_the_plans(source: Checkpoint, tmp_path: Path, format: Format) -> None:
    conv, norm, count = source.entries.values()
    plan: list[Planned] = [
        carried(norm),
        made("new\x1b[31m", torch.full((2, 3), 7, dtype=torch.bfloat16)),
        CarriedOver(Entry("renamed", count.shape, count.dtype), count.name),
        made("flag", torch.tensor([True, False, True])),
    ]
    assert norm.name == "stem.bn.weight" or conv.name == "stem.bn.weight"
    write_checkpoint(source, plan, tmp_path / "out", format=format)
    with open_checkpoint(tmp_path / "out") as read:
        assert list(read.entries) == [norm.name, "new\x1b[31m", "renamed", "flag"]
        assert same_bits(read.tensor("renamed"), source.tensor(count.name))
        assert same_bits(read.tensor(norm.name), source.tensor(norm.name))
        assert read.tensor("new\x1b[31m").tolist() == [[7] * 3] * 2
        assert read.tensor("flag").tolist() == [True, False, True]
        assert read.metadata == (source.metadata if format is Format.SAFETENSORS else {})


def test_the_library_reads_what_is_written_of_a_plan(source: Checkpoint, tmp_path: Path) -> None:
    plan = [
        made("odd", torch.ones(3, dtype=torch.uint8)),
        *all_of(source),
        made("wide", torch.ones(2).double()),
    ]
    write_checkpoint(source, plan, tmp_path / "out.safetensors", metadata={"a": "b"})
    read = load_file(tmp_path / "out.safetensors")
    assert read["odd"].tolist() == [1, 1, 1]
    assert read["wide"].tolist() == [1, 1]
    assert all(same_bits(read[name], tensor) for name, tensor in small_state_dict().items())
    with safetensors.safe_open(tmp_path / "out.safetensors", "pt") as opened:
        assert opened.metadata() == {"a": "b"}


def test_every_number_lies_at_a_multiple_of_its_size(source: Checkpoint, tmp_path: Path) -> None:
    dtypes = (torch.uint8, torch.float64, torch.float16, torch.bool, torch.complex64, torch.float32)
    plan = [made(name_of(dtype), random_bits((3,), dtype)) for dtype in dtypes]
    write_checkpoint(source, plan, tmp_path / "out")
    data = (tmp_path / "out").read_bytes()
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + length])
    assert length % 8 == 0
    assert [name for name in header if name != "__metadata__"] == [each.entry.name for each in plan]
    for each in plan:
        size = each.entry.bytes // 3
        assert header[each.entry.name]["data_offsets"][0] % size == 0


def test_views_are_written_as_their_own_numbers_only(source: Checkpoint, tmp_path: Path) -> None:
    whole = torch.arange(100_000.0).reshape(1000, 100)
    plan = [
        made("corner", whole[:2, :2]),
        made("turned", whole[:2, :3].T),
        made("conjugate", (whole[0, :2] * 1j).conj()),
    ]
    for format in Format:
        path = tmp_path / format
        write_checkpoint(source, plan, path, format=format)
        assert path.stat().st_size < 10_000
        with open_checkpoint(path) as read:
            for each in plan:
                assert same_bits(read.tensor(each.entry.name), each.make())


def nested() -> dict[str, Any]:
    shared = torch.arange(6.0)
    return {
        "epoch": 3,
        "state_dict": nn.Sequential(nn.Conv2d(1, 2, 1), nn.BatchNorm2d(2)).state_dict(),
        "shared": [shared, shared[2:]],
        "quantised": torch.quantize_per_tensor(torch.ones(3), 0.1, 0, torch.qint8),
        "sparse": torch.eye(2).to_sparse(),
        "optimizer": {"state": {0: {"step": torch.tensor(4)}}, "param_groups": [{"lr": 0.5, "params": [0]}]},
    }


@pytest.mark.parametrize("archive", [True, False], ids=["archive", "before 1.6"])
def test_a_file_of_torch_keeps_its_nesting_and_all_in_it(tmp_path: Path, archive: bool) -> None:
    held = nested()
    if not archive:
        del held["quantised"]  # torch does not read its own
    torch.save(held, tmp_path / "a.pt", _use_new_zipfile_serialization=archive)
    with open_checkpoint(tmp_path / "a.pt") as checkpoint:
        plan = [each for each in all_of(checkpoint) if "1." not in each.entry.own_name]
        plan.insert(1, made("state_dict.0.fused", torch.ones(2)))
        write_checkpoint(checkpoint, plan, tmp_path / "b.pt", format=format_for(tmp_path / "b.pt"))
    read = torch.load(tmp_path / "b.pt", weights_only=True)
    assert list(read) == list(held)
    assert list(read["state_dict"]) == ["0.weight", "0.fused", "0.bias"]
    assert read["state_dict"]._metadata == held["state_dict"]._metadata
    assert read["optimizer"] == held["optimizer"]
    assert read["epoch"] == 3
    assert same_bits(read["state_dict"]["0.weight"], held["state_dict"]["0.weight"])
    one, other = read["shared"]
    assert other.tolist() == [2, 3, 4, 5]
    assert one.untyped_storage().data_ptr() == other.untyped_storage().data_ptr()
    if archive:
        assert torch.equal(read["quantised"].int_repr(), held["quantised"].int_repr())


def test_what_safetensors_cannot_hold_is_told(tmp_path: Path) -> None:
    torch.save(
        nested() | {"wide": torch.ones(1, dtype=torch.complex128), "\ud800": torch.ones(1)}, tmp_path / "a.pt"
    )
    with open_checkpoint(tmp_path / "a.pt") as checkpoint:
        for name, words in {
            "quantised": "'out' cannot hold 'quantised', whose dtype qint8 safetensors does not have",
            "sparse": "'a.pt' has 'sparse' as a sparse tensor, which safetensors cannot hold",
            "wide": "'out' cannot hold 'wide', whose dtype complex128 safetensors does not have",
            "\ud800": "'out' cannot hold a name that is no valid Unicode",
        }.items():
            with pytest.raises(CheckpointError, match=words) as caught:
                write_checkpoint(checkpoint, [carried(checkpoint.entries[name])], tmp_path / "out")
            assert str(caught.value).endswith("choose the format of torch, .pt")
    assert names_in(tmp_path) == {"a.pt"}


def test_names_that_cannot_be(source: Checkpoint, tmp_path: Path) -> None:
    one = torch.ones(1)
    with pytest.raises(CheckpointError, match="'out' would have 'a' twice"):
        write_checkpoint(source, [made("a", one), made("a", one)], tmp_path / "out")
    with pytest.raises(CheckpointError, match="cannot hold a tensor of the name __metadata__"):
        write_checkpoint(source, [made("__metadata__", one)], tmp_path / "out")
    assert names_in(tmp_path) == {"in.safetensors"}


def names_in(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


@FORMATS
def test_the_input_is_never_the_output(source: Checkpoint, tmp_path: Path, format: Format) -> None:
    before = source.path.read_bytes()
    (tmp_path / "soft").symlink_to(source.path)
    (tmp_path / "hard").hardlink_to(source.path)
    for target in (source.path, tmp_path / "soft", tmp_path / "hard", tmp_path / "." / "in.safetensors"):
        with pytest.raises(CheckpointError, match="is the input itself, which is never written to"):
            write_checkpoint(source, all_of(source), target, format=format, replace=True)
    assert source.path.read_bytes() == before


@FORMATS
def test_what_cannot_be_an_output(source: Checkpoint, tmp_path: Path, format: Format) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    (tmp_path / "old").write_bytes(b"old")
    before = names_in(tmp_path)
    for name, replace, words in [
        ("folder", True, "'folder' is a folder, and the output needs a file's name"),
        ("pipe", True, "/pipe' is a pipe or a device"),
        ("none/out", False, "/none/out' cannot be written: there is no such folder"),
        ("old/out", False, "/old/out' cannot be written: there is no such folder"),
        ("x" * 300, False, "cannot be written: file name too long"),
        ("a\0b", False, "cannot be written: embedded null byte"),
        ("old", False, "'old' is there already: it is replaced only where you say so"),
    ]:
        with pytest.raises(CheckpointError, match=words) as caught:
            write_checkpoint(source, all_of(source), tmp_path / name, format=format, replace=replace)
        assert isinstance(caught.value, ExistsError) == (name == "old")
    assert names_in(tmp_path) == before
    assert (tmp_path / "old").read_bytes() == b"old"
    write_checkpoint(source, all_of(source), tmp_path / "old", format=format, replace=True)
    open_checkpoint(tmp_path / "old").close()


@FORMATS
def test_standard_output_is_no_file(
    source: Checkpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, format: Format
) -> None:
    monkeypatch.chdir(tmp_path)
    before = names_in(tmp_path)
    with pytest.raises(CheckpointError, match="'-' would be standard output"):
        write_checkpoint(source, all_of(source), Path("-"), format=format, replace=True)
    assert names_in(tmp_path) == before


@FORMATS
def test_no_permission(
    source: Checkpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, format: Format
) -> None:
    def deny(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", deny)  # root, as whom tests may run, is denied nothing
    monkeypatch.setattr("tui.atomic_file.os.open", deny)
    with pytest.raises(CheckpointError, match="'out' cannot be written: permission denied"):
        write_checkpoint(source, all_of(source), tmp_path / "out", format=format)


class StoppedError(Exception):
    pass


@FORMATS
@pytest.mark.parametrize("replace", [True, False])
def test_a_writing_that_is_stopped_leaves_nothing(
    source: Checkpoint, tmp_path: Path, format: Format, replace: bool
) -> None:
    if replace:
        (tmp_path / "out").write_bytes(b"old")
    told: list[tuple[int, int]] = []

    def stop(done: int, of: int) -> None:
        told.append((done, of))
        if done > of / 2:
            raise StoppedError

    with pytest.raises(StoppedError):
        write_checkpoint(
            source, all_of(source), tmp_path / "out", format=format, replace=replace, progress=stop
        )
    assert told
    assert names_in(tmp_path) == {"in.safetensors"} | ({"out"} if replace else set())
    assert not replace or (tmp_path / "out").read_bytes() == b"old"


@FORMATS
def test_progress_goes_to_the_end(source: Checkpoint, tmp_path: Path, format: Format) -> None:
    told: list[tuple[int, int]] = []
    write_checkpoint(
        source, all_of(source), tmp_path / "out", format=format, progress=lambda *both: told.append(both)
    )
    assert told == sorted(told)
    assert told[-1][0] == told[-1][1]


@FORMATS
def test_a_lack_of_memory_is_told(source: Checkpoint, tmp_path: Path, format: Format) -> None:
    def make() -> Tensor:
        raise MemoryError

    with pytest.raises(CheckpointError, match=r"'out' was not written.* needs more memory than there is"):
        write_checkpoint(source, [Made(Entry("a", (1,), "int8"), make)], tmp_path / "out", format=format)
    assert names_in(tmp_path) == {"in.safetensors"}


@FORMATS
def test_an_input_that_changes_meanwhile_makes_no_output(tmp_path: Path, format: Format) -> None:
    torch.save(small_state_dict(), tmp_path / "in.pt")
    with open_checkpoint(tmp_path / "in.pt") as checkpoint:
        plan = all_of(checkpoint)

        def change() -> Tensor:
            os.utime(tmp_path / "in.pt", ns=(0, 0))
            return torch.ones(1)

        plan.insert(1, Made(Entry("new", (1,), "float32"), change))
        with pytest.raises(CheckpointError, match=r"'in.pt' has changed since it was opened"):
            write_checkpoint(checkpoint, plan, tmp_path / "out", format=format)
    assert names_in(tmp_path) == {"in.pt"}


@FORMATS
def test_an_input_that_changes_in_the_last_moment_makes_no_output(tmp_path: Path, format: Format) -> None:
    torch.save(small_state_dict(), tmp_path / "in.pt")

    def change(done: int, of: int) -> None:
        if done == of:
            os.utime(tmp_path / "in.pt", ns=(0, 0))

    with (
        open_checkpoint(tmp_path / "in.pt") as checkpoint,
        pytest.raises(CheckpointError, match=r"'in.pt' has changed since it was opened"),
    ):
        write_checkpoint(checkpoint, all_of(checkpoint), tmp_path / "out", format=format, progress=change)
    assert names_in(tmp_path) == {"in.pt"}


PROGRAM = textwrap.dedent("""
    import resource, signal, sys, time, warnings
    from pathlib import Path
    warnings.simplefilter("ignore")
    from tui.checkpoints.errors import CheckpointError
    from tui.checkpoints.opening import open_checkpoint
    from tui.checkpoints.plan import carried
    from tui.checkpoints.writing import write_checkpoint

    source, target, formats, most = sys.argv[1:]
    if int(most):
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (int(most), int(most)))

    def wait(done, of):
        if not int(most) and done > of / 2:
            print("half", flush=True)
            time.sleep(60)

    with open_checkpoint(Path(source)) as checkpoint:
        plan = [carried(entry) for entry in checkpoint.entries.values()]
        for each in formats.split():
            try:
                write_checkpoint(checkpoint, plan, Path(target), format=each, replace=True, progress=wait)
            except CheckpointError as error:
                print(error)
""")


def program(source: Path, target: Path, formats: str, most: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", PROGRAM, str(source), str(target), formats, str(most)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def test_a_disk_that_fills_up(tmp_path: Path) -> None:
    torch.save({str(place): torch.ones(1000) for place in range(20)}, tmp_path / "in.pt")
    (tmp_path / "out").write_bytes(b"old")
    with program(tmp_path / "in.pt", tmp_path / "out", "safetensors torch", 30_000) as run:
        said = run.communicate()[0]
    assert run.returncode == 0, "torch ends the process if a write fails late"
    assert said == "'out' was not written, and nothing is left of it: file too large\n" * 2
    assert names_in(tmp_path) == {"in.pt", "out"}
    assert (tmp_path / "out").read_bytes() == b"old"


@FORMATS
def test_killed_in_the_middle_the_old_file_stays(tmp_path: Path, format: Format) -> None:
    torch.save({str(place): torch.ones(1000) for place in range(20)}, tmp_path / "in.pt")
    (tmp_path / "out").write_bytes(b"old")
    with program(tmp_path / "in.pt", tmp_path / "out", format, 0) as run:
        assert run.stdout is not None
        assert run.stdout.readline() == "half\n"
        run.send_signal(signal.SIGKILL)
    assert run.returncode == -signal.SIGKILL
    assert (tmp_path / "out").read_bytes() == b"old"
    with open_checkpoint(tmp_path / "in.pt") as checkpoint:
        write_checkpoint(checkpoint, all_of(checkpoint), tmp_path / "out", format=format, replace=True)
    with open_checkpoint(tmp_path / "out") as read:
        assert len(read.entries) == 20
