"""`repfuse-tui fuse`: exit status, JSON, what is written and what is refused."""

from __future__ import annotations

import math
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor

from tests.checkpoints.damage import damaged
from tests.checkpoints.families.held_against import state_of
from tests.checkpoints.families.parts import ConvNorm
from tests.checkpoints.families.repvgg_modules import repvgg
from tests.checkpoints.small_nets import BLOCKS, deployed, loaded, saved, trained, wrapped
from tests.commands.on_files import ran
from tui.checkpoints.folding.folded import Answer
from tui.commands import progress

Capsys = pytest.CaptureFixture[str]


def source(folder: Path, suffix: str = ".safetensors") -> Path:
    return saved(folder, trained().state_dict(), suffix)


def test_json_key_by_key(tmp_path: Path, capsys: Capsys) -> None:
    path, out = source(tmp_path, ".pt"), tmp_path / "out.safetensors"
    done = ran(capsys, "fuse", path, out, "--json")
    assert done.status == 0
    data = done.data
    assert list(data) == [
        *("schema", "blocks", "skipped", "tensors_in", "tensors_out", "params", "bytes", "beside"),
        "output",
    ]
    state, made = trained().state_dict(), loaded(out)
    assert data["schema"] == 1
    assert data["skipped"] == []
    assert (data["tensors_in"], data["tensors_out"]) == (len(state), len(made))
    assert data["bytes"] == {
        "before": sum(tensor.nbytes for tensor in state.values()),
        "after": sum(tensor.nbytes for tensor in made.values()),
    }
    assert data["params"]["after"] == sum(
        tensor.numel() for tensor in made.values() if tensor.is_floating_point()
    )
    assert data["output"] == str(out)
    assert [block["name"] for block in data["blocks"]] == list(BLOCKS)
    block = data["blocks"][2]
    assert list(block) == [
        *("name", "family", "branches", "assumed", "verdict", "reason", "problems"),
        *("max_abs_diff_float64", "weight_share", "written_over"),
    ]
    assert (block["family"], block["verdict"], block["problems"]) == ("MobileOne (timm)", "exact", [])
    assert len(block["branches"]) == 6
    assert 0 <= block["max_abs_diff_float64"] < 1e-10
    assert 0 < block["weight_share"] <= 1
    assert {each["what"] for each in block["assumed"]} >= {"eps", "stride", "padding"}
    deployed(trained()).load_state_dict(made, strict=True)


def test_the_table(tmp_path: Path, capsys: Capsys) -> None:
    out = tmp_path / "out.pt"
    done = ran(capsys, "fuse", source(tmp_path), out)
    assert done.status == 0
    for word in (*BLOCKS, "exact", "4 of 4 blocks fused and verified, 0 left alone; written to", str(out)):
        assert word in done.words
    assert done.err == ""


@pytest.mark.parametrize("command", ["fuse", "inspect"])
def test_the_table_says_what_a_pair_is_taken_for(tmp_path: Path, capsys: Capsys, command: str) -> None:
    state = {
        name: each
        for place in range(5)
        for name, each in state_of(ConvNorm(6, 6, 3).eval(), f"neck.{place}").items()
    }
    path = saved(tmp_path, state, ".pt")
    target = [tmp_path / "out.pt"] if command == "fuse" else []
    words = ran(capsys, command, path, *target, "--conv-bn").words
    told = "assumed: convolution Conv2d: a ConvTranspose2d has a weight of the same shape"
    assert f"{told} (neck.0, neck.1, neck.2 and 2 more)" in words


def test_an_eps_that_was_asked_for_is_not_told_as_a_guess(tmp_path: Path, capsys: Capsys) -> None:
    body = state_of(repvgg("RepVGG", 6, 6).eval(), "body")
    yolo = {name.replace(".conv.", ".0.").replace(".bn.", ".1."): each for name, each in body.items()}
    path = saved(tmp_path, state_of(ConvNorm(4, 6, 3).eval(), "stem") | yolo, ".pt")
    for options, is_guess in (((), True), (("--eps", "0.002"), False)):
        words = ran(capsys, "inspect", path, "--conv-bn", *options).words
        assert ("assumed: eps 0.001: as YOLOv7 beside it has; it is in no file (stem)" in words) == is_guess


