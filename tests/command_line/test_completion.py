"""What a shell offers at a tab, asked of the shell itself."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tui.command_line.completion import completion_script
from tui.fusion.presets import PRESETS

BASH, FISH, ZSH = (shutil.which(shell) for shell in ("bash", "fish", "zsh"))
REPVGG = {name for name in PRESETS if name.startswith("repv")}

IN_BASH = """
source {script}
COMP_WORDS=({words})
COMP_CWORD={current}
_repfuse_tui_words
printf '%s\\n' "${{COMPREPLY[@]}}"
"""


def offered_by_bash(script: Path, *words: str) -> set[str]:
    """What is offered for the last of these words, which are broken as bash breaks them."""
    script.write_text(completion_script("bash"), encoding="utf-8")
    quoted = " ".join(f"'{word}'" for word in words)
    program = IN_BASH.format(script=script, words=quoted, current=len(words) - 1)
    done = subprocess.run([BASH or "", "-c", program], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


@pytest.mark.skipif(BASH is None, reason="there is no bash")
@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("repfuse-tui", "--preset", "repv"), REPVGG),
        (("repfuse-tui", "--preset", "=", "repv"), REPVGG),
        (("repfuse-tui", "--preset", "="), set(PRESETS)),
        (("repfuse-tui", "check", "--preset", "=", "repv"), REPVGG),
        (("repfuse-tui", "--seed", "=", "7", "check", "--preset", "repv"), REPVGG),
        (("repfuse-tui", "insp"), {"inspect"}),
        (("repfuse-tui", "help", "ver"), {"verdict"}),
        (("repfuse-tui", "speed", "--preset", "repv"), REPVGG),
        (("repfuse-tui", "speed", "--memory-format", "ch"), {"channels_last"}),
        (("repfuse-tui", "speed", "model.pt", "--con"), {"--conv-bn"}),
        (("repfuse-tui", "speed", "m.py:net", "--exa"), {"--example"}),
        (("repfuse-tui", "sweep", "--ov"), {"--over"}),
        (("repfuse-tui", "fuse", "m.py:net", "out.pt2", "--as", "ex"), {"exported-program"}),
        (("repfuse-tui", "check", "m.py:net", "--blo"), {"--block"}),
        (("repfuse-tui", "compare", "m.py:net", "--given-w"), {"--given-with", "--given-weights"}),
        (("repfuse-tui", "--exa"), {"--example"}),
        (("repfuse-tui", "m.py:net", "fused.pt", "--given-w"), {"--given-with", "--given-weights"}),
        (("repfuse-tui", "sweep", "--device", "cu"), {"cuda"}),
        (("repfuse-tui", "model.pt", "--device", "cu"), {"cuda"}),
        (("repfuse-tui", "--seed", "7", "che"), {"check"}),
        (("repfuse-tui", "--seed", "=", "7", "check", "--fused-b"), {"--fused-bias"}),
        (("repfuse-tui", "fuse", "a.pt", "b.pt", "--form"), {"--format"}),
    ],
    ids=lambda value: (
        " ".join(value) if isinstance(value, tuple) else ""
    ),  # a set has no order to be named by
)
def test_bash_offers(tmp_path: Path, words: tuple[str, ...], expected: set[str]) -> None:
    assert offered_by_bash(tmp_path / "script", *words) == expected


@pytest.mark.skipif(FISH is None, reason="there is no fish")
@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("repfuse-tui --preset repv", REPVGG),
        ("repfuse-tui --preset=repv", {f"--preset={name}" for name in REPVGG}),
        ("repfuse-tui --seed 7 check --preset repv", REPVGG),
        ("repfuse-tui insp", {"inspect"}),
        ("repfuse-tui fuse a.pt b.pt --form", {"--format"}),
    ],
)
def test_fish_offers(tmp_path: Path, line: str, expected: set[str]) -> None:
    script = tmp_path / "script"
    script.write_text(completion_script("fish"), encoding="utf-8")
    program = f'source {script}; complete --do-complete "{line}"'
    done = subprocess.run(
        [FISH or "", "--no-config", "-c", program], capture_output=True, text=True, check=True, cwd=tmp_path
    )
    assert {offer.split("\t")[0] for offer in done.stdout.splitlines()} == expected


@pytest.mark.skipif(ZSH is None, reason="there is no zsh")
def test_zsh_can_read_its_script(tmp_path: Path) -> None:
    script = tmp_path / "script"
    script.write_text(completion_script("zsh"), encoding="utf-8")
    subprocess.run([ZSH or "", "-n", str(script)], capture_output=True, text=True, check=True)


def test_in_zsh_a_value_may_stand_behind_a_sign() -> None:
    lines = [line for line in completion_script("zsh").splitlines() if line.startswith('  "--')]
    of_preset = [line for line in lines if "--preset" in line]
    assert len(of_preset) == 5
    assert all(line.startswith('  "--preset=[') and "repvgg" in line for line in of_preset)
    assert [line for line in lines if "--json" in line and "=" in line.split("[")[0]] == []
