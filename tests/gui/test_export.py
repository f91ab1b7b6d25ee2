"""A whole conversation on paper and in files: everything is in it, nothing half remains, and the window stays alive."""

from __future__ import annotations

import asyncio
import errno
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from pdf_text import page_texts
from PySide6.QtCore import QTimer
from PySide6.QtPrintSupport import QPrintDialog, QPrinter
from PySide6.QtWidgets import QApplication, QFileDialog

from desktop_chat.chat.export import save_error
from desktop_chat.chat.launch import WindowOptions
from desktop_chat.domain.conversations import Conversation
from desktop_chat.domain.errors import StreamInterruptedError
from desktop_chat.domain.messages import Message, MessageState, Role, ToolCall
from desktop_chat.storage.conversations import ConversationStore
from desktop_chat.storage.paths import DataPaths
from desktop_chat.ui import application
from desktop_chat.ui.export_commands import ExportCommands
from desktop_chat.ui.main_window import MainWindow
from desktop_chat.ui.notices import Banner
from desktop_chat.ui.program import Program
from desktop_chat.ui.transcript.printing import Sheet, written_pdf

PATIENCE_S = 60.0
CODE = "\n".join(f"line_{number} = {number}" for number in range(90))
WIDE = "value_" * 40
ANSWER = f"""\
## A heading

A paragraph with **strong** words and a formula $x^2$.

| Name | Value |
|---|---|
| left | right |

```python
{CODE}
endless = "{WIDE}end"
```

Last words.
"""


async def until(condition: Callable[[], Any], what: str) -> None:
    for _ in range(int(PATIENCE_S / 0.01)):
        if condition():
            return
        await asyncio.sleep(0.01)
    pytest.fail(f"waited in vain for {what}")


def names_in(folder: Path) -> set[str]:
    return {found.name for found in folder.iterdir()}


def conversation_of(count: int) -> list[Message]:
    """Questions and answers in turn, each with its number."""
    found = []
    for number in range(1, count + 1):
        is_user = number % 2 == 1
        found.append(
            Message(
                id=number,
                conversation_id=1,
                parent_id=number - 1 or None,
                role=Role.USER if is_user else Role.ASSISTANT,
                text=f"Question {number}?" if is_user else f"Answer {number}.\n\n- one\n- two",
                model="" if is_user else "model-x",
                created_at=1_790_000_000.0 + number,
            )
        )
    return found


async def each(messages: Sequence[Message]) -> AsyncIterator[Message]:
    for message in messages:
        yield message


async def pdf_of(messages: Sequence[Message], opened: frozenset[int] = frozenset()) -> list[str]:
    sheet = Sheet("The title", "the subtitle", opened, lambda _number: None)
    return page_texts(await written_pdf(sheet, each(messages)))


def answer(text: str, **changes: Any) -> Message:
    return Message(id=2, conversation_id=1, parent_id=None, role=Role.ASSISTANT, text=text, **changes)


# --- pages ------------------------------------------------------------------------------------------------


async def test_code_is_unfolded_and_its_long_lines_are_wrapped() -> None:
    text = "".join(await pdf_of([answer(ANSWER)]))
    assert "line_0 = 0" in text
    assert "line_89 = 89" in text
    assert f'{WIDE}end"' in text  # what is cut off at the edge is not painted
    assert "Show less" not in text


async def test_pages_are_numbered_under_the_title() -> None:
    pages = await pdf_of([answer(ANSWER), answer(ANSWER)])
    assert len(pages) > 3
    assert "the subtitle" in pages[0]
    for number, text in enumerate(pages, 1):
        assert text.endswith(f"{number}The title")


async def test_a_heading_is_never_the_last_thing_on_a_page() -> None:
    text = "\n\n".join(f"Text {number}\n\n### Heading-{number}.\n\nBody {number}" for number in range(200))
    for page in await pdf_of([answer(text)]):
        body = page.removesuffix("The title").rstrip("0123456789")
        assert not body.endswith(".")


async def test_what_went_wrong_and_what_a_tool_was_asked_is_printed() -> None:
    failed = answer(
        "Half an answer",
        state=MessageState.INTERRUPTED,
        error=StreamInterruptedError("reset").report(),
        tool_calls=(ToolCall(id="1", name="look_up", arguments='{"word": "tern"}'),),
    )
    text = "".join(await pdf_of([failed, answer("Cut", state=MessageState.STOPPED)]))
    assert "The connection ended before the answer was complete." in text
    assert "look_up" in text
    assert '"tern"' in text
    assert "Stopped" in text
    assert "What arrived is kept." in text
    assert "egenerate" not in text  # which paper cannot


async def test_an_answer_that_still_grows_is_printed_as_far_as_it_is() -> None:
    text = "".join(await pdf_of([answer("Half a sen", state=MessageState.STREAMING)]))
    assert "Half a sen" in text
    assert "Still being written at this moment" in text