@pytest.mark.parametrize(
    ("name", "options", "is_torch"),
    [
        ("out.safetensors", (), False),
        ("out.pt", (), True),
        ("out.pth", (), True),
        ("out", (), False),
        ("out.pt", ("--format", "safetensors"), False),
        ("out.bin", ("--format", "pt"), True),
        ("out.safetensors", ("--format", "pt"), True),
    ],
)
def test_the_format_is_that_of_the_name_or_the_one_asked_for(
    tmp_path: Path, capsys: Capsys, name: str, options: tuple[str, ...], is_torch: bool
) -> None:
    out = tmp_path / name
    done = ran(capsys, "fuse", source(tmp_path), out, *options)
    assert done.status == 0
    assert (out.read_bytes()[:2] == b"PK") == is_torch
    assert done.out.split()[-2:] == ["as", "torch" if is_torch else "safetensors"]


def test_a_wrapper_is_left_out_of_safetensors_and_said(tmp_path: Path, capsys: Capsys) -> None:
    path, out = tmp_path / "in.pth", tmp_path / "out.safetensors"
    torch.save(wrapped(trained().state_dict(), "state_dict"), path)
    done = ran(capsys, "fuse", path, out)
    assert done.status == 0
    assert "left out, as safetensors holds only the tensors of a model: epoch, optimizer" in done.words
    deployed(trained()).load_state_dict(loaded(out), strict=True)


def training_file(folder: Path) -> Path:
    """With an optimizer's state, an average that has no blocks, and what counts."""
    content = wrapped(trained().state_dict(), "model") | {
        "optimizer": {"state": {0: {"exp_avg": torch.ones(3), "step": torch.tensor(9.0)}}, "lr": 0.1},
        "ema": {"shadow": torch.ones(2)},
        "lr_scheduler": {"last": 3},
    }
    torch.save(content, folder / "in.pth")
    return folder / "in.pth"


def test_what_a_training_file_has_beside_its_model_is_told(tmp_path: Path, capsys: Capsys) -> None:
    path, out = training_file(tmp_path), tmp_path / "out.pt"
    done = ran(capsys, "fuse", path, out)
    assert done.status == 0
    told = (
        "carried over as it was, of the weights before they were fused: "
        "optimizer (2 tensors, 16 bytes), ema (1 tensor, 8 bytes), epoch, lr_scheduler"
    )
    assert told in done.words
    assert torch.load(out)["optimizer"]["state"][0]["step"] == 9
    data = ran(capsys, "fuse", path, out, "--force", "--json").data
    assert data["beside"][:2] == [
        {"name": "optimizer", "tensors": 2, "bytes": 16, "carried": True},
        {"name": "ema", "tensors": 1, "bytes": 8, "carried": True},
    ]


def test_safetensors_is_loaded_strictly_without_what_only_training_needs(
    tmp_path: Path, capsys: Capsys
) -> None:
    path, out = tmp_path / "in.pth", tmp_path / "out.safetensors"
    content = torch.load(training_file(tmp_path))
    del content["ema"]
    torch.save(content, path)
    done = ran(capsys, "fuse", path, out, "--json")
    assert [(each["name"], each["carried"]) for each in done.data["beside"]] == [
        *(("optimizer", False), ("epoch", False), ("lr_scheduler", False)),
    ]
    made = loaded(out)
    assert done.data["tensors_out"] == len(made)
    deployed(trained()).load_state_dict(made, strict=True)


