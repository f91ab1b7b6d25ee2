"""Which provider and model answer: the picker, and the choice for the conversation to come."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from desktop_chat.chat.library import Library
    from desktop_chat.chat.providers import Providers
    from desktop_chat.domain.conversations import Conversation
    from desktop_chat.domain.profiles import Profile
    from desktop_chat.ui.event_loop import Tasks
    from desktop_chat.ui.main_window import MainWindow


class ModelChoice:
    """Attributes:
        next: profile and model chosen for the conversation to come; empty for the defaults.

    Args:
        shown: gives the shown conversation; None for the one to come.
        changed: called when the choice for the conversation to come is another.
    """

    def __init__(
        self,
        window: MainWindow,
        library: Library,
        providers: Providers,
        tasks: Tasks,
        *,
        shown: Callable[[], Conversation | None],
        changed: Callable[[], None],
    ) -> None:
        self.next = ("", "")
        self._window, self._library, self._providers, self._tasks = window, library, providers, tasks
        self._shown, self._changed = shown, changed

    def of(self, conversation: Conversation | None) -> tuple[Profile, str]:
        """The profile and the model that answer in a conversation; the model is empty for the server's first."""
        profile_id, model = (conversation.profile_id, conversation.model) if conversation else self.next
        profile = self._providers.profile(profile_id)
        return profile, model or profile.default_model

    def pick(self) -> None:
        """Open the list of models above the picker."""
        from desktop_chat.ui.model_picker import ModelPopup, list_models

        profile, model = self.of(self._shown())
        popup = ModelPopup(self._window.appearance, self._window)
        popup.set_profiles(self._providers.profiles, profile.id, model)
        popup.chosen.connect(lambda *choice: self._tasks.spawn(self._use(*choice), "choose model"))
        picker = self._window.composer.model_picker
        popup.open_at(picker.mapToGlobal(picker.rect().topLeft()))
        for each in self._providers.profiles:
            self._tasks.spawn(list_models(popup, self._providers, each.id), "list models")

    async def _use(self, profile_id: str, model: str) -> None:
        conversation = self._shown()
        if conversation is not None:
            await self._library.configure(conversation.id, profile_id=profile_id, model=model)
        else:
            self.next = (profile_id, model)
            self._changed()
