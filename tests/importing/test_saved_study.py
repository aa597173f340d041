"""A study that was saved comes back equal, and what is none is refused with one clear message."""

from __future__ import annotations

import json
import math
import os
import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.export.code.test_snippet import EVERY_KIND
from tests.specs import SLIGHTLY_WRONG, TOO_LARGE
from tui.analysis.alterations.alterations import Alterations, Edit, shapes_of
from tui.analysis.study import study_of
from tui.analysis.subject import Subject
from tui.export import study_json
from tui.export.study_json import study_json_of
from tui.fusion.grammar.branch_text import parse_branches
from tui.fusion.presets import PRESETS
from tui.fusion.specs.block_spec import BlockSpec
from tui.importing import files
from tui.importing.errors import ImportingError
from tui.importing.saved_study import SavedStudy, load_study, study_in

SMALL = BlockSpec(input_shape=(4, 4))
EVERY_PLACE = Alterations(
    tuple(
        Edit(place, (0,) * len(shape), number)
        for (place, shape), number in zip(
            shapes_of(SMALL).items(), [math.nan, math.inf, -math.inf, -0.0, 1e-320, 0.1, 3.0], strict=True
        )
    ),
    "flipped",
)


def saved(subject: Subject, compared: Subject | None = None) -> bytes:
    return study_json_of(study_of(subject.spec, subject.alterations), compared).encode()


def document(**changes: Any) -> dict[str, Any]:
    """A saved study as data, with these parts changed."""
    return {**json.loads(saved(Subject(SMALL))), **changes}


def problem_of(data: bytes) -> str:
    with pytest.raises(ImportingError) as caught:
        study_in(data)
    message = str(caught.value)
    assert message.isprintable()
    assert len(message) < 600
    return message


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset(name: str) -> None:
    spec = replace(PRESETS[name].spec.with_in_channels(4), kernel_size=(3, 3), input_shape=(9, 9))
    assert study_in(saved(Subject(spec))) == SavedStudy(Subject(spec))


@pytest.mark.parametrize(
    "subject",
    [
        Subject(SMALL, EVERY_PLACE),
        Subject(SMALL, TOO_LARGE),
        Subject(replace(EVERY_KIND, seed=2**63 - 1)),
        Subject(PRESETS["repvgg"].spec.with_in_channels(4), Alterations(mistake="eps-1e-3")),
        Subject(SMALL, replace(SLIGHTLY_WRONG, finished=True)),
        Subject(replace(SMALL, padding=(1, 2), branches=parse_branches("kxk,2x2+p0x2,1x1 > 2x1+p0x1"))),
    ],
    ids=["edited", "too large", "every kind", "mistaken", "finished", "padded"],
)
def test_what_was_altered_and_compared(subject: Subject) -> None:
    other = Subject(SMALL, SLIGHTLY_WRONG)
    assert study_in(saved(subject)) == SavedStudy(subject)
    assert study_in(saved(subject, other)) == SavedStudy(subject, other)
    assert study_in(saved(other, subject)) == SavedStudy(other, subject)


def test_a_study_of_before_the_block_had_an_eps_has_torchs() -> None:
    data = document()
    assert data["spec"].pop("eps") == 1e-5
    assert study_in(json.dumps(data).encode()).subject.spec == SMALL
    data["spec"]["eps"] = 1e-3
    assert study_in(json.dumps(data).encode()).subject.spec == replace(SMALL, eps=1e-3)


def test_one_of_before_there_were_paddings_pads_same() -> None:
    data = document()
    del data["spec"]["padding"]
    assert study_in(json.dumps(data).encode()).subject == Subject(SMALL)


def test_the_same_study_comes_of_it() -> None:
    before = study_of(SMALL, EVERY_PLACE)
    back = study_in(study_json_of(before).encode()).subject
    after = study_of(back.spec, back.alterations)
    for one, other in zip(
        (before.x, *before.block.parameters()), (after.x, *after.block.parameters()), strict=True
    ):
        assert torch.equal(one.nan_to_num(7.0), other.nan_to_num(7.0))
    assert study_json_of(after) == study_json_of(before)