def test_two_wrappers_stay_apart_in_safetensors(tmp_path: Path, capsys: Capsys) -> None:
    path, out = tmp_path / "in.pth", tmp_path / "out.safetensors"
    torch.save({"model": trained().state_dict(), "ema": trained(seed=1).state_dict()}, path)
    assert ran(capsys, "fuse", path, out).status == 0
    made = loaded(out)
    for wrapper in ("model.", "ema."):
        own = {name.removeprefix(wrapper): each for name, each in made.items() if name.startswith(wrapper)}
        deployed(trained()).load_state_dict(own, strict=True)


def test_eps_is_folded_and_told(tmp_path: Path, capsys: Capsys) -> None:
    path = source(tmp_path)
    ran(capsys, "fuse", path, tmp_path / "one.pt")
    done = ran(capsys, "fuse", path, tmp_path / "other.pt", "--eps", "1e-3", "--json")
    assert done.status == 0
    told = [each for block in done.data["blocks"] for each in block["assumed"] if each["what"] == "eps"]
    assert told == [{"what": "eps", "value": "0.001", "why": "as asked for"}] * 4
    name = "stem.rbr_reparam.weight"
    assert not torch.equal(loaded(tmp_path / "one.pt")[name], loaded(tmp_path / "other.pt")[name])


def test_fusing_twice_is_nothing(tmp_path: Path, capsys: Capsys) -> None:
    once, twice = tmp_path / "once.safetensors", tmp_path / "twice.safetensors"
    ran(capsys, "fuse", source(tmp_path), once)
    done = ran(capsys, "fuse", once, twice, "--json")
    assert done.status == 0
    assert "already fused" in done.err
    assert done.data["output"] is None
    assert [each["reason"] for each in done.data["skipped"]] == ["already fused"] * 4
    assert not twice.exists()


def test_a_fused_tensor_of_the_file_itself_is_told_when_it_is_written_over(
    tmp_path: Path, capsys: Capsys
) -> None:
    placeholders = {"stem.rbr_reparam.weight": torch.ones(8, 3, 3, 3), "stem.rbr_reparam.bias": torch.ones(8)}
    path = saved(tmp_path, dict(trained().state_dict()) | placeholders, ".pt")
    words = "stem.rbr_reparam.weight, stem.rbr_reparam.bias: placeholder written over"
    assert words in ran(capsys, "fuse", path, tmp_path / "out.pt").words
    data = ran(capsys, "fuse", path, tmp_path / "out.pt", "--force", "--json").data
    assert [block["written_over"] for block in data["blocks"]] == [[*placeholders], [], [], []]


def without_a_key(state: dict[str, Tensor]) -> None:
    del state["stem.rbr_1x1.conv.weight"]


def with_a_short_norm(state: dict[str, Tensor]) -> None:
    state["stem.rbr_1x1.bn.running_var"] = torch.ones(3)


def with_another_depth(state: dict[str, Tensor]) -> None:
    state["stem.rbr_1x1.conv.weight"] = state["stem.rbr_1x1.conv.weight"][:, :1]


def with_nothing_in_it(state: dict[str, Tensor]) -> None:
    state["stem.rbr_1x1.conv.weight"] = torch.zeros(0, 3, 1, 1)


@pytest.mark.parametrize("harm", [without_a_key, with_a_short_norm, with_another_depth, with_nothing_in_it])
def test_a_damaged_block_keeps_the_rest_from_being_written(
    tmp_path: Path, capsys: Capsys, harm: Callable[[dict[str, Tensor]], None]
) -> None:
    state = dict(trained().state_dict())
    harm(state)
    path, out = saved(tmp_path, state, ".pt"), tmp_path / "out.pt"
    done = ran(capsys, "fuse", path, out)
    assert done.status == 1
    assert (
        "'out.pt' was not written, as these blocks are damaged: 'stem'; --force writes it all the"
        in done.words
    )
    assert "3 of 3 blocks fused and verified, 1 left alone (1 damaged); nothing was written" in done.words
    assert not out.exists()
    assert ran(capsys, "fuse", path, out, "--force").status == 1
    assert torch.equal(loaded(out)["stem.rbr_dense.conv.weight"], state["stem.rbr_dense.conv.weight"])


