"""What torch.save writes is read by torch's safe reader alone, laid flat, and nothing of it is run."""

from __future__ import annotations

import collections
import os
import pickle
import tarfile
import zipfile
from pathlib import Path

import pytest
import torch
from torch import nn

from tests.checkpoints.samples import DTYPES, bytes_in, name_of, random_bits, same_bits, small_state_dict
from tui.checkpoints.contents import Entry, Format
from tui.checkpoints.errors import CheckpointError
from tui.checkpoints.formats import nesting, tensor_bytes
from tui.checkpoints.opening import open_checkpoint

pytestmark = pytest.mark.filterwarnings("ignore:torch.quantize_per", "ignore:ComplexHalf support")

BOTH = pytest.mark.parametrize("archive", [True, False], ids=["archive", "before 1.6"])
TRACE = "was run"


def saved(path: Path, what: object, *, archive: bool = True) -> Path:
    torch.save(what, path, _use_new_zipfile_serialization=archive)
    return path


def refusal_of(path: Path) -> str:
    with pytest.raises(CheckpointError) as caught:
        open_checkpoint(path)
    assert str(caught.value).isprintable()
    return str(caught.value)


@pytest.mark.parametrize("dtype", DTYPES, ids=name_of)
def test_every_dtype_and_shape_is_read_bit_by_bit(tmp_path: Path, dtype: torch.dtype) -> None:
    tensors = {str(shape): random_bits(shape, dtype) for shape in [(), (3, 4), (2, 0, 5), (2, 3, 1, 2)]}
    with open_checkpoint(saved(tmp_path / "all.bin", tensors)) as checkpoint:
        assert checkpoint.format is Format.TORCH
        assert list(checkpoint.entries) == list(tensors)
        for name, tensor in tensors.items():
            entry = checkpoint.entries[name]
            assert entry == Entry(name, tuple(tensor.shape), name_of(dtype))
            assert (entry.numel, entry.bytes) == (tensor.numel(), tensor.nbytes)
            assert same_bits(checkpoint.tensor(name), tensor)
            assert b"".join(map(bytes, checkpoint.pieces(name))) == bytes_in(tensor)


@BOTH
def test_wrappers_are_told_from_names(tmp_path: Path, archive: bool) -> None:
    tensors = small_state_dict()
    held = {
        "epoch": 3,
        "model": {"state_dict": tensors, "arch": "RepVGG"},
        "optimizer": {"state": {0: {"step": torch.ones(2)}}, "param_groups": [{"lr": 0.1}]},
        "list": [torch.zeros(1), "text"],
    }
    with open_checkpoint(saved(tmp_path / "a.ckpt", held, archive=archive)) as checkpoint:
        assert {name: (entry.wrapper, entry.own_name) for name, entry in checkpoint.entries.items()} == {
            **{f"model.state_dict.{name}": ("model.state_dict.", name) for name in tensors},
            "optimizer.state.0.step": ("optimizer.state.0.", "step"),
            "list.0": ("list.", "0"),
        }
        assert checkpoint.other_values == ("epoch", "model.arch", "optimizer.param_groups", "list.1")
        for name, tensor in tensors.items():
            assert same_bits(checkpoint.tensor(f"model.state_dict.{name}"), tensor)


@BOTH
def test_all_kinds_of_tensors_are_listed(tmp_path: Path, archive: bool) -> None:
    whole = torch.arange(12.0).reshape(3, 4)
    held = {
        "whole": whole,
        "part": whole[1:, ::2],
        "parameter": nn.Parameter(torch.ones(2)),
        "channels last": torch.randn(2, 3, 4, 4).to(memory_format=torch.channels_last),
        "conjugate": torch.randn(2, dtype=torch.complex64).conj(),
    }
    with open_checkpoint(saved(tmp_path / "kinds.pt", held, archive=archive)) as checkpoint:
        assert list(checkpoint.entries) == list(held)
        for name, tensor in held.items():
            found = checkpoint.tensor(name)
            assert same_bits(found, tensor)
            assert not found.requires_grad
            assert b"".join(map(bytes, checkpoint.pieces(name))) == bytes_in(tensor)
        checkpoint.tensor("whole").zero_()
        assert checkpoint.tensor("part").tolist() == [[4, 6], [8, 10]]


def test_tensors_that_are_more_than_their_bytes_are_listed_and_told(tmp_path: Path) -> None:
    scales, zeros = torch.ones(3), torch.zeros(3, dtype=torch.int64)
    held = {
        "quantised": torch.quantize_per_tensor(torch.ones(3, 2), 0.1, 0, torch.qint8),
        "by channel": torch.quantize_per_channel(torch.ones(3, 2), scales, zeros, 0, torch.quint8),
        "sparse": torch.eye(3).to_sparse(),
        "meta": torch.empty(3, device="meta"),
    }
    with open_checkpoint(saved(tmp_path / "more.pt", held)) as checkpoint:
        assert [entry.dtype for entry in checkpoint.entries.values()] == [
            "qint8",
            "quint8",
            "float32",
            "float32",
        ]
        for name, words in {
            "quantised": "as a quantised tensor",
            "by channel": "as a quantised tensor",
            "sparse": "as a sparse tensor",
            "meta": "has 'meta' as a tensor of the device meta, which has no numbers",
        }.items():
            with pytest.raises(CheckpointError, match=words):
                list(checkpoint.pieces(name))
        assert torch.equal(checkpoint.tensor("quantised").int_repr(), held["quantised"].int_repr())
        assert torch.equal(checkpoint.tensor("sparse").to_dense(), torch.eye(3))
        with pytest.raises(CheckpointError, match="no numbers for 'meta'"):
            checkpoint.tensor("meta")


