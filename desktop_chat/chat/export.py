"""A conversation as a document of its own: Markdown, or one HTML page that needs nothing else; and saving documents."""

from __future__ import annotations

import asyncio
import errno
import os
import re
import tempfile
from collections.abc import AsyncIterator, Callable
from datetime import datetime
from functools import partial
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Final

from desktop_chat.domain.conversations import Conversation
from desktop_chat.domain.errors import StorageError
from desktop_chat.domain.messages import Message, MessageState, Role
from desktop_chat.storage.atomic_file import write_atomically

if TYPE_CHECKING:
    from desktop_chat.chat.library import Library

_BATCH: Final = 24
"""Messages that are in memory at once."""

_LONGEST_NAME: Final = 80
_NOT_IN_NAMES: Final = re.compile(r'[\x00-\x1f\x7f/\\:*?"<>|\u200b-\u200f\u202a-\u202e\u2066-\u2069]+')
_RESERVED: Final = re.compile(r"(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$)", re.IGNORECASE)
_FENCE: Final = re.compile(r" {0,3}(`{3,}|~{3,})")
_UNTITLED: Final = "Conversation"
_ENDINGS: Final = {
    MessageState.STREAMING: "Still being written at this moment",
    MessageState.STOPPED: "Stopped",
    MessageState.INTERRUPTED: "Interrupted",
}


def file_name(title: str, suffix: str) -> str:
    """A name that every file system takes, from a conversation's title; ``suffix`` without its dot."""
    name = " ".join(_NOT_IN_NAMES.sub(" ", title).split())[:_LONGEST_NAME].strip(" .")
    if not name or _RESERVED.match(name):
        name = f"{_UNTITLED} {name}".strip()
    return f"{name}.{suffix}"


async def messages_of(library: Library, conversation_id: int) -> AsyncIterator[Message]:
    """The shown branch from its beginning, of which only some messages are in memory."""
    stubs = await library.stubs(conversation_id)
    for first in range(0, len(stubs), _BATCH):
        for message in await library.messages([stub.id for stub in stubs[first : first + _BATCH]]):
            yield message


# --- Markdown ---------------------------------------------------------------------------------------------


async def as_markdown(conversation: Conversation, messages: AsyncIterator[Message]) -> AsyncIterator[str]:
    """The conversation in pieces: messages as they were written, under headings that say who and when."""
    yield f"# {_one_line(conversation.title) or _UNTITLED}\n"
    if facts := _facts(conversation):
        yield f"\n*{facts}*\n"
    async for message in messages:
        yield _markdown_message(message)


def _markdown_message(message: Message) -> str:
    moment = _moment(message.created_at)
    parts = [f"## {_who(message)}" + (f" ({moment})" if moment else "")]
    if message.reasoning:
        parts.append(
            f"<details>\n<summary>Reasoning</summary>\n\n{_with_closed_fences(message.reasoning)}\n\n</details>"
        )
    if message.text:
        parts.append(_with_closed_fences(message.text))
    for call in message.tool_calls:
        fence = "`" * max(3, _longest_run(call.arguments) + 1)
        parts.append(f"**Tool call:** {_one_line(call.name)}\n\n{fence}json\n{call.arguments}\n{fence}")
    if message.error is not None:
        words = f"{message.error.sentence} {message.error.advice}"
        parts.append(f"> **Error:** {_one_line(words)}")
    if message.state in _ENDINGS and message.error is None:
        parts.append(f"*{_ENDINGS[message.state]}*")
    return "\n" + "\n\n".join(parts) + "\n"


def _with_closed_fences(text: str) -> str:
    """``text`` with the fence closed that an answer cut short left open, or it would swallow what follows."""
    fence = ""
    for line in text.split("\n"):
        match = _FENCE.match(line)
        if match is None:
            continue
        mark = match.group(1)
        if not fence:
            fence = mark
        elif mark[0] == fence[0] and len(mark) >= len(fence) and not line.strip().strip(mark[0]):
            fence = ""
    text = text.strip("\n")
    return f"{text}\n{fence}" if fence else text