@pytest.mark.parametrize("name", ["stem.rbr_avg.weight", "stem.rbr_dense.conv.weight_scale"])
def test_a_block_with_more_than_is_known_is_not_damaged(tmp_path: Path, capsys: Capsys, name: str) -> None:
    state = dict(trained().state_dict()) | {name: torch.ones(8)}
    done = ran(capsys, "fuse", saved(tmp_path, state, ".pt"), tmp_path / "out.pt", "--json")
    assert (done.status, [each["damaged"] for each in done.data["skipped"]]) == (0, [False])


def test_what_is_half_fused_is_left_alone_with_the_reason(tmp_path: Path, capsys: Capsys) -> None:
    state = dict(trained().state_dict())
    del state["stem.rbr_1x1.conv.weight"]
    done = ran(capsys, "fuse", saved(tmp_path, state, ".pt"), tmp_path / "out.pt", "--json", "--force")
    assert done.status == 1
    assert [each["damaged"] for each in done.data["skipped"]] == [True]
    assert [block["name"] for block in done.data["blocks"]] == list(BLOCKS[1:])
    assert [each["name"] for each in done.data["skipped"]] == ["stem"]
    assert "rbr_1x1" in done.data["skipped"][0]["reason"]
    made = loaded(tmp_path / "out.pt")
    assert all(torch.equal(made[name], state[name]) for name in state if name.startswith("stem."))


def test_a_file_without_blocks_is_bad_input(tmp_path: Path, capsys: Capsys) -> None:
    done = ran(capsys, "fuse", saved(tmp_path, {"head.weight": torch.zeros(2)}, ".pt"), tmp_path / "out.pt")
    assert (done.status, done.out) == (2, "")
    assert "no re-parameterizable block was found" in done.err
    assert not (tmp_path / "out.pt").exists()


def with_nan(folder: Path) -> Path:
    state = dict(trained().state_dict())
    state["stem.rbr_dense.conv.weight"] = torch.full((8, 3, 3, 3), math.nan)
    return saved(folder, state, ".pt")


@pytest.mark.parametrize("as_json", [False, True])
def test_a_block_that_cannot_be_verified_is_not_written(
    tmp_path: Path, capsys: Capsys, as_json: bool
) -> None:
    out = tmp_path / "out.pt"
    done = ran(capsys, "fuse", with_nan(tmp_path), out, *["--json"] * as_json)
    assert done.status == 1
    assert "'out.pt' was not written, as these blocks are suspicious: 'stem'; --force" in done.err
    assert "216 numbers are NaN" in done.words
    assert sorted(each.name for each in tmp_path.iterdir()) == ["in.pt"]
    if as_json:
        assert done.data["output"] is None
        assert done.data["blocks"][0]["verdict"] == "suspicious"
        assert done.data["blocks"][0]["weight_share"] is None
        assert done.data["blocks"][0]["problems"] != []
    else:
        assert "nan" not in done.out.replace("NaN", "")
        assert "3 of 4 blocks fused and verified, 0 left alone; nothing was written" in done.words


def test_force_writes_it_all_the_same(tmp_path: Path, capsys: Capsys) -> None:
    out = tmp_path / "out.pt"
    done = ran(capsys, "fuse", with_nan(tmp_path), out, "--force", "--json")
    assert done.status == 1
    assert done.data["output"] == str(out)
    assert loaded(out)["stem.rbr_reparam.weight"].isnan().all()


