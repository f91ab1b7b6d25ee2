"""``desktop-chat ask``: one turn without a window, through the same session, store and client."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Final

import msgspec

from desktop_chat.chat.handlers import Outcome, StreamContext, StreamHandler, StreamResult
from desktop_chat.chat.launch import ExitStatus
from desktop_chat.chat.library import Library
from desktop_chat.chat.preferences import Preferences
from desktop_chat.chat.session import ChatSession
from desktop_chat.chat.summary import STATUS_OF
from desktop_chat.cli.arguments import PROGRAM, UsageError
from desktop_chat.cli.consumers import Consumers
from desktop_chat.cli.display import Output, without_controls
from desktop_chat.cli.endpoint import AskProviders
from desktop_chat.cli.figures import error_lines, json_line
from desktop_chat.domain.conversations import Conversation
from desktop_chat.domain.errors import (
    ChatError,
    ConfigurationError,
    ErrorReport,
    InvalidRequestError,
    StorageError,
)
from desktop_chat.domain.messages import Message, Role
from desktop_chat.domain.metrics import Metrics, Phase
from desktop_chat.domain.requests import ChatRequest, GenerationParameters, RequestMessage
from desktop_chat.domain.settings import SettingValue
from desktop_chat.domain.text import sanitized_input
from desktop_chat.storage.conversations import ConversationStore
from desktop_chat.storage.paths import DataPaths
from desktop_chat.storage.secrets import SecretStore
from desktop_chat.storage.settings_file import SettingsFile

_SETTING_OF: Final = {
    "timeout_first": "network.first_payload_timeout",
    "timeout_idle": "network.idle_timeout",
    "retries": "network.retries",
}


def run_ask(options: argparse.Namespace) -> int:
    """Ask, print, save; returns the exit status. Raises UsageError for an empty prompt."""
    prompt = _prompt(options.prompt)
    paths = DataPaths.choose(options.data_dir)
    with _log(None if options.no_store else paths):
        return asyncio.run(_Ask(options, prompt, paths).run())


@contextlib.contextmanager
def _log(paths: DataPaths | None) -> Iterator[None]:
    """Send the log to its file; without paths, or where there can be no file, nowhere: no line of it is for people."""
    handler: logging.Handler = logging.NullHandler()
    try:
        if paths is not None:
            paths.create()
    except ChatError:
        paths = None  # said when the store is opened
    root = logging.getLogger()
    level = root.level
    if paths is None:
        root.addHandler(handler)
    else:
        from desktop_chat.storage.log_file import set_up_logging

        handler = set_up_logging(paths.log)
    try:
        yield
    finally:
        root.removeHandler(handler)
        root.setLevel(level)
        handler.close()


def _prompt(words: list[str]) -> str:
    text = " ".join(words)
    if text == "-":
        text = sys.stdin.buffer.read().decode("utf-8-sig", "replace")
    text = sanitized_input(text)
    if not text.strip():
        raise UsageError("the prompt is empty")
    return text


class _Ask:
    """One run of the command.

    Attributes:
        warnings: what the user should know and the turn itself does not say.
    """

    def __init__(self, options: argparse.Namespace, prompt: str, paths: DataPaths) -> None:
        self._options = options
        self._prompt = prompt
        self._paths = paths
        self._turn: ChatSession | None = None
        self._stop_requested = False
        self._task: asyncio.Task[StreamResult] | None = None
        self._output = Output(sys.stdout, self._stop)
        self._consumers = Consumers(options, self._output, self._stop, self._metrics)
        self.warnings: list[str] = []

    async def run(self) -> int:
        """The whole turn with its reports; returns the exit status."""
        with _interrupts(self._stop):
            self._task = asyncio.create_task(self._result(), name="ask")
            try:
                result = await self._task
            except asyncio.CancelledError:
                result = _empty_result(Outcome.STOPPED)
        return self._report(msgspec.structs.replace(result, warnings=(*self.warnings, *result.warnings)))

    def _stop(self) -> None:
        """End the turn at whatever point it is; what arrived is kept."""
        self._stop_requested = True
        if self._turn is not None:
            self._turn.stop()
        elif self._task is not None:
            self._task.cancel()

    def _metrics(self) -> Metrics:
        return self._turn.metrics if self._turn is not None else Metrics()

    async def _result(self) -> StreamResult:
        result = _empty_result(Outcome.STOPPED)
        async with contextlib.AsyncExitStack() as stack:
            try:
                providers = AskProviders(self._options, self._preferences(), SecretStore(self._paths.secrets))
                stack.push_async_callback(providers.close)
                self._turn = await self._begin(stack, providers)
                result = await self._turn.wait()
                if self._turn.recorder is not None and self._turn.recorder.problem:
                    self.warnings.append(self._turn.recorder.problem)
            except ChatError as error:
                result = _empty_result(Outcome.ERROR, error.report())
        return result

    async def _begin(self, stack: contextlib.AsyncExitStack, providers: AskProviders) -> ChatSession:
        if providers.notice:
            self._say(providers.notice)
        handlers = self._consumers.handlers()
        if not self._options.no_store:
            try:
                return await self._stored_turn(stack, providers, handlers)
            except StorageError as error:
                if self._options.conversation is not None:
                    raise
                self.warnings.append(f"Nothing of this is saved: {error.sentence} {error.advice}")
        return self._unstored_turn(providers, handlers)

    async def _stored_turn(
        self,
        stack: contextlib.AsyncExitStack,
        providers: AskProviders,
        handlers: list[StreamHandler],
    ) -> ChatSession:
        options = self._options
        store = await self._open_store()
        library = Library(
            store,
            providers,
            providers.preferences,
            stream_handlers=lambda: handlers,
            make_recorder=providers.make_recorder,
        )
        stack.push_async_callback(library.shutdown)
        library.subscribe(_Problems(self.warnings))
        if options.conversation is None:
            conversation = await library.create()
        else:
            known = await library.conversation(options.conversation)
            if known is None:
                raise InvalidRequestError(
                    sentence=f"There is no conversation {options.conversation}.",
                    advice="Leave --conversation out to begin a new one.",
                )
            conversation = known
        parameters = _parameters(options)
        await library.configure(
            conversation.id,
            model=None if providers.is_run_only else options.model or None,
            system_prompt=options.system or None,
            parameters=parameters if parameters != GenerationParameters() else None,
        )
        turn = await library.send(conversation.id, self._prompt)
        self._say(f"Saved as conversation {conversation.id}.")
        return turn

    def _preferences(self) -> Preferences:
        """The saved settings with what the command line says for this run, which is never saved."""
        preferences = Preferences(SettingsFile(self._paths.settings))
        preferences.load()
        self.warnings += preferences.warnings
        values: dict[str, SettingValue] = {**preferences.settings.values}
        for option, setting in _SETTING_OF.items():
            if (value := getattr(self._options, option)) is not None:
                values[setting] = value
        preferences.settings = msgspec.structs.replace(preferences.settings, values=values)
        return preferences

    async def _open_store(self) -> ConversationStore:
        """The store of the conversations. Raises StorageError, also for a folder that cannot be used."""
        try:
            self._paths.create()
        except ConfigurationError as error:
            raise StorageError(error.message, sentence=error.sentence, advice=error.advice) from error
        return await ConversationStore.open(self._paths.database)

    def _unstored_turn(self, providers: AskProviders, handlers: list[StreamHandler]) -> ChatSession:
        from desktop_chat.api.client import ChatClient
        from desktop_chat.api.retry import RetryPolicy

        profile = providers.default_profile

        async def prepare() -> tuple[ChatClient, ChatRequest]:
            client = await providers.client(profile.id)
            messages = [RequestMessage(role=Role.USER, text=self._prompt)]
            if self._options.system.strip():
                messages.insert(0, RequestMessage(role=Role.SYSTEM, text=self._options.system))
            return client, ChatRequest(
                model=await providers.model_for(profile.id, self._options.model),
                messages=tuple(messages),
                parameters=_parameters(self._options),
            )

        turn = ChatSession(
            StreamContext(
                conversation_id=None, message_id=None, profile_name=profile.name, model=self._options.model
            ),
            prepare,
            retry_policy=RetryPolicy(max_retries=providers.preferences.settings.whole("network.retries")),
            handlers=handlers,
            recorder=providers.make_recorder(),
        )
        turn.start()
        return turn

    def _say(self, text: str) -> None:
        """A remark on standard error; it may quote a server."""
        sys.stderr.write(f"{PROGRAM}: {without_controls(text)}\n")

    def _report(self, result: StreamResult) -> int:
        """Everything that is said after the answer ended; returns the exit status."""
        if self._options.json:
            self._output.write_raw(f"{json_line(result)}\n")
        elif self._output.is_terminal and not self._output.ends_line:
            self._output.write_raw("\n")
        for warning in result.warnings:
            self._say(warning)
        if result.tool_calls and not self._options.json:
            called = ", ".join(dict.fromkeys(call.name for call in result.tool_calls))
            self._say(f"The model calls {called}. See the calls with --json.")
        if result.error is not None:
            self._say(error_lines(result.error))
        self._consumers.report(result)
        return self._after_output(STATUS_OF[result.outcome])

    def _after_output(self, status: int) -> int:
        """The exit status, as far as what was written has really left."""
        problem = self._output.problem
        if problem is None:
            return status
        # What Python would still flush at its end could only fail again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if isinstance(problem, BrokenPipeError):
            return ExitStatus.STOPPED
        self._say(f"The answer could not be written to standard output: {problem.strerror}.")
        return ExitStatus.ERROR


class _Problems:
    """A listener of the library that collects what could not be kept on disk."""

    def __init__(self, warnings: list[str]) -> None:
        self._warnings = warnings
        self._said: list[str] = []

    def problem(self, conversation_id: int, report: ErrorReport) -> None:
        warning = f"{report.sentence} {report.advice}".strip()
        if warning not in self._said:  # while it came, and again at its end
            self._said.append(warning)
            self._warnings.append(warning)

    def problem_over(self) -> None:
        for warning in self._said:
            self._warnings.remove(warning)
        self._said.clear()

    def conversation_changed(self, conversation: Conversation) -> None:
        """Nothing here shows a conversation; nor do the events below matter."""

    def conversation_removed(self, conversation_id: int) -> None: ...

    def message_added(self, message: Message) -> None: ...

    def message_changed(self, message: Message) -> None: ...

    def branch_changed(self, conversation_id: int) -> None: ...

    def turn_started(self, turn: ChatSession) -> None: ...

    def turn_ended(self, turn: ChatSession) -> None: ...


def _empty_result(outcome: Outcome, error: ErrorReport | None = None) -> StreamResult:
    """The result of a turn that never began."""
    return StreamResult(
        outcome=outcome,
        text="",
        reasoning="",
        tool_calls=(),
        finish_reason=None,
        usage=None,
        metrics=Metrics(phase=Phase.STOPPED if outcome is Outcome.STOPPED else Phase.FAILED),
        error=error,
    )


def _parameters(options: argparse.Namespace) -> GenerationParameters:
    return GenerationParameters(
        temperature=options.temperature,
        top_p=options.top_p,
        max_tokens=options.max_tokens,
        stop=tuple(options.stop),
        seed=options.seed,
    )


@contextlib.contextmanager
def _interrupts(stop: Callable[[], None]) -> Iterator[None]:
    """Call ``stop`` in the event loop at SIGINT and SIGTERM."""
    loop = asyncio.get_running_loop()
    signals = (signal.SIGINT, signal.SIGTERM)
    if threading.current_thread() is not threading.main_thread():
        yield  # signals are delivered to the main thread only
        return
    previous = [
        signal.signal(number, lambda _number, _frame: loop.call_soon_threadsafe(stop)) for number in signals
    ]
    try:
        yield
    finally:
        for number, handler in zip(signals, previous, strict=True):
            signal.signal(number, handler)
