"""An open store in a folder of its own, and shorthands that read like a conversation."""

from __future__ import annotations

import os
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from desktop_chat.storage.conversations import ConversationStore


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "conversations.db"


@pytest_asyncio.fixture
async def store(database: Path) -> AsyncIterator[ConversationStore]:
    opened = await ConversationStore.open(database)
    yield opened
    await opened.close()


@pytest.fixture
def unprivileged_folder() -> Iterator[Path]:
    """A folder of a user for whom permissions count; root is put into another user's place meanwhile."""
    if os.name != "posix":
        pytest.skip("permissions of this kind exist on POSIX systems only")
    with tempfile.TemporaryDirectory(prefix="desktop-chat-") as name:
        folder = Path(name)
        root = os.geteuid() == 0
        if root:
            os.chown(folder, 65534, 65534)
            os.seteuid(65534)
        try:
            yield folder
        finally:
            if root:
                os.seteuid(0)
            folder.chmod(0o700)