def _longest_run(text: str) -> int:
    return max((len(found) for found in re.findall("`+", text)), default=0)


# --- HTML -------------------------------------------------------------------------------------------------


async def as_html(conversation: Conversation, messages: AsyncIterator[Message]) -> AsyncIterator[str]:
    """The conversation in pieces: a page in light and dark, without scripts, that loads nothing from anywhere."""
    title = escape(_one_line(conversation.title) or _UNTITLED)
    yield _PAGE_BEGINS.format(title=title, style=_STYLE)
    yield f"<header>\n<h1>{title}</h1>\n<p>{escape(_facts(conversation))}</p>\n</header>\n"
    async for message in messages:
        yield _html_message(message)
        await asyncio.sleep(0)  # whoever else waits for the event loop comes between two messages
    yield "</main>\n</body>\n</html>\n"


def _html_message(message: Message) -> str:
    from desktop_chat.markup import to_html

    is_user = message.role is Role.USER
    heading = f"{escape(_who(message))} <time>{escape(_moment(message.created_at))}</time>"
    pieces = [f'<article class="{message.role.value}">\n<h2>{heading}</h2>\n']
    if message.reasoning:
        inner = to_html(message.reasoning)
        pieces.append(f"<details>\n<summary>Reasoning</summary>\n{inner}</details>\n")
    if is_user:
        pieces.append(f'<div class="typed">{escape(message.text)}</div>\n')
    elif message.text:
        pieces.append(to_html(message.text) + "\n")
    for call in message.tool_calls:
        pieces.append(f"<p>Tool call: <code>{escape(call.name)}</code></p>\n")
        pieces.append(f"<pre><code>{escape(call.arguments)}</code></pre>\n")
    if message.error is not None:
        pieces.append(
            f'<p class="error"><strong>{escape(message.error.sentence)}</strong> '
            f"{escape(message.error.advice)}</p>\n"
        )
    elif message.state in _ENDINGS:
        pieces.append(f'<p class="ending">{_ENDINGS[message.state]}</p>\n')
    return "".join((*pieces, "</article>\n"))


# --- words ------------------------------------------------------------------------------------------------


def _who(message: Message) -> str:
    if message.role is Role.USER:
        return "You"
    names = {Role.SYSTEM: "System", Role.TOOL: "Tool"}
    return names.get(message.role) or _one_line(message.model) or "Assistant"


def _moment(timestamp: float) -> str:
    if timestamp <= 0:
        return ""
    return datetime.fromtimestamp(timestamp).astimezone().strftime("%Y-%m-%d %H:%M")


def _facts(conversation: Conversation) -> str:
    return ", ".join(part for part in (_moment(conversation.created_at), conversation.model) if part)


def _one_line(text: str) -> str:
    return " ".join(text.split())


# --- saving -----------------------------------------------------------------------------------------------


async def check_place(path: Path) -> None:
    """Find out early whether a document can be saved as ``path``. Raises StorageError."""
    await _in_thread(path, partial(_try_folder, path))


async def save(path: Path, content: bytes) -> None:
    """Write a document, whole or not at all; one that was there keeps its permissions. Raises StorageError."""
    await _in_thread(path, partial(_save, path, content))


async def _in_thread(path: Path, work: Callable[[], None]) -> None:
    try:
        await asyncio.to_thread(work)
    except OSError as error:
        raise save_error(path, error) from error


def _try_folder(path: Path) -> None:
    if path.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    with tempfile.TemporaryFile(dir=path.resolve().parent):
        pass


def _save(path: Path, content: bytes) -> None:
    mode = path.stat().st_mode & 0o777 if path.exists() else 0o666 & ~_umask()
    write_atomically(path, content)
    path.chmod(mode)