def test_a_wrong_block_is_not_written(
    tmp_path: Path, capsys: Capsys, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tui.checkpoints.conversion.fusing.answer_on_image", lambda block: Answer(0.5, 1e9))
    done = ran(capsys, "fuse", source(tmp_path), tmp_path / "out.pt", "--json")
    assert done.status == 1
    assert {block["verdict"] for block in done.data["blocks"]} == {"wrong"}
    assert not (tmp_path / "out.pt").exists()


def test_a_sparse_tensor_is_named(tmp_path: Path, capsys: Capsys) -> None:
    state = dict(trained().state_dict())
    state["stem.rbr_1x1.conv.weight"] = state["stem.rbr_1x1.conv.weight"].to_sparse()
    done = ran(capsys, "fuse", saved(tmp_path, state, ".pt"), tmp_path / "out.pt")
    assert done.status == 2
    assert "'in.pt' has 'stem.rbr_1x1.conv.weight' as a sparse tensor: make it dense first" in done.err


@pytest.mark.parametrize("command", [("inspect",), ("fuse",), ("compare",)])
def test_a_path_that_leads_nowhere_is_told_whole(tmp_path: Path, capsys: Capsys, command: tuple[str]) -> None:
    path = tmp_path / "none" / "in.pt"
    done = ran(capsys, *command, path, *[tmp_path / "out.pt"] * (command != ("inspect",)))
    assert f"'{path}' is not there" in done.err
    assert "'/dev/null' is a pipe or a device" in ran(capsys, "inspect", "/dev/null").err


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no full device")
@pytest.mark.parametrize("options", [(), ("--json",)])
def test_a_report_that_cannot_be_printed_does_not_hide_what_was_written(
    tmp_path: Path, options: tuple[str, ...]
) -> None:
    out = tmp_path / "out.pt"
    command = [sys.executable, "-m", "tui", "fuse", str(source(tmp_path)), str(out), *options]
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, timeout=120)
    assert done.returncode == 2
    assert (
        "cannot write: no space left on device: only the report is lost, 'out.pt' was written" in done.stderr
    )
    deployed(trained()).load_state_dict(loaded(out), strict=True)


def onto_itself(path: Path) -> Path:
    return path


def onto_a_link_to_itself(path: Path) -> Path:
    link = path.with_name("link.safetensors")
    link.symlink_to(path)
    return link


def onto_a_folder(path: Path) -> Path:
    return path.parent


def into_no_folder(path: Path) -> Path:
    return path.parent / "none" / "out.pt"


def under_the_name_of_an_index(path: Path) -> Path:
    return path.with_name("o.safetensors.index.json")


def under_the_name_of_other_json(path: Path) -> Path:
    return path.with_name("report.JSON")


def onto_a_file(path: Path) -> Path:
    other = path.with_name("there.pt")
    other.write_bytes(b"old")
    return other


def under_a_name_of_others(path: Path) -> Path:
    return path.with_name("o.onnx")


def onto_a_pipe(path: Path) -> Path:
    pipe = path.with_name("pipe.pt")
    os.mkfifo(pipe)
    return pipe


@pytest.mark.parametrize(
    ("target", "forced", "words"),
    [
        (onto_itself, True, "is the input itself"),
        (onto_a_link_to_itself, True, "is the input itself"),
        (onto_a_folder, True, "is a folder"),
        (into_no_folder, True, "/none/out.pt' cannot be written: there is no such folder"),
        (
            under_the_name_of_an_index,
            True,
            "'o.safetensors.index.json' is the name of the index of a sharded checkpoint, and the output is "
            "one file of tensors: name it 'o.safetensors'",
        ),
        (under_the_name_of_other_json, False, "is the name of a JSON file, and the output is one file of"),
        (
            under_a_name_of_others,
            True,
            "'o.onnx' would be no .onnx file: end its name on .safetensors or .pt",
        ),
        (onto_a_file, False, "is there already; --force replaces it"),
        (onto_a_pipe, True, "/pipe.pt' is a pipe or a device"),
        (onto_a_pipe, False, "/pipe.pt' is a pipe or a device"),
    ],
)
def test_outputs_that_are_refused(
    tmp_path: Path, capsys: Capsys, target: Callable[[Path], Path], forced: bool, words: str
) -> None:
    path = source(tmp_path)
    before = path.read_bytes()
    out = target(path)
    names = sorted(each.name for each in tmp_path.iterdir())
    done = ran(capsys, "fuse", path, out, *["--force"] * forced)
    assert (done.status, done.out) == (2, "")
    assert words in done.err
    assert done.err.count("\n") == 1
    assert path.read_bytes() == before
    assert sorted(each.name for each in tmp_path.iterdir()) == names


