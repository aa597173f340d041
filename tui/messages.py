"""What a running study tells the app; each message carries its request's serial number."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.message import Message

if TYPE_CHECKING:  # Study stands on torch, which comes after the first paint
    from tui.analysis.progress import Progress
    from tui.analysis.study import Study


class StudyMessage(Message):
    """News of request number `serial`; stale once a newer request is out."""

    def __init__(self, serial: int) -> None:
        super().__init__()
        self.serial = serial


class StudyProgressed(StudyMessage):
    """The study begins its next piece of work."""

    def __init__(self, serial: int, progress: Progress) -> None:
        super().__init__(serial)
        self.progress = progress


class StudyFinished(StudyMessage):
    """The study has its result."""

    def __init__(self, serial: int, study: Study) -> None:
        super().__init__(serial)
        self.study = study


class StudyFailed(StudyMessage):
    """The study broke off; `error` says why, in words."""

    def __init__(self, serial: int, error: str) -> None:
        super().__init__(serial)
        self.error = error
