"""The providers: profiles, their addresses, keys and models, and whether they answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import shiboken6
from PySide6.QtWidgets import QBoxLayout, QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from desktop_chat.domain.errors import ChatError
from desktop_chat.domain.profiles import Profile
from desktop_chat.storage.secrets import SecretPlace
from desktop_chat.ui.controls import Button, Role, Select, label, named
from desktop_chat.ui.form import LabelledField
from desktop_chat.ui.theme import Space

if TYPE_CHECKING:
    from desktop_chat.chat.preferences import Preferences
    from desktop_chat.chat.providers import Providers
    from desktop_chat.ui.appearance import Appearance
    from desktop_chat.ui.event_loop import Tasks

_PLACES = {
    SecretPlace.KEYCHAIN: "System keychain",
    SecretPlace.THIS_RUN: "This run only",
    SecretPlace.FILE: "File only you can read",
}


class ProviderPage(QWidget):
    """One profile at a time, chosen at the top."""

    def __init__(
        self, appearance: Appearance, preferences: Preferences, providers: Providers, tasks: Tasks
    ) -> None:
        super().__init__()
        self._appearance, self._preferences, self._providers, self._tasks = (
            appearance, preferences, providers, tasks,
        )  # fmt: skip
        self.chooser = Select(appearance)
        self.chooser.setMinimumWidth(96)
        named(self.chooser, "providerChooser", "Provider")
        add = self._button("Add", "addProviderButton", "Add a provider")
        add.clicked.connect(self._add)
        self._remove_button = self._button("Remove", "removeProviderButton", "Remove this provider")
        self._remove_button.clicked.connect(self._remove)
        top = QHBoxLayout()
        top.setSpacing(Space.S)
        top.addWidget(self.chooser, 1)
        top.addWidget(add)
        top.addWidget(self._remove_button)

        self._about = label("", "secondary", wraps=True)
        self.name = LabelledField("Name")
        self.base_url = LabelledField("Base URL", "Of any OpenAI-compatible server; it usually ends in /v1.")
        self.model = LabelledField(
            "Default model", "Of new conversations; empty takes the first of the server's list."
        )
        self.key = LabelledField("API key")
        assert isinstance(self.key.field, QLineEdit)
        self.key.field.setEchoMode(QLineEdit.EchoMode.Password)
        self.key.field.setPlaceholderText("Paste the key")
        self.place = Select(appearance)
        self.place.setMinimumWidth(96)
        named(self.place, "keyPlace", "Where the key is kept")
        for place, words in _PLACES.items():
            self.place.addItem(words, place)
        self._key_state = label("", "faint", wraps=True)
        key_row = QHBoxLayout()
        key_row.setSpacing(Space.S)
        key_row.addWidget(label("Keep it in", "secondary"))
        key_row.addWidget(self.place, 1)
        self._forget = self._button("Forget key", "forgetKeyButton", "Delete this provider's key")
        self._forget.clicked.connect(lambda: tasks.spawn(self._forget_key(), "forget key"))
        key_row.addWidget(self._forget)
        self._key_box = QWidget()
        key_box = QVBoxLayout(self._key_box)
        key_box.setContentsMargins(0, 0, 0, 0)
        key_box.setSpacing(Space.S)
        key_box.addWidget(self.key)
        key_box.addLayout(key_row)
        key_box.addWidget(self._key_state)

        self._make_buttons()
        self.result = label("", "secondary", wraps=True)
        self.result.setObjectName("connectionResult")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, Space.XS, 0, 0)
        layout.setSpacing(Space.L)
        layout.addLayout(top)
        for widget in (self._about, self.name, self.base_url, self.model, self._key_box):
            layout.addWidget(widget)
        layout.addLayout(self._buttons)
        layout.addWidget(self.result)
        layout.addStretch(1)
        self._fill_chooser(preferences.settings.default_profile_id)
        self.chooser.currentIndexChanged.connect(self._show)
        self._show()

    def _make_buttons(self) -> None:
        tasks = self._tasks
        self.test_button = self._button(
            "Test connection", "testConnectionButton", "Ask the server for its models"
        )
        self.test_button.clicked.connect(lambda: tasks.spawn(self._test(), "test connection"))
        self.default_button = self._button(
            "Use for new conversations", "defaultProviderButton", "Make it the default"
        )
        self.default_button.clicked.connect(self._make_default)
        self.save_button = Button(self._appearance, "Save", role=Role.PRIMARY, side=34)
        named(self.save_button, "saveProviderButton", "Save this provider")
        self.save_button.clicked.connect(lambda: tasks.spawn(self._save(), "save provider"))
        self._buttons = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        self._buttons.setSpacing(Space.S)
        self._buttons.addWidget(self.test_button)
        self._buttons.addWidget(self.default_button)
        self._buttons.addStretch(1)
        self._buttons.addWidget(self.save_button)

    def _button(self, text: str, name: str, description: str) -> Button:
        made = Button(self._appearance, text, role=Role.SECONDARY, side=34)
        named(made, name, description)
        return made

    def set_narrow(self, *, narrow: bool) -> None:
        """Put the buttons below each other."""
        down, right = QBoxLayout.Direction.TopToBottom, QBoxLayout.Direction.LeftToRight
        self._buttons.setDirection(down if narrow else right)

    # --- which profile

    @property
    def profile(self) -> Profile:
        """The saved one that is shown."""
        found = self._preferences.settings.profile(str(self.chooser.currentData()))
        return found or self._preferences.settings.default_profile

    def choose(self, profile_id: str) -> None:
        self.chooser.setCurrentIndex(max(0, self.chooser.findData(profile_id)))

    def _fill_chooser(self, profile_id: str) -> None:
        settings = self._preferences.settings
        self.chooser.blockSignals(True)
        self.chooser.clear()
        for profile in settings.profiles:
            mark = "  (default)" if profile.id == settings.default_profile_id else ""
            self.chooser.addItem(profile.name + mark, profile.id)
        self.chooser.blockSignals(False)
        self.choose(profile_id)

    def _show(self, _index: int = 0) -> None:
        profile = self.profile
        demo = profile.is_demo
        self._about.setVisible(demo)
        self._about.setText(
            "A server inside this program. It answers with pages written for the tour; it is no model."
        )
        for widget in (self.name, self.base_url, self._key_box, self.save_button):
            widget.setVisible(not demo)
        self.model.setVisible(not demo)
        self._remove_button.setEnabled(not demo)
        self.name.text, self.base_url.text, self.model.text = (
            profile.name,
            profile.base_url,
            profile.default_model,
        )
        self.key.text = ""
        for field in (self.name, self.base_url, self.model, self.key):
            field.problem.say("")
        self.result.setText("")
        self.default_button.setEnabled(profile.id != self._preferences.settings.default_profile_id)
        self._key_state.setText("")
        self._tasks.spawn(self._say_key(profile), "look for a key")

    async def _say_key(self, profile: Profile) -> None:
        try:
            has_key = await self._providers.has_key(profile.id)
            keychain = await self._providers.keychain_available()
        except ChatError as error:
            has_key, keychain = False, True
            if shiboken6.isValid(self):
                self.key.problem.say(error.sentence)
        if not shiboken6.isValid(self) or profile.id != self.profile.id:
            return
        said = "A key is stored." if has_key else "No key is stored."
        if not keychain:
            said += " This computer has no keychain: choose this run only, or the file."
            if self.place.currentData() == SecretPlace.KEYCHAIN:
                self.place.setCurrentIndex(self.place.findData(SecretPlace.THIS_RUN))
        if profile.key_environment:
            said += f" {profile.key_environment} comes first when it is set."
        self._key_state.setText(said)
        self._forget.setEnabled(has_key)

    # --- changes

    def _edited(self) -> Profile | None:
        """The profile as typed; ``None`` when a field is wrong, which is said beside it."""
        profile = self.profile
        if profile.is_demo:
            return profile
        from desktop_chat.api.base_url import normalized_base_url
        from desktop_chat.api.dialects import dialect_for

        name, url = self.name.text.strip(), self.base_url.text.strip()
        self.name.problem.say("" if name else "Give the provider a name.")
        try:
            url = normalized_base_url(url)
        except ChatError as error:
            self.base_url.problem.say(error.sentence)
            return None
        self.base_url.problem.say("")
        if not name:
            return None
        dialect = profile.dialect if url == profile.base_url else dialect_for(url)
        return msgspec.structs.replace(
            profile, name=name, base_url=url, dialect=dialect, default_model=self.model.text.strip()
        )

    async def _save(self) -> None:
        profile = self._edited()
        if profile is None:
            return
        key = self.key.text.strip()
        place = SecretPlace(self.place.currentData())
        if key:
            try:
                place = await self._providers.set_key(profile.id, key, place)
            except ChatError as error:
                self.key.problem.say(f"{error.sentence} {error.advice}".strip())
                return
            profile = msgspec.structs.replace(profile, needs_key=True)
        settings = self._preferences.settings
        profiles = tuple(profile if each.id == profile.id else each for each in settings.profiles)
        await self._preferences.change(msgspec.structs.replace(settings, profiles=profiles))
        if shiboken6.isValid(self):
            self._fill_chooser(profile.id)
            self._show()
            self.result.setText(f"Saved; the key is kept in: {_PLACES[place].lower()}." if key else "Saved.")

    async def _test(self) -> None:
        profile = self._edited()
        if profile is None:
            return
        self.result.setText("Connecting…")
        self.test_button.setEnabled(False)
        report = await self._providers.test(profile, self.key.text.strip() or None)
        if shiboken6.isValid(self):
            self.test_button.setEnabled(True)
            self.result.setText(f"{report.sentence} {report.advice}".strip())

    async def _forget_key(self) -> None:
        await self._providers.delete_key(self.profile.id)
        if shiboken6.isValid(self):
            await self._say_key(self.profile)

    def _make_default(self) -> None:
        settings = msgspec.structs.replace(self._preferences.settings, default_profile_id=self.profile.id)
        self._change(settings, self.profile.id)

    def _add(self) -> None:
        settings = self._preferences.settings
        taken = {profile.id for profile in settings.profiles}
        number = next(n for n in range(1, len(taken) + 2) if f"provider-{n}" not in taken)
        profile = Profile(
            id=f"provider-{number}",
            name=f"Provider {number}",
            base_url="http://127.0.0.1:8080/v1",
            needs_key=False,
        )
        self._change(msgspec.structs.replace(settings, profiles=(*settings.profiles, profile)), profile.id)
        self.name.field.setFocus()

    def _remove(self) -> None:
        gone = self.profile
        settings = self._preferences.settings
        rest = tuple(profile for profile in settings.profiles if profile.id != gone.id)
        default = settings.default_profile_id if settings.default_profile_id != gone.id else rest[0].id
        self._change(msgspec.structs.replace(settings, profiles=rest, default_profile_id=default), default)
        self._tasks.spawn(self._providers.delete_key(gone.id), "forget key")

    def _change(self, settings: object, profile_id: str) -> None:
        from desktop_chat.domain.settings import Settings

        assert isinstance(settings, Settings)
        self._tasks.spawn(self._preferences.change(settings), "save providers")
        self._preferences.settings = settings
        self._fill_chooser(profile_id)
        self._show()