def test_force_replaces_a_file(tmp_path: Path, capsys: Capsys) -> None:
    path = source(tmp_path)
    out = onto_a_file(path)
    assert ran(capsys, "fuse", path, out, "--force").status == 0
    deployed(trained()).load_state_dict(loaded(out), strict=True)


def test_lines_on_stderr_where_it_is_no_terminal(
    tmp_path: Path, capsys: Capsys, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "EVERY", 0.0)
    done = ran(capsys, "fuse", source(tmp_path, ".pt"), tmp_path / "out.pt", "--json")
    lines = done.err.splitlines()
    assert lines[:4] == [
        f"fusing: {part}, block {place} of 4: {name}"
        for place, (part, name) in enumerate(zip(_parts_done(), BLOCKS, strict=True), 1)
    ]
    assert lines[-1].startswith("writing: 100%, ")


def _parts_done() -> list[str]:
    """What part of the bytes that blocks read lies before each."""
    state = trained().state_dict()
    sizes = [
        sum(_bytes(each) for name, each in state.items() if name.startswith(f"{block}.")) for block in BLOCKS
    ]
    return [f"{sum(sizes[:place]) / sum(sizes):.0%}" for place in range(4)]


def _bytes(tensor: Tensor) -> int:
    return tensor.nbytes


def big_source(folder: Path) -> Path:
    """One that takes a while: 12 blocks of 256 channels."""
    state: dict[str, Tensor] = {}
    for place in range(12):
        state |= state_of(repvgg("RepVGG", 256, 256).eval(), f"stage.{place}")
    return saved(folder, state, ".pt")


@pytest.mark.parametrize(("after", "out"), [(0.0, "out.safetensors"), (0.3, "out.pt")])
def test_ctrl_c_leaves_no_half_file(tmp_path: Path, after: float, out: str) -> None:
    path = big_source(tmp_path)
    program = (  # the whole program: what it makes of Ctrl+C while it starts would end it at once
        "import os, signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "vars(os).pop('O_TMPFILE', None)  # as elsewhere, where a file that is written has a name\n"
        "from tui.commands import progress; progress.EVERY = 0.0\n"
        "from tui.__main__ import run; run()"
    )
    command = [sys.executable, "-c", program, "fuse", str(path), str(tmp_path / out), "--jobs", "1"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    process.stderr.readline()  # it has begun
    time.sleep(after)
    process.send_signal(signal.SIGINT)
    printed, err = process.communicate(timeout=120)
    assert process.returncode == 130
    assert printed == ""
    assert "Traceback" not in err
    assert [each.name for each in tmp_path.iterdir()] == ["in.pt"]


@pytest.mark.parametrize("suffix", [".safetensors", ".pt"])
def test_a_damaged_file_is_fused_or_told_in_a_line(tmp_path: Path, capsys: Capsys, suffix: str) -> None:
    path, out = source(tmp_path, suffix), tmp_path / "out.safetensors"
    found = []
    for bad in damaged(path.read_bytes(), 60, 5):
        path.write_bytes(bad)
        done = ran(capsys, "fuse", path, out, "--force", "--json")
        found.append(done.status)
        if done.status == 2:
            assert done.out == ""
            assert done.err.startswith("repfuse-tui: ")
            assert done.err.count("\n") == 1
            assert done.err.strip().isprintable()
        else:
            assert done.data["output"] == (None if "already fused" in done.err else str(out))
        assert path.read_bytes() == bad
        assert {each.name for each in tmp_path.iterdir()} <= {path.name, out.name}
    assert {0, 2} <= set(found)