def _umask() -> int:
    """What new files of this process may not have; it can only be read by setting it."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


def save_error(path: Path, error: OSError) -> StorageError:
    """What went wrong with saving ``path``, for people."""
    why, advice = "", "Choose another folder."
    match error.errno:
        case errno.EACCES | errno.EPERM:
            why = "you are not allowed to write there"
        case errno.EROFS:
            why = "that folder can only be read"
        case errno.ENOSPC | errno.EDQUOT:
            why, advice = "the disk is full", "Free some space, or choose a folder on another disk."
        case errno.ENOENT | errno.ENOTDIR:
            why = "the folder does not exist"
        case errno.EISDIR:
            why, advice = "there is a folder of this name", "Choose another name."
        case errno.ENAMETOOLONG:
            why, advice = "its name is too long", "Choose a shorter name."
        case _:
            why = error.strerror or str(error)
    return StorageError(str(error), sentence=f"“{path.name}” was not saved: {why}.", advice=advice)


_PAGE_BEGINS: Final = """<!DOCTYPE html>
<html lang="">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="generator" content="Desktop Chat">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="color-scheme" content="light dark">
<title>{title}</title>
<style>
{style}</style>
</head>
<body>
<main>
"""

_STYLE: Final = """\
:root { --page: #fff; --text: #1f1f1d; --quiet: #696862; --line: #e5e4df; --card: #f2f2ef; --code: #f8f8f6;
  --link: #2f4cc0; --error: #b3261e; --error-card: #fdf3f2; }
@media (prefers-color-scheme: dark) {
  :root { --page: #1c1c1b; --text: #e8e7e3; --quiet: #9b9a94; --line: #343432; --card: #2a2a28; --code: #232322;
    --link: #9db1ff; --error: #ff9c93; --error-card: #2e1f1e; } }
body { margin: 0; background: var(--page); color: var(--text);
  font: 16px/1.6 Inter, system-ui, "Segoe UI", Roboto, "Helvetica Neue", sans-serif; }
main { max-width: 46rem; margin: 0 auto; padding: 2.5rem 1.25rem 4rem; overflow-wrap: break-word; }
header { border-bottom: 1px solid var(--line); margin-bottom: 2rem; }
header h1 { font-size: 1.6rem; line-height: 1.3; margin: 0; }
header p, time, summary, .ending { color: var(--quiet); font-size: .875rem; font-weight: 400; }
header p { margin: .5rem 0 1rem; }
article { margin: 0 0 2rem; }
article > h2:first-child { font-size: .875rem; margin: 0 0 .5rem; }
time { margin-left: .5rem; }
article h1 { font-size: 1.5rem; } article h2 { font-size: 1.25rem; } article h3 { font-size: 1.1rem; }
h1, h2, h3, h4 { line-height: 1.35; margin: 1.5rem 0 .5rem; break-after: avoid; }
.typed { white-space: pre-wrap; background: var(--card); border-radius: 1rem; padding: .75rem 1rem; }
a { color: var(--link); }
pre { background: var(--code); border: 1px solid var(--line); border-radius: .5rem; padding: .75rem 1rem;
  overflow-x: auto; font-size: .875rem; line-height: 1.55; }
code { font-family: "JetBrains Mono", ui-monospace, Consolas, Menlo, monospace; font-size: .875em; }
pre code { font-size: inherit; }
:not(pre) > code { background: var(--card); border-radius: .25rem; padding: .1em .3em; }
blockquote { margin: 1rem 0; padding-left: 1rem; border-left: 3px solid var(--line); color: var(--quiet); }
table { display: block; overflow-x: auto; border-collapse: collapse; }
th, td { border-bottom: 1px solid var(--line); padding: .4rem .75rem; vertical-align: top; }
th:not([align]) { text-align: left; }
hr { border: 0; border-top: 1px solid var(--line); margin: 1.5rem 0; }
details { border-left: 2px solid var(--line); padding-left: 1rem; margin: .5rem 0; color: var(--quiet); }
.image { color: var(--quiet); }
.error { background: var(--error-card); border-radius: .5rem; padding: .75rem 1rem; }
.error strong { color: var(--error); }
@media print { pre { white-space: pre-wrap; } .typed, pre { break-inside: auto; } main { max-width: none; } }
"""