async def test_reasoning_is_printed_where_the_reader_has_it_open() -> None:
    thoughtful = answer("Said.", reasoning="Thought before.")
    assert "Thought before." not in "".join(await pdf_of([thoughtful]))
    assert "Thought before." in "".join(await pdf_of([thoughtful], frozenset({2})))


async def test_all_columns_of_a_wide_table_are_printed() -> None:
    columns = [f"column{number}" for number in range(40)]
    table = f"|{'|'.join(columns)}|\n|{'-|' * 40}\n|{'|'.join(f'cell{n}' for n in range(40))}|\n"
    text = "".join(await pdf_of([answer(table)]))
    assert [column for column in columns if column not in text] == []
    assert "cell39" in text


async def test_the_rows_of_a_long_table_have_their_header_on_each_page() -> None:
    rows = "".join(f"| row{number} | {number} |\n" for number in range(120))
    pages = await pdf_of([answer(f"| Header | Number |\n|---|---|\n{rows}")])
    assert len(pages) > 2
    assert all("Header" in page for page in pages)
    assert all(f"row{number}" in "".join(pages) for number in range(120))


async def test_only_the_wanted_pages_are_painted() -> None:
    sheet = Sheet("Title", "", frozenset(), lambda _number: None, 2, 3)
    pages = page_texts(await written_pdf(sheet, each([answer(ANSWER)] * 4)))
    assert [text.removesuffix("Title")[-1] for text in pages] == ["2", "3"]


# --- the program ------------------------------------------------------------------------------------------


class Run:
    def __init__(self, qapp: QApplication, folder: Path) -> None:
        opened = application.open_main_window(qapp, folder)
        self.window: MainWindow = opened[0]
        self.program = Program(WindowOptions(data_dir=folder), *opened)
        self.ended = asyncio.ensure_future(self.program.main())

    @property
    def commands(self) -> ExportCommands:
        found = self.window.findChild(ExportCommands)
        assert found is not None
        return found

    @property
    def shown(self) -> Conversation:
        assert self.program.controller is not None
        found = self.program.controller.conversations.conversation(
            self.program.controller.view.conversation_id
        )
        assert found is not None
        return found

    async def export(self, name: str, path: Path) -> None:
        self.commands.export(name, self.shown, path)
        await until(lambda: self.commands.task is None, "the export's end")


Open = Callable[[Sequence[Message]], Awaitable[Run]]


@pytest.fixture
async def open_with(qapp: QApplication, tmp_path: Path) -> AsyncIterator[Open]:
    """The program with one conversation, which it shows."""
    runs: list[Run] = []

    async def begin(messages: Sequence[Message]) -> Run:
        paths = DataPaths.choose(tmp_path / "data")
        paths.create()
        store = await ConversationStore.open(paths.database)
        made = Conversation(id=1, title="Terns & <gulls>: a/b", model="model-x", created_at=1_790_000_000.0)
        conversation = await store.import_conversation(made, messages)
        await store.close()
        run = Run(qapp, tmp_path / "data")
        runs.append(run)
        await until(
            lambda: run.program.controller is not None and run.window.composer.is_ready, "the program"
        )
        assert run.program.controller is not None
        await run.program.controller.open(conversation.id)
        return run

    yield begin
    for run in runs:
        run.window.close()
        await asyncio.wait_for(run.ended, 10)
    await asyncio.sleep(0)
    qapp.setStyleSheet("")


async def test_every_message_is_in_the_pdf_though_few_are_loaded(open_with: Open, tmp_path: Path) -> None:
    run = await open_with(conversation_of(120))
    path = tmp_path / "out.pdf"
    await run.export("export_pdf", path)
    text = "".join(page_texts(path.read_bytes()))
    for number in range(1, 121):
        assert (f"Question {number}?" if number % 2 else f"Answer {number}.") in text
    assert "You" in text
    assert "model-x" in text
    assert run.window.toast.text == "“out.pdf” was saved."
    assert path.stat().st_mode & 0o200
    assert names_in(tmp_path) == {"data", "out.pdf"}


async def test_the_window_stays_alive_while_a_long_pdf_is_written(open_with: Open, tmp_path: Path) -> None:
    run = await open_with(conversation_of(400))
    turns = []
    timer = QTimer(run.window, interval=0)
    timer.timeout.connect(lambda: turns.append(run.commands.task is not None))
    timer.start()
    await run.export("export_pdf", tmp_path / "out.pdf")
    timer.stop()
    pages = page_texts((tmp_path / "out.pdf").read_bytes())
    assert turns.count(True) > len(pages) > 20  # at least one turn of the event loop a page