def test_a_long_tensor_comes_in_pieces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tensor_bytes, "PIECE", 1024)
    tensor = random_bits((1000,), torch.float32)
    with open_checkpoint(saved(tmp_path / "long.pt", {"a": tensor})) as checkpoint:
        assert same_bits(checkpoint.tensor("a"), tensor)
        pieces = [bytes(piece) for piece in checkpoint.pieces("a")]
    assert [len(piece) for piece in pieces] == [1024, 1024, 1024, 928]
    assert b"".join(pieces) == bytes_in(tensor)


def test_two_of_one_name_are_told_apart(tmp_path: Path) -> None:
    held = {"a": {"b": torch.zeros(1)}, "a.b": torch.ones(1)}
    with open_checkpoint(saved(tmp_path / "two.pt", held)) as checkpoint:
        assert [checkpoint.tensor(name).item() for name in checkpoint.entries] == [0, 1]


def test_a_tensor_alone_is_a_checkpoint(tmp_path: Path) -> None:
    with open_checkpoint(saved(tmp_path / "alone.pt", torch.ones(2))) as checkpoint:
        assert list(checkpoint.entries) == ["tensor"]


class RunsCode:
    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self) -> tuple[object, ...]:
        return os.mkdir, (str(self.trace),)


@BOTH
def test_code_is_refused_and_never_run(tmp_path: Path, archive: bool) -> None:
    held = {"a": RunsCode(tmp_path / TRACE), "b": torch.ones(2)}
    message = refusal_of(saved(tmp_path / "evil.pt", held, archive=archive))
    assert message.startswith(
        "'evil.pt' wants to run code as it is loaded ('posix.mkdir'), which is never done"
    )
    assert "save the tensors alone" in message
    assert not (tmp_path / TRACE).exists()


def test_code_in_a_pickle_that_torch_did_not_write(tmp_path: Path) -> None:
    (tmp_path / "evil.pt").write_bytes(pickle.dumps({"a": RunsCode(tmp_path / TRACE)}))
    assert "is a pickle that torch.save did not write" in refusal_of(tmp_path / "evil.pt")
    assert not (tmp_path / TRACE).exists()


@BOTH
def test_a_whole_model_is_refused_with_what_to_do(tmp_path: Path, archive: bool) -> None:
    message = refusal_of(saved(tmp_path / "m.pt", {"model": nn.BatchNorm2d(3)}, archive=archive))
    assert message.startswith("'m.pt' holds a whole pickled model, which runs code as it is loaded")
    assert message.endswith("save the tensors alone: torch.save(model.state_dict(), ...)")


def test_a_tar_that_begins_as_a_pickle_is_not_given_to_torch(tmp_path: Path) -> None:
    legacy = saved(tmp_path / "a.pt", small_state_dict(), archive=False).read_bytes()
    member = tarfile.TarInfo(legacy[:14].decode("latin-1"))
    (tmp_path / "tar").write_bytes(member.tobuf(tarfile.USTAR_FORMAT, "latin-1") + bytes(1024))
    assert tarfile.is_tarfile(tmp_path / "tar")
    assert "is of torch before 0.1.10" in refusal_of(tmp_path / "tar")


def test_other_refusals(tmp_path: Path) -> None:
    torch.save({"a": torch.ones(1)}, tmp_path / "4.pt", pickle_protocol=4)
    assert "torch.save writes pickle protocol 2" in refusal_of(tmp_path / "4.pt")
    assert "holds no tensor" in refusal_of(saved(tmp_path / "none.pt", {"a": 1}))
    loop: dict[str, object] = {"a": torch.ones(1)}
    loop["loop"] = loop
    assert "is nested too deep, or in itself" in refusal_of(saved(tmp_path / "loop.pt", loop))
    many: list[object] = []
    for _ in range(40):  # 2^40 lists in 40
        many = [many, many]
    with open_checkpoint(saved(tmp_path / "many.pt", [many, torch.ones(1)])) as checkpoint:
        assert checkpoint.other_values == ("0",)


def test_more_tensors_by_name_than_can_be_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nesting, "MOST_VALUES", 5000)
    many: list[object] = [torch.ones(1)]
    for _ in range(40):
        many = [many, many]
    assert "is nested too deep" in refusal_of(saved(tmp_path / "many.pt", many))


def test_archives_that_are_not_torchs(tmp_path: Path) -> None:
    def packed(name: str, members: dict[str, bytes], method: int = zipfile.ZIP_STORED) -> Path:
        with zipfile.ZipFile(tmp_path / name, "w", method) as archive:
            for member, content in members.items():
                archive.writestr(member, content)
        return tmp_path / name

    other = refusal_of(packed("other.npz", {"a\x1b[31m.npy": b""}))
    assert other == r"'other.npz' is a zip archive, but not one of torch.save: it holds 'a\x1b[31m.npy'"
    script = packed("script.pt", {"s/data.pkl": b"", "s/constants.pkl": b"", "s/code/a.py": b""})
    assert "is a TorchScript program" in refusal_of(script)
    bomb = packed("bomb.pt", {"archive/data.pkl": bytes(10**6)}, zipfile.ZIP_DEFLATED)
    assert "it is packed" in refusal_of(bomb)
    assert "it is packed, or holds two" in refusal_of(
        packed("two.pt", {"a/data.pkl": b"", "b/data.pkl": b""})
    )


def test_attributes_of_a_state_dict_are_no_hindrance(tmp_path: Path) -> None:
    state = nn.BatchNorm2d(2).state_dict()
    assert isinstance(state, collections.OrderedDict)
    with open_checkpoint(saved(tmp_path / "bn.pt", state)) as checkpoint:
        assert list(checkpoint.entries) == list(state)
