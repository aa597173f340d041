"""What follows the key that fuses all: the dialog, the fusing in a thread, the writing, the outcome."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from threading import Thread
from time import monotonic
from typing import TYPE_CHECKING

from textual.content import Content
from textual.screen import Screen

from tui.analysis.failure import sentence_of
from tui.checkpoints.contents import Checkpoint, Format
from tui.checkpoints.errors import CheckpointError
from tui.checkpoints.listing import Listing
from tui.export.saving import in_home
from tui.fusion.quoting import printable
from tui.running.background import iterate_in_thread
from tui.views.checkpoint.fused_view import FusedView, outcome
from tui.views.checkpoint.outline_rows import size_in_words

if TYPE_CHECKING:
    from tui.checkpoints.conversion.fused import FusedBlock, FusedCheckpoint, FusingBlock
    from tui.checkpoints.conversion.fused_file import FusedFile
    from tui.screens.dialogs.output_file import Output
    from tui.screens.dialogs.question import QuestionScreen

FORMATS = {"safetensors": ".safetensors", "torch": ".pt"}
"""The formats by name, and what files of each end in."""
SURE = 0.5
"""Seconds after which the time left is worth a word."""
EVERY = 0.1
"""Seconds from one word on the writing to the next."""


@dataclass(frozen=True)
class ToFuse:
    """What is to be fused, and how.

    Attributes:
        listing: the open checkpoint.
        eps_of: of the batch norms of blocks, by prefix, where it is not the family's.
        view: shows it.
    """

    listing: Listing
    eps_of: dict[str, float]
    view: FusedView


class _StoppedError(Exception):
    """The user stopped the writing."""


class _Written:
    """How much is written; ends the writing where the user stopped it."""

    def __init__(self) -> None:
        self.share, self.words, self.stopped = 0.0, "", False

    def __call__(self, done: int, of: int) -> None:
        self.share, self.words = done / max(of, 1), f"of {size_in_words(of)}"
        if self.stopped:
            raise _StoppedError


async def fuse_all(screen: Screen[None], to_fuse: ToFuse, show: Callable[[FusedView], object]) -> None:
    """Ask where to, fuse, verify and write; `show` has the view in sight when that begins.

    It must run in a worker; cancelling that stops it.
    """
    view = to_fuse.view
    output = await _asked(screen, to_fuse.listing)
    if output is None:
        return
    view.begin(to_fuse.eps_of)
    show(view)
    file = _file(to_fuse, output)
    try:
        fused = await _fused(to_fuse, output, file)
        where = await _written(screen, to_fuse, output, fused, file)
        view.end(outcome(fused, where))
    except Exception as error:
        view.end(Content.styled(_sentence(error), "bold $text-error"))
    finally:
        if view.is_fusing and view.is_attached:  # the worker was cancelled
            view.end(Content.styled("Stopped: nothing was written. F fuses again.", "bold"))
        if file is not None:  # what was written of gigabytes is given back in more than a moment
            Thread(target=file.discard, name="discard").start()


async def _asked(screen: Screen[None], listing: Listing) -> Output | None:
    from tui.screens.dialogs.output_file import OutputScreen  # not before the first paint

    source = listing.checkpoint
    format = source.format.value if source.format.value in FORMATS else "safetensors"
    blocks = len(listing.recognition.blocks) if listing.recognition else 0
    number = f"{blocks} block{'s' if blocks != 1 else ''}"
    words = f"{number} will be fused and verified, all other tensors are carried over."
    if screen.app.is_web:
        words += " The file is one of the machine that serves this page."
    path, refuse = _suggested(source.path, format), partial(_refusal, source)
    return await screen.app.push_screen_wait(
        OutputScreen("Fuse all", words, path, formats=FORMATS, format=format, refuse=refuse)
    )


def _refusal(source: Checkpoint, path: Path) -> str:
    """Why it cannot be the output, whatever is answered to a question; "" where it can."""
    from tui.checkpoints.writing import check_target

    try:
        check_target(source, path, replace=True)
    except CheckpointError as error:
        return _capital(sentence_of(error))
    return ""


def _file(to_fuse: ToFuse, output: Output) -> FusedFile | None:
    """What fused tensors are written into as they come; a file of torch is built as a whole."""
    from tui.checkpoints.conversion.fused_file import FusedFile

    recognition = to_fuse.listing.recognition
    if recognition is None or Format(output.format) is Format.TORCH:
        return None
    return FusedFile(to_fuse.listing.checkpoint, recognition, output.path, replace=output.replace)


def _suggested(path: Path, format: str) -> Path:
    stem = path.name.partition(".")[0] or "model"
    return path.parent / f"{stem}-fused{FORMATS[format]}"


async def _fused(to_fuse: ToFuse, output: Output, file: FusedFile | None) -> FusedCheckpoint:
    """Fuse block after block, and show each."""
    view, begin = to_fuse.view, monotonic()
    view.tell("fusing", 0)
    result: FusedCheckpoint | None = None
    async for step in iterate_in_thread(partial(_steps, to_fuse, output, file)):
        from tui.checkpoints.conversion.fused import FusedBlock, FusingBlock  # not before the first paint

        if isinstance(step, FusingBlock):
            share = step.done_bytes / max(step.all_bytes, 1)
            place = f"block {step.number} of {step.count}: {step.found.prefix}"
            view.tell("fusing", share, place, _left(share, monotonic() - begin))
        elif isinstance(step, FusedBlock):
            view.add(step)
        else:
            result = step
    assert result is not None  # it comes last
    view.show_fused(result)
    return result


def _left(share: float, seconds: float) -> float | None:
    """Seconds that it will still take; None while that is a guess."""
    return seconds / share * (1 - share) if share > 0 and seconds > SURE else None


def _steps(
    to_fuse: ToFuse, output: Output, file: FusedFile | None
) -> Iterator[FusingBlock | FusedBlock | FusedCheckpoint]:
    from tui.checkpoints.conversion.fusing import Wishes, fuse
    from tui.checkpoints.writing import check_target

    recognition = to_fuse.listing.recognition
    assert recognition is not None
    check_target(to_fuse.listing.checkpoint, output.path, replace=output.replace)
    jobs = min(2, max(1, (os.cpu_count() or 1) - 1))  # one is left to the screen, and few blocks fill memory
    wishes = Wishes(eps_of=to_fuse.eps_of, jobs=jobs, format=Format(output.format))
    if file is not None:
        file.begin()
    yield from fuse(to_fuse.listing.checkpoint, recognition, wishes, file)


async def _written(
    screen: Screen[None], to_fuse: ToFuse, output: Output, fused: FusedCheckpoint, file: FusedFile | None
) -> str:
    """Write it, after a question where a block is wrong or damaged; returns where it is, or why nowhere."""
    if not fused.blocks:
        return (
            "All was fused already: nothing was written." if fused.already_fused else "Nothing was written."
        )
    if (fused.wrong or fused.damaged) and not await screen.app.push_screen_wait(_question(fused)):
        return "Nothing was written."
    told = _Written()
    view = to_fuse.view
    timer = view.set_interval(EVERY, lambda: view.tell("writing", told.share, told.words))
    try:
        async for _ in iterate_in_thread(partial(_writing, to_fuse.listing, output, fused, file, told)):
            pass
    finally:
        told.stopped = True
        timer.stop()
    view.written = output.path
    folder = printable(in_home(output.path.absolute().parent))
    beside = "".join(f" {words[:1].upper()}{printable(words[1:])}." for words in fused.beside_in_words)
    return f"Written: {printable(output.path.name)} in {folder}.{beside}"


def _writing(
    listing: Listing, output: Output, fused: FusedCheckpoint, file: FusedFile | None, told: _Written
) -> Iterator[None]:
    from tui.checkpoints.conversion.fused_writing import write_fused

    write_fused(
        listing.checkpoint,
        fused,
        output.path,
        replace=output.replace,
        wrong_too=True,
        progress=told,
        output=file,
    )
    yield None


def _question(fused: FusedCheckpoint) -> QuestionScreen:
    from tui.screens.dialogs.question import QuestionScreen

    counts = {"wrong or not finite": len(fused.wrong), "damaged and left as they are": len(fused.damaged)}
    told = [f"{number} {words}" for words, number in counts.items() if number]
    words = f"Blocks: {', '.join(told)}: see the list."
    return QuestionScreen("Write it all the same?", words, "write it", "write nothing")


def _sentence(error: BaseException) -> str:
    return f"{_capital(sentence_of(error))} Nothing was written."


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]