def test_another_program_may_have_written_the_file_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    subject = Subject(SMALL, EVERY_PLACE)
    data = json.loads(saved(subject))
    assert study_in(json.dumps(data, indent=2, sort_keys=True).encode()).subject == subject
    assert study_in(json.dumps(data, separators=(",", ":")).encode()).subject == subject
    monkeypatch.setattr(study_json, "MOST_NUMBERS", 1)
    assert study_in(saved(subject)).subject == subject


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"schema": 2}, "schema 2 (version 0.1.0 wrote it), and this version reads schema 1"),
        ({"schema": None}, "no schema number (version 0.1.0 wrote it), and"),
        ({"schema": True}, "no schema number"),
        ({"schema": "1", "version": "\x1b" * 5}, "no schema number (version \\x1b"),
        ({"program": "other"}, "not a study that was saved here: take one away with x"),
        ({"spec": None}, "spec in the saved study must be an object, not 'null'"),
        ({"spec": {}}, "spec.in_channels is missing"),
        ({"alterations": {"edits": [], "mistake": "", "more": 1}}, "has 'more', which is not known here"),
        (
            {"alterations": {"edits": {}, "mistake": ""}},
            "alterations.edits in the saved study must be a list",
        ),
        ({"alterations": {"edits": [], "mistake": "flip"}}, "did you mean flipped?"),
        ({"alterations": {"edits": [], "mistake": "mean-ignored"}}, "no batch norm"),
        ({"compared": 3}, "compared in the saved study must be an object, not '3'"),
        ({"compared": {"spec": None}}, "compared.spec in the saved study must be an object"),
    ],
)
def test_what_does_not_fit_is_named(changes: dict[str, Any], words: str) -> None:
    assert words in problem_of(json.dumps(document(**changes)).encode())


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("in_channels", 2.0, "spec.in_channels in the saved study must be a whole number, not '2.0'"),
        ("in_channels", True, "must be a whole number, not 'true'"),
        ("in_channels", 10**40, "from 1 to 65536"),
        ("in_channels", 3, "says a block that cannot be: the identity needs in channels = out channels"),
        ("kernel_size", [3], "spec.kernel_size in the saved study must be two whole numbers, not '[3]'"),
        ("kernel_size", [-3, 3], "kernel size must be from 1 to 127, not -3"),
        ("dtype", "int8", "must be one of float64, float32, bfloat16, float16, not '\"int8\"'"),
        ("eps", "1e-3", "spec.eps in the saved study must be a number, not"),
        ("eps", -1, "eps must be from 0 to 10, not -1.0"),
        ("padding", "valid", "spec.padding in the saved study must be two whole numbers, not '\"valid\"'"),
        ("padding", [-1, 0], "padding must be from 0 to 8192, not -1"),
        ("post_norm", 0, "must be true or false, not '0'"),
        ("branches", "kxk", "a list of at most 64 branches"),
        ("branches", [{"kind": "kxk"}] * 65, "a list of at most 64 branches"),
        ("branches", [{}], "spec.branches[0].kind is missing"),
        ("branches", [{"kind": "kxk", "fork": 1}], "spec.branches[0] in the saved study has 'fork'"),
        ("branches", [{"kind": "conv", "kernel_size": [0, 0]}], "kernel size must be from 1"),
        ("branches", [], "at least one branch"),
    ],
)
def test_a_block_that_cannot_be(field: str, value: Any, words: str) -> None:
    changed = document()
    changed["spec"][field] = value
    assert words in problem_of(json.dumps(changed).encode())


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        ({"place": "kxk.wieght", "index": [0], "value": 1}, "did you mean kxk.weight?"),
        ({"place": "kxk.bias", "index": [2], "value": 1}, "go from [0] to [1], and [2] is not one"),
        ({"place": "kxk.bias", "index": [-1], "value": 1}, "[-1] is not one"),
        ({"place": "kxk.bias", "index": [0, 0], "value": 1}, "[0,0] is not one"),
        ({"place": "kxk.bias", "index": 0, "value": 1}, "a list of whole numbers, not '0'"),
        ({"place": "kxk.bias", "index": [0], "value": "1"}, "must be a number, not"),
        ({"place": "kxk.bias", "index": [0], "value": 10**400}, "a number that float64 can hold"),
        (
            {"place": 1, "index": [0], "value": 1},
            "alterations.edits[0].place in the saved study must be a text",
        ),
    ],
)
def test_an_edit_that_cannot_be(edit: dict[str, Any], words: str) -> None:
    assert words in problem_of(json.dumps(document(alterations={"edits": [edit], "mistake": ""})).encode())


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"{", "cut short"),
        (b"\xff\xfe{", "not text"),
        (b'{"program": NaN}', "NaN is not JSON"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"program": 1' + b"0" * 5000 + b"}", "digits"),
        (b"[]", "not a study that was saved here"),
        (b"null", "not a study that was saved here"),
    ],
)
def test_foreign_bytes(data: bytes, words: str) -> None:
    assert words in problem_of(data)


def test_damaged_files_are_refused_or_are_another_study() -> None:
    """No other error, whatever bit is turned and wherever the file ends."""
    whole = saved(Subject(SMALL, EVERY_PLACE), Subject(BlockSpec(), SLIGHTLY_WRONG))
    chance = random.Random(11)
    for _ in range(100):
        problem_of(whole[: chance.randrange(len(whole) - 2)])
    refused = 0
    needed = whole.index(b'"tensors"')
    for _ in range(300):
        damaged = bytearray(whole)
        damaged[chance.randrange(needed)] ^= 1 << chance.randrange(8)
        try:
            study_in(bytes(damaged))
        except ImportingError:
            refused += 1
    assert 30 < refused < 300


def test_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "study.json"
    file.write_bytes(saved(Subject(SMALL)))
    assert load_study(f" {file} ") == SavedStudy(Subject(SMALL))
    monkeypatch.setenv("HOME", str(tmp_path))
    assert load_study("~/study.json") == SavedStudy(Subject(SMALL))
    (tmp_path / "empty").touch()
    os.mkfifo(tmp_path / "pipe")
    for name, words in {
        str(tmp_path): "that is a folder",
        str(tmp_path / "studi.json"): "there is no such file; did you mean study.json?",
        str(tmp_path / "none" / "x"): "there is no such file",
        str(tmp_path / "empty"): "it is empty",
        str(tmp_path / "pipe"): "not an ordinary file",
        "/dev/zero": "not an ordinary file",
        str(file / "x"): "it cannot be read: not a directory",
        "x" * 400: "it cannot be read: file name too long",
        "a\0b": "zero byte",
        "~nobody-of-that-name/x": "no such user",
        " ": "needs a name",
    }.items():
        with pytest.raises(ImportingError, match=words.replace("?", r"\?")):
            load_study(name)
    monkeypatch.setattr(files, "MOST_BYTES", 2**20)
    file.write_bytes(b" " * (2**20 + 1))
    with pytest.raises(ImportingError, match="larger than 1 MiB"):
        load_study(str(file))