async def test_cancelling_leaves_nothing(open_with: Open, tmp_path: Path) -> None:
    run = await open_with(conversation_of(1000))
    path = tmp_path / "out.pdf"
    path.write_bytes(b"as before")
    run.commands.export("export_pdf", run.shown, path)
    await until(lambda: run.window.findChild(Banner, "exportBanner"), "the progress")
    banner = run.window.findChild(Banner, "exportBanner")
    assert banner is not None
    await until(lambda: "page" in banner.sentence, "the first page")
    assert banner.sentence.startswith("Writing PDF, page ")
    run.commands.cancel()
    await until(lambda: run.commands.task is None, "the end")
    assert path.read_bytes() == b"as before"
    assert names_in(tmp_path) == {"data", "out.pdf"}
    assert run.window.toast.text == "Cancelled."
    assert banner not in run.window.banners


async def test_a_folder_that_is_gone_is_said_before_the_work(open_with: Open, tmp_path: Path) -> None:
    run = await open_with(conversation_of(2))
    await run.export("export_pdf", tmp_path / "gone" / "out.pdf")
    assert run.window.banners[-1].sentence == "“out.pdf” was not saved: the folder does not exist."


@pytest.mark.parametrize(
    ("number", "words"),
    [(errno.EACCES, "not allowed"), (errno.EROFS, "only be read"), (errno.ENOSPC, "disk is full")],
)
def test_a_refusal_of_the_disk_is_told_in_words(number: int, words: str) -> None:
    error = save_error(Path("/x/out.pdf"), OSError(number, "as the system says"))
    assert words in error.sentence
    assert error.advice


async def test_the_dialog_proposes_a_name_and_remembers_the_folder(open_with: Open, tmp_path: Path) -> None:
    run = await open_with(conversation_of(2))
    run.window.export_folder = str(tmp_path)
    run.window.actions_["export_markdown"].trigger()
    dialog = run.window.findChild(QFileDialog, "exportDialog")
    assert dialog is not None
    assert [Path(name).name for name in dialog.selectedFiles()] == ["Terns & gulls a b.md"]
    assert dialog.directory().absolutePath() == str(tmp_path)
    dialog.accept()
    await until((tmp_path / "Terns & gulls a b.md").exists, "the file")
    await until(lambda: run.commands.task is None, "the end")
    text = (tmp_path / "Terns & gulls a b.md").read_text("utf-8")
    assert text.startswith("# Terns & <gulls>: a/b\n")
    assert "Answer 2.\n\n- one\n- two" in text


async def test_html_is_one_page_that_loads_nothing(open_with: Open, tmp_path: Path) -> None:
    hostile = "![x](https://evil.example/x.png) <script>alert(1)</script>"
    messages = conversation_of(2)
    messages.append(Message(id=3, conversation_id=1, parent_id=2, role=Role.USER, text="<b>typed</b>"))
    messages.append(Message(id=4, conversation_id=1, parent_id=3, role=Role.ASSISTANT, text=hostile))
    run = await open_with(messages)
    await run.export("export_html", tmp_path / "out.html")
    page = (tmp_path / "out.html").read_text("utf-8")
    assert "<title>Terns &amp; &lt;gulls&gt;: a/b</title>" in page
    assert "&lt;b&gt;typed&lt;/b&gt;" in page
    assert "default-src 'none'" in page
    assert "prefers-color-scheme: dark" in page
    assert not [tag for tag in ("<script", "<img", "<link", "src=", "url(", "@import") if tag in page]


async def test_printing_to_a_file_takes_the_dialogs_page(open_with: Open, tmp_path: Path) -> None:
    run = await open_with(conversation_of(80))
    run.window.actions_["print"].trigger()
    dialog = run.window.findChild(QPrintDialog, "printDialog")
    assert dialog is not None
    assert dialog.isVisible()
    dialog.reject()
    printer = QPrinter(QPrinter.PrinterMode.HighResolution)
    printer.setOutputFormat(QPrinter.OutputFormat.PdfFormat)
    printer.setOutputFileName(str(tmp_path / "printed.pdf"))
    run.commands.print_on(printer, run.shown)
    await until(lambda: run.commands.task is None, "the end")
    assert "Answer 80." in "".join(page_texts((tmp_path / "printed.pdf").read_bytes()))


async def test_there_must_be_something_to_export(open_with: Open) -> None:
    run = await open_with(conversation_of(2))
    assert run.program.controller is not None
    await run.program.controller.open(0)
    assert not run.window.actions_["export_pdf"].isEnabled()
    run.window.actions_["export_pdf"].trigger()
    assert run.window.findChild(QFileDialog) is None


def test_printing_costs_the_start_nothing() -> None:
    code = (
        "import sys, desktop_chat.ui.program\n"
        "sys.exit(any(name in sys.modules for name in ('PySide6.QtPrintSupport', 'desktop_chat.api.images')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
