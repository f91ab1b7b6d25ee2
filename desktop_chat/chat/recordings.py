"""Recording the raw streams of answers into a folder, and letting a recording answer."""

from __future__ import annotations

import asyncio
import re
import time
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import Final

import msgspec

from desktop_chat.api.client import ChatClient
from desktop_chat.api.recording import Recording, ReplayTransport, StreamRecorder
from desktop_chat.domain.profiles import Dialect, Profile
from desktop_chat.domain.requests import Timeouts

SUFFIX: Final = ".sse"
_SLUG_LENGTH: Final = 40
_FOR_EVER: Final = Timeouts(connect=3600.0, first_payload=86_400.0, idle=86_400.0)
"""A recording is as slow as its server was, which once had more patience than the settings may give now."""


class RecordingFolder:
    """Where the raw streams of answers go, while recording is on; for this run only.

    Attributes:
        folder: ``None`` while nothing is recorded.
    """

    def __init__(self, now: Callable[[], time.struct_time] = time.localtime) -> None:
        self.folder: Path | None = None
        self._now = now

    def recorder(self, title: str) -> StreamRecorder | None:
        """The recorder of one answer in the conversation of this title; ``None`` while recording is off.

        The file is called ``<date>-<time>-<title>.sse``; none that exists is written over.
        """
        if self.folder is None:
            return None
        name = f"{time.strftime('%Y-%m-%d-%H%M%S', self._now())}-{slug(title)}".rstrip("-")
        return StreamRecorder(self.folder / f"{name}{SUFFIX}", replace=False)


class AnswerSource(msgspec.Struct, frozen=True):
    """Who answers one turn instead of the conversation's provider; the client is closed when the turn ends."""

    profile: Profile
    client: ChatClient


class Replay(msgspec.Struct, frozen=True, kw_only=True):
    """A recording that can answer.

    Attributes:
        name: of its file.
    """

    name: str
    recording: Recording

    @classmethod
    async def load(cls, path: Path) -> Replay:
        """Read the file in a thread. Raises ConfigurationError when it cannot be read."""
        return cls(name=path.name, recording=await asyncio.to_thread(Recording.load, path))

    @property
    def duration_s(self) -> float:
        """How long the recorded answer took; 0 for a file without times, which replays at once."""
        return self.recording.times_s[-1] if self.recording.times_s else 0.0

    def question(self, speed: float | None) -> str:
        """What stands in the conversation as the user's message."""
        how = ""
        if self.duration_s and speed != 1.0:
            how = ", all at once" if speed is None else f", {speed:g} times faster"
        return f"Replay of {self.name}{how}"

    def source(self, speed: float | None) -> AnswerSource:
        """The recording as the provider of one turn, through the same client as any other.

        Args:
            speed: 1 as recorded, 10 ten times faster, None at once.
        """
        url = "http://replay.invalid/v1"
        return AnswerSource(
            Profile(id="replay", name="Recording", base_url=url, default_model=self.name, needs_key=False),
            ChatClient(
                url,
                Dialect.OPENAI,
                timeouts=_FOR_EVER,
                transport=ReplayTransport(self.recording, speed=speed),
            ),
        )


def slug(title: str) -> str:
    """A title as part of a file's name: letters and digits of any script, joined by hyphens; may be empty."""
    words = re.findall(r"[^\W_]+", unicodedata.normalize("NFC", title).lower())
    return "-".join(words)[:_SLUG_LENGTH].rstrip("-")
