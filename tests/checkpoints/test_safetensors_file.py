"""safetensors files that the format's own library wrote are listed without torch and read bit by bit."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
import safetensors
import torch

from tests.checkpoints.samples import (
    SAFETENSORS_DTYPES,
    bytes_in,
    library_save,
    name_of,
    random_bits,
    same_bits,
    small_state_dict,
)
from tui.checkpoints.contents import Entry, Format
from tui.checkpoints.errors import CheckpointError
from tui.checkpoints.formats import safetensors_file
from tui.checkpoints.formats.opened_file import OpenedFile
from tui.checkpoints.opening import open_checkpoint

SHAPES = [(), (1,), (3, 4), (2, 0, 5), (0,), (2, 3, 1, 2)]


def raw_file(path: Path, header: object, data: bytes = b"", *, text: bytes | None = None) -> Path:
    """A file put together by hand, as the format is described."""
    told = json.dumps(header).encode() if text is None else text
    path.write_bytes(len(told).to_bytes(8, "little") + told + data)
    return path


def tensor_told(dtype: str, shape: list[int], begin: int, end: int) -> dict[str, object]:
    return {"dtype": dtype, "shape": shape, "data_offsets": [begin, end]}


@pytest.mark.parametrize("dtype", SAFETENSORS_DTYPES, ids=name_of)
def test_every_dtype_and_shape_is_read_bit_by_bit(tmp_path: Path, dtype: torch.dtype) -> None:
    tensors = {
        str(shape): random_bits(shape, dtype, seed)
        for seed, shape in enumerate(SHAPES)
        if shape or dtype is not torch.float4_e2m1fn_x2  # two numbers in one need a last size
    }
    library_save(tmp_path / "all.safetensors", tensors)
    with open_checkpoint(tmp_path / "all.safetensors") as checkpoint:
        assert checkpoint.format is Format.SAFETENSORS
        assert checkpoint.entries.keys() == tensors.keys()
        for name, tensor in tensors.items():
            entry = checkpoint.entries[name]
            assert entry == Entry(name, tuple(tensor.shape), name_of(dtype))
            assert (entry.numel, entry.bytes) == (tensor.numel(), tensor.nbytes)
            assert same_bits(checkpoint.tensor(name), tensor)
            assert b"".join(map(bytes, checkpoint.pieces(name))) == bytes_in(tensor)


def test_order_metadata_and_names_are_the_files_own(tmp_path: Path) -> None:
    header = {
        "__metadata__": {"format": "pt", "é\x1b": "[red]"},
        "z": tensor_told("U8", [2], 3, 5),
        "../a\x1b[31m[red]\n": tensor_told("I8", [3], 0, 3),
    }
    path = raw_file(tmp_path / "by hand", header, bytes(range(5)))
    safetensors.safe_open(path, "pt")  # the library takes it too
    with open_checkpoint(path) as checkpoint:
        assert list(checkpoint.entries) == ["z", "../a\x1b[31m[red]\n"]
        assert checkpoint.metadata == header["__metadata__"]
        assert checkpoint.tensor("z").tolist() == [3, 4]
        assert checkpoint.tensor("../a\x1b[31m[red]\n").tolist() == [0, 1, 2]
        assert not checkpoint.other_values


def test_it_is_listed_without_torch(tmp_path: Path) -> None:
    library_save(tmp_path / "small", small_state_dict())
    code = (
        "import sys; from pathlib import Path; from tui.checkpoints.opening import open_checkpoint\n"
        f"open_checkpoint(Path({str(tmp_path / 'small')!r})).close()\n"
        "print([name for name in ('torch', 'textual', 'rich', 'numpy') if name in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout == "[]\n"


def test_of_five_gigabytes_only_what_is_asked_for_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    count, each = 1000, 5_000_000
    header = {
        str(place): tensor_told("U8", [each], place * each, place * each + each) for place in range(count)
    }
    path = raw_file(tmp_path / "sparse", header)
    size = path.stat().st_size + count * each
    with path.open("r+b") as file:
        file.truncate(size)
        file.seek(size - 1)
        file.write(b"\7")
    read: list[int] = []
    original = OpenedFile.read_into

    def counted(self: OpenedFile, target: memoryview, start: int) -> None:
        read.append(len(target))
        original(self, target, start)

    monkeypatch.setattr(OpenedFile, "read_into", counted)
    with open_checkpoint(path) as checkpoint:
        assert sum(entry.bytes for entry in checkpoint.entries.values()) == count * each
        assert sum(read) < 200_000
        assert checkpoint.tensor("999")[-1] == 7
        assert sum(read) < each + 200_000


def test_a_long_tensor_comes_in_pieces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tensor = random_bits((1000,), torch.float32)
    library_save(tmp_path / "long", {"a": tensor})
    monkeypatch.setattr(safetensors_file, "PIECE", 1024)
    with open_checkpoint(tmp_path / "long") as checkpoint:
        pieces = [bytes(piece) for piece in checkpoint.pieces("a")]
    assert [len(piece) for piece in pieces] == [1024, 1024, 1024, 928]
    assert b"".join(pieces) == bytes_in(tensor)


class SlowToRead(io.FileIO):
    def seek(self, place: int, whence: int = 0) -> int:
        found = super().seek(place, whence)
        time.sleep(0.001)  # in which another thread may seek
        return found


def test_threads_read_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tensors = {str(place): random_bits((500,), torch.float64, place) for place in range(40)}
    library_save(tmp_path / "many", tensors)
    right: list[bool] = []

    def read() -> None:
        right.extend(same_bits(checkpoint.tensor(name), tensor) for name, tensor in tensors.items())

    with (
        open_checkpoint(tmp_path / "many") as checkpoint,
        SlowToRead(tmp_path / "many") as slow,
        monkeypatch.context() as patch,
    ):
        patch.setattr(checkpoint.__dict__["_file"], "_file", slow)
        threads = [threading.Thread(target=read) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert right == [True] * 160


def test_a_tensor_is_nobody_elses(tmp_path: Path) -> None:
    library_save(tmp_path / "one", {"a": torch.ones(3)})
    with open_checkpoint(tmp_path / "one") as checkpoint:
        checkpoint.tensor("a").zero_()
        assert checkpoint.tensor("a").tolist() == [1, 1, 1]
        with pytest.raises(KeyError):
            checkpoint.tensor("b")


def test_a_dtype_that_torch_lacks_is_listed_and_told(tmp_path: Path) -> None:
    path = raw_file(tmp_path / "six bits", {"a": tensor_told("F6_E2M3", [4], 0, 3)}, b"abc")
    safetensors.safe_open(path, "pt")
    with open_checkpoint(path) as checkpoint:
        assert checkpoint.entries["a"] == Entry("a", (4,), "float6_e2m3")
        assert checkpoint.entries["a"].bytes == 3
        with pytest.raises(CheckpointError, match="in float6_e2m3, a dtype that this torch does not have"):
            checkpoint.tensor("a")
        assert [bytes(piece) for piece in checkpoint.pieces("a")] == [b"abc"]


BAD_HEADERS = {
    "no JSON": (None, b"", b"{nonsense"),
    "no text": (None, b"", b'{"\xff":1}'),
    "no object": ([1], b"", None),
    "not a number": (None, b"", b'{"a":{"dtype":"U8","shape":[NaN],"data_offsets":[0,1]}}'),
    "deep": (None, b"", b'{"a":' + b"[" * 100_000),
    "metadata of numbers": ({"__metadata__": {"a": 1}}, b"", None),
    "no dtype": ({"a": {"shape": [1], "data_offsets": [0, 1]}}, b"1", None),
    "a tensor of text": ({"a": "b"}, b"", None),
    "unknown dtype": ({"a": tensor_told("F7", [1], 0, 1)}, b"1", None),
    "negative size": ({"a": tensor_told("U8", [-1], 0, 1)}, b"1", None),
    "size of a half": ({"a": {"dtype": "U8", "shape": [0.5], "data_offsets": [0, 1]}}, b"1", None),
    "one place": ({"a": {"dtype": "U8", "shape": [1], "data_offsets": [0]}}, b"1", None),
    "backwards": ({"a": tensor_told("U8", [1], 1, 0)}, b"1", None),
    "too many bytes": ({"a": tensor_told("U8", [1], 0, 2)}, b"12", None),
    "beyond counting": ({"a": tensor_told("U8", [2**62, 2**62], 0, 1)}, b"1", None),
    "half a byte": ({"a": tensor_told("F4", [1], 0, 1)}, b"1", None),
    "a gap": ({"a": tensor_told("U8", [1], 1, 2)}, b"12", None),
    "two in one": ({"a": tensor_told("U8", [2], 0, 2), "b": tensor_told("U8", [2], 1, 3)}, b"123", None),
    "two in one, the rest unused": (
        {"a": tensor_told("U8", [2], 0, 2), "b": tensor_told("U8", [2], 0, 2)},
        b"1234",
        None,
    ),
    "cut short": ({"a": tensor_told("U8", [3], 0, 3)}, b"12", None),
    "surplus": ({"a": tensor_told("U8", [1], 0, 1)}, b"12", None),
}  # fmt: skip


@pytest.mark.parametrize("what", BAD_HEADERS)
def test_what_the_library_refuses_is_refused(tmp_path: Path, what: str) -> None:
    header, data, text = BAD_HEADERS[what]
    path = raw_file(tmp_path / "bad", header, data, text=text)
    with pytest.raises(safetensors.SafetensorError):
        safetensors.safe_open(path, "pt")
    with pytest.raises(CheckpointError, match=r"^'bad' ") as caught:
        open_checkpoint(path)
    assert str(caught.value).isprintable()


def test_a_name_that_comes_twice_is_refused(tmp_path: Path) -> None:
    one = b'"a\\u001b":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}'
    path = raw_file(tmp_path / "double", None, b"1", text=b"{" + one + b"," + one + b"}")
    with pytest.raises(CheckpointError, match=r"'double' names 'a\\x1b' twice in its header"):
        open_checkpoint(path)


def test_a_tensor_of_a_million_sizes_is_refused_at_once(tmp_path: Path) -> None:
    path = raw_file(tmp_path / "sizes", {"a": tensor_told("U8", [2**62] * 1_000_000, 0, 0)})
    with pytest.raises(CheckpointError, match="has 1,000,000 sizes for 'a', and 64 is the most"):
        open_checkpoint(path)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"\x40\0\0", "is cut short: it has 3 bytes"),
        ((10**12).to_bytes(8, "little") + b"{}", "says that its header has 1,000,000,000,000 bytes"),
        ((50).to_bytes(8, "little") + b"{}", "is cut short: its header has 50 bytes, and the file 10"),
    ],
)
def test_a_length_that_cannot_be_is_told(tmp_path: Path, data: bytes, words: str) -> None:
    (tmp_path / "short").write_bytes(data)
    with pytest.raises(CheckpointError, match=words):
        open_checkpoint(tmp_path / "short")
