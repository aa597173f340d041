"""The words beside the gallery: what a mistake is, and what the difference on the bench looks like."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content

from tui.analysis.alterations.gallery import MISTAKES, obstacle
from tui.analysis.inquiry import Answers
from tui.analysis.progress import Doing, Failed
from tui.analysis.side import WrongSide
from tui.analysis.verdict.in_words import percent
from tui.analysis.verdict.reason import Ruling
from tui.views.shared.styles import MUTED

if TYPE_CHECKING:
    from tui.analysis.likeness.found import Likenesses
    from tui.analysis.study import Study

_RIGHTLY = (
    "Each branch becomes a kernel of the fused one's size, its batch norm folded in, and the kernels and "
    "biases are added up. What differs then is rounding."
)


def words_on(name: str, study: Study, *, low: bool, with_story: bool) -> Content:
    """Everything about a mistake; on a `low` screen without blank lines between."""
    parts = [heading(name, study), *([story(name)] if with_story else []), signs(name)]
    return Content("\n" if low else "\n\n").join(parts)


def heading(name: str, study: Study) -> Content:
    """The mistake's title, and whether it is made, can be, or why it cannot."""
    made = study.alterations.mistake
    hindrance = obstacle(name, study.spec) if name else None
    if hindrance is not None:
        state = (f"\nnot on this block: {hindrance}", "$text-warning")
    elif name == made:
        by_hand = not name and study.in_effect.alters_fusion
        now = "● now, but for numbers set by hand" if by_hand else "● now"
        now = "not now: a finished kernel stands here" if study.verdict.stored is not None else now
        state = ("●\N{NO-BREAK SPACE}made" if name else now, "bold $text-primary")
    else:
        state = ("enter makes it" if name else "enter takes the mistake out", "$text-primary")
    title = MISTAKES[name].title if name else "fused rightly"
    return Content.assemble((title, "bold"), ("  " if hindrance is None else ""), state)


def story(name: str) -> Content:
    """What was done and why."""
    return Content(MISTAKES[name].story if name else _RIGHTLY)


def signs(name: str) -> Content:
    """What its error map looks like, which side is wrong if not the fused one, what would have hidden it."""
    if not name:
        return Content("")
    mistake = MISTAKES[name]
    shows = mistake.shows
    if mistake.side is not WrongSide.FUSED:  # no line of its own: the map below needs each row
        shows = f"{shows.removesuffix('.')}; the unfused run is wrong."
    return Content.assemble(("shows  ", MUTED), shows, "\n", ("hidden by  ", MUTED), mistake.hidden_by)


def findings(study: Study, answers: Answers) -> Content:
    """Where the two outputs differ, and which mistakes that looks like."""
    if study.verdict.ruling is not Ruling.WRONG:
        brought = study.verdict.stored is not None  # by its weights it is right, or nothing is known
        made = not brought and (study.in_effect.alters_fusion or study.in_effect.alters_run)
        words = (
            "hidden: this input and these parameters do not show it" if made else "nowhere beyond rounding"
        )
        return Content.assemble(("where  ", MUTED), (words, "bold $text-warning" if made else ""))
    match answers.likeness:
        case None:
            return Content("")
        case Doing(words):
            return Content.assemble(("looking closer  ", MUTED), f"{words} …")
        case Failed(words):
            return Content.assemble(("looks like  ", MUTED), ("not found out: ", "$text-error"), words)
        case found:
            return Content("\n").join([_where(found, study), _looks_like(found)])


def _where(found: Likenesses, study: Study) -> Content:
    stored = study.verdict.stored
    if stored is not None and not stored.agrees:
        return Content.assemble(("where  ", MUTED), (stored.where, "bold"), ", by its weights")
    if found.pattern is None:
        right = "the float64 run is right: no weight is wrong"
        hidden = "NaN or infinite values, behind which nothing can be compared"
        return Content.assemble(("where  ", MUTED), hidden if study.float64.non_finite else right)
    words = str(found.pattern)
    part = "" if "values" in words else f", {percent(found.pattern.share)}"
    return Content.assemble(("where  ", MUTED), (words, "bold"), part)


def _looks_like(found: Likenesses) -> Content:
    label = ("looks like  ", MUTED)
    if found.pattern is None:
        return Content.assemble(label, "no mistake of the gallery can be told")
    if found.found:
        parts = [Content.assemble((likeness.title, "bold"), likeness.extent) for likeness in found.found]
        return Content.assemble(label) + Content("; ").join(parts) + found.how_exactly
    none = Content.assemble(label, ("none of the gallery", "bold"))
    if found.nearest is None:
        return none
    nearest = Content.assemble((found.nearest.title, "bold"), found.nearest.extent)
    return none + Content.assemble(("; nearest: ", MUTED)) + nearest
