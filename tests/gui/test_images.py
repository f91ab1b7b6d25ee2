"""Images of answers: nothing until somebody asks, then that image, in its place, for this run."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from image_server import ImageServer, png
from PySide6.QtCore import QBuffer, QIODevice, QPoint, QPointF, Qt
from PySide6.QtGui import QColor, QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QFileDialog, QMessageBox, QPushButton
from pytestqt.qtbot import QtBot

from desktop_chat.domain.deltas import TextDelta
from desktop_chat.domain.errors import ErrorReport, ProtocolError
from desktop_chat.domain.messages import Message, MessageState, Role
from desktop_chat.ui.appearance import Appearance
from desktop_chat.ui.conversation_model import ConversationModel
from desktop_chat.ui.event_loop import Tasks
from desktop_chat.ui.image_commands import ImageCommands
from desktop_chat.ui.main_window import MainWindow
from desktop_chat.ui.transcript.menu import open_menu
from desktop_chat.ui.transcript.model import stub_of
from desktop_chat.ui.transcript.printing import Sheet, written_pdf
from desktop_chat.ui.transcript.shown_images import TALLEST, Phase, ShownImages, decoded, hint
from desktop_chat.ui.transcript.text_run import TextRun
from desktop_chat.ui.transcript.view import TranscriptView

PATIENCE_S = 20.0


async def until(condition: Callable[[], Any], what: str) -> None:
    for _ in range(int(PATIENCE_S / 0.01)):
        if condition():
            return
        await asyncio.sleep(0.01)
    pytest.fail(f"waited in vain for {what}")


@pytest.fixture
async def server() -> AsyncIterator[ImageServer]:
    async with ImageServer() as running:
        yield running


@pytest.fixture
def problems() -> list[ErrorReport]:
    return []


class Reader:
    """A window with a transcript, and who reads it."""

    def __init__(self, qtbot: QtBot, qapp: QApplication, problems: list[ErrorReport]) -> None:
        self.window = MainWindow(Appearance(qapp), ConversationModel(qapp))
        self.view = TranscriptView()
        self.window.install_transcript(self.view)
        self.window.show_transcript()
        self.commands = ImageCommands(self.window, self.view, Tasks(problems.append))
        qtbot.addWidget(self.window)
        self.window.resize(1000, 700)
        self.window.show()

    def read(self, *texts: str) -> None:
        messages = [
            Message(id=number, conversation_id=1, parent_id=None, role=Role.ASSISTANT, text=text)
            for number, text in enumerate(texts, 1)
        ]
        self.view.model.reset([stub_of(each) for each in messages], messages)
        QApplication.processEvents()

    def place_of_image(self) -> QPoint:
        """The middle of the first image, in the viewport."""
        view = self.view
        for row, layout in view.stack.laid_out():
            for index, entry in enumerate(layout.column.entries):
                for placed in entry.box.runs() if entry.box is not None else ():
                    if not isinstance(placed.run, TextRun) or not placed.run.content.objects:
                        continue
                    first = placed.run.units(placed.run.content.objects[0].position)
                    area = next(placed.run.rects(first, first + 1))
                    left, top = layout.box_place(index)
                    x = view.column_left + left + placed.x + area.center().x()
                    y = view.stack.message_top(row) - view.top + top + placed.y + area.center().y()
                    return QPoint(round(x), round(y))
        pytest.fail("no image is laid out")

    def press(self) -> None:
        QTest.mouseClick(self.view.viewport(), Qt.MouseButton.LeftButton, pos=self.place_of_image())

    async def agree(self, *, yes: bool = True) -> str:
        """Answer the question; returns what it says."""
        await until(self.question, "the question")
        box = self.question()
        assert box is not None
        words = f"{box.text()} {box.informativeText()}"
        wanted = "Show image" if yes else "Cancel"
        button = next(each for each in box.findChildren(QPushButton) if each.text() == wanted)
        button.click()
        await until(lambda: self.question() is not box, "the question's end")
        return words

    def question(self) -> QMessageBox | None:
        return self.window.findChild(QMessageBox, "imageQuestion")

    async def show(self, address: str) -> Phase:
        """Press the image at ``address``, agree to its host, and wait until it is shown or failed."""
        self.press()
        await self.agree()
        await until(lambda: self.phase(address) in {Phase.SHOWN, Phase.FAILED}, "the image")
        return self.phase(address)

    def phase(self, address: str) -> Phase:
        return self.view.images.image(address).phase

    def entries(self, at: QPoint | None = None, row: int | None = None) -> list[str]:
        menu = open_menu(self.view, at or QPoint(-5, -5), row)
        texts = [action.text() for action in menu.actions()]
        menu.close()
        return texts


@pytest.fixture
def reader(qtbot: QtBot, qapp: QApplication, problems: list[ErrorReport]) -> Iterator[Reader]:
    yield Reader(qtbot, qapp, problems)
    qapp.setStyleSheet("")


async def test_an_image_is_fetched_when_it_is_pressed_and_not_before(
    reader: Reader, server: ImageServer
) -> None:
    address = f"{server.address}/a.png"
    reader.read(f"Before\n\n![A chart]({address})\n\nAfter")
    low = reader.view.stack.height
    QTest.mouseMove(reader.view.viewport(), reader.place_of_image())
    reader.view.pointer.moved(QPointF(reader.place_of_image()))
    assert "Show image from 127.0.0.1" in reader.view.pointer._tip
    reader.view.select_all()
    reader.view.copy_as("rich")
    reader.view.grab()
    sheet = Sheet("T", "", frozenset(), lambda _number: None, images=reader.view.images)

    async def printed() -> AsyncIterator[Message]:
        yield Message(
            id=1, conversation_id=1, parent_id=None, role=Role.ASSISTANT, text=f"![A chart]({address})"
        )

    assert b"/Subtype /Image" not in await written_pdf(sheet, printed())
    reader.view.reading.select(None)
    assert server.requests == []

    words = await _pressed_and_agreed(reader)
    assert "127.0.0.1" in words
    assert "this computer or its network" in words
    await until(lambda: reader.phase(address) is Phase.SHOWN, "the image")
    assert len(server.requests) == 1
    assert reader.view.stack.height > low + 50
    assert reader.view.grab().toImage().pixelColor(reader.place_of_image()) == QColor("#808080")
    assert b"/Subtype /Image" in await written_pdf(sheet, printed())
    assert len(server.requests) == 1


async def _pressed_and_agreed(reader: Reader) -> str:
    reader.press()
    return await reader.agree()


async def test_without_consent_this_computer_is_not_called(reader: Reader, server: ImageServer) -> None:
    address = f"{server.address}/a.png"
    reader.read(f"![A chart]({address})")
    reader.press()
    await reader.agree(yes=False)
    assert reader.phase(address) is Phase.PLACEHOLDER
    assert server.requests == []


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/none.png", "no such image"),
        ("/svg.png", "SVG images are not shown"),
        ("/bomb.png", "too large: 50,000 × 50,000 pixels"),
        ("/cut.png", "damaged"),
    ],
)
async def test_a_failure_says_why_and_can_be_tried_again(
    reader: Reader, server: ImageServer, path: str, words: str
) -> None:
    address = server.address + path
    reader.read(f"![A chart]({address})")
    assert await reader.show(address) is Phase.FAILED
    assert words in reader.view.images.image(address).reason
    assert await reader.show(address) is Phase.FAILED
    assert len(server.requests) == 2


async def test_another_host_is_asked_for_by_name(reader: Reader, server: ImageServer) -> None:
    address = f"{server.address}/elsewhere"
    reader.read(f"![A chart]({address})")
    reader.press()
    await reader.agree()
    words = await reader.agree()
    assert "Show the image from localhost?" in words
    assert "127.0.0.1 sends the request on to localhost" in words
    await reader.agree()  # which is this computer as well
    await until(lambda: reader.phase(address) is Phase.SHOWN, "the image")


async def test_large_images_fit_the_column(reader: Reader, server: ImageServer) -> None:
    wide, tall = f"{server.address}/wide.png", f"{server.address}/tall.png"
    reader.read(f"![Wide]({wide})")
    low = reader.view.stack.height
    assert await reader.show(wide) is Phase.SHOWN
    width = reader.view.stack.width
    assert abs(reader.view.stack.height - low - width // 5) < 30
    reader.read(f"![Tall]({tall})")
    assert await reader.show(tall) is Phase.SHOWN
    assert abs(reader.view.stack.height - low - TALLEST) < 30


async def test_what_is_read_stays_in_place(reader: Reader, server: ImageServer) -> None:
    address = f"{server.address}/held.png"
    reader.read(f"![A chart]({address})", *[f"Paragraph {n}\n\nand another" for n in range(60)])
    reader.view.go_to_start()
    reader.press()
    await reader.agree()
    await until(lambda: server.requests, "the request")
    view = reader.view
    view.scroll_to_message(8)
    before = view.stack.message_top(7) - view.top
    height = view.stack.height
    server.release.set()
    await until(lambda: reader.phase(address) is Phase.SHOWN, "the image")
    assert view.stack.message_top(7) - view.top == before
    view.go_to_start()
    assert view.stack.height > height


async def test_an_answer_that_grows_keeps_its_image(reader: Reader, server: ImageServer) -> None:
    address = f"{server.address}/a.png"
    growing = Message(
        id=1, conversation_id=1, parent_id=None, role=Role.ASSISTANT, text="", state=MessageState.STREAMING
    )
    view = reader.view
    view.model.reset([stub_of(growing)], [growing])
    view.model.append_delta(1, TextDelta(f"Look: ![A chart]({address}) and"))
    view.clock.flush_all()
    assert await reader.show(address) is Phase.SHOWN
    high = view.stack.height
    view.model.append_delta(1, TextDelta(" more.\n\nThe next paragraph"))
    view.clock.flush_all()
    assert view.stack.height > high
    assert len(server.requests) == 1


async def test_the_menu_hides_copies_and_saves(
    reader: Reader, server: ImageServer, tmp_path: Path, qapp: QApplication
) -> None:
    address = f"{server.address}/a.png"
    reader.read(f"![A chart]({address})")
    assert reader.entries(reader.place_of_image(), 0)[:2] == [
        "Show image from 127.0.0.1",
        "Copy image address",
    ]
    assert reader.entries(row=0)[0] == "Show image from 127.0.0.1"  # by keyboard, on the message
    assert await reader.show(address) is Phase.SHOWN
    assert reader.entries(reader.place_of_image(), 0)[:3] == ["Hide image", "Copy image", "Save image as…"]
    reader.commands.act("copy", address)
    await until(lambda: reader.window.toast.text == "Copied", "the copy")
    assert qapp.clipboard().image().size().toTuple() == (200, 100)

    reader.window.export_folder = str(tmp_path)
    reader.commands.act("save", address)
    dialog = reader.window.findChild(QFileDialog, "saveImageDialog")
    assert dialog is not None
    dialog.accept()
    await until(lambda: reader.window.toast.text == "“a.png” was saved.", "the file")
    assert (tmp_path / "a.png").read_bytes() == png(200, 100)

    reader.commands.act("hide", address)
    assert reader.phase(address) is Phase.PLACEHOLDER
    reader.press()
    assert reader.phase(address) is Phase.SHOWN
    assert len(server.requests) == 1


async def test_an_image_within_the_answer_is_shown_without_a_question(reader: Reader) -> None:
    address = "data:image/png;base64," + base64.b64encode(png(60, 40)).decode()
    reader.read(f"![Dot]({address})")
    reader.press()
    await until(lambda: reader.phase(address) is Phase.SHOWN, "the image")
    assert reader.question() is None


def test_other_addresses_are_not_offered(reader: Reader) -> None:
    reader.read("![a](file:///etc/passwd)")
    reader.press()
    assert reader.phase("file:///etc/passwd") is Phase.PLACEHOLDER
    assert reader.entries(reader.place_of_image(), 0)[0] == "Copy image address"
    assert reader.entries(row=0)[0] == "Copy"


def test_the_images_kept_are_bounded(qapp: QApplication) -> None:
    images = ShownImages(kept_bytes=30_000)
    picture = QImage(50, 50, QImage.Format.Format_RGB32)
    for number in range(5):
        images.show(f"https://a/{number}", picture, b"x" * 100, "png")
    kept = [number for number in range(5) if images.image(f"https://a/{number}").phase is Phase.SHOWN]
    assert kept == [3, 4]


def test_a_photograph_is_turned_and_reduced(qapp: QApplication) -> None:
    photo = QImage(4000, 3000, QImage.Format.Format_RGB32)
    photo.fill(QColor("#336699"))
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    photo.save(buffer, "JPEG")  # type: ignore[call-overload]  # the stub wants bytes, Qt a string
    data = bytes(buffer.data().data())
    assert decoded(data, "jpeg").size().toTuple() == (1280, 960)
    assert decoded(data, "jpeg", whole=True).size().toTuple() == (4000, 3000)
    with pytest.raises(ProtocolError):
        decoded(data, "png")


def test_an_address_in_a_tooltip_is_text() -> None:
    assert "<img" not in hint("https://a/<img src=file:///etc/passwd>")
