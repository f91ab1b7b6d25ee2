"""Which server `ask` talks to, and with a client that replays and treats think tags as asked."""

from __future__ import annotations

import argparse
import os
from typing import TYPE_CHECKING

from desktop_chat.chat.endpoint import run_only_profile
from desktop_chat.chat.preferences import Preferences
from desktop_chat.chat.providers import Providers
from desktop_chat.domain.errors import ConfigurationError
from desktop_chat.domain.profiles import Profile

if TYPE_CHECKING:
    from desktop_chat.api.client import ChatClient
    from desktop_chat.api.recording import ReplayTransport, StreamRecorder
    from desktop_chat.storage.secrets import SecretStore


class AskProviders(Providers):
    """The saved providers, or the one the command line describes, which then answers every conversation.

    Attributes:
        preferences: the settings in force.
        notice: what the user should know about who answers; empty when that is what was asked for.
    """

    def __init__(
        self, options: argparse.Namespace, preferences: Preferences, secrets: SecretStore | None
    ) -> None:
        self.preferences = preferences
        self._options = options
        self.notice = ""
        super().__init__(preferences, secrets, override=self._run_only(preferences), environment=os.environ)
        if self.default_profile.is_demo:
            self.notice = (
                "No provider is set up, so the demo server on this computer answers; it is no model."
            )

    @property
    def is_run_only(self) -> bool:
        return self._override is not None

    def make_recorder(self, _title: str = "") -> StreamRecorder | None:
        """The recorder of the answer; ``None`` when it is not to be recorded."""
        if not self._options.record:
            return None
        from desktop_chat.api.recording import StreamRecorder

        return StreamRecorder(self._options.record)

    def profile(self, profile_id: str) -> Profile:
        """The run-only profile if there is one: a saved conversation goes on there too."""
        return self._override or super().profile(profile_id)

    def _run_only(self, preferences: Preferences) -> Profile | None:
        options = self._options
        if options.replay:
            name = options.replay.name
            return Profile(
                id="replay", name=name, base_url="http://127.0.0.1/v1", default_model=options.model or name,
                needs_key=False,
            )  # fmt: skip
        if options.base_url:
            return run_only_profile(options.base_url, options.model, options.api_key_env, os.environ)
        if preferences.settings.default_profile.is_demo:
            for profile in preferences.settings.profiles:
                if profile.key_environment and os.environ.get(profile.key_environment):
                    self.notice = f"{profile.name} answers, since {profile.key_environment} is set."
                    return profile
        return None

    def _new_client(self, profile: Profile, base_url: str, key: str | None) -> ChatClient:
        if profile.needs_key and not key:
            variable = f"Set {profile.key_environment}, or enter" if profile.key_environment else "Enter"
            raise ConfigurationError(
                sentence=f"{profile.name} needs an API key.",
                advice=f"{variable} the key in the window's Settings, Providers.",
            )
        from desktop_chat.api.client import ChatClient

        options = self._options
        return ChatClient(
            base_url,
            profile.dialect,
            key,
            timeouts=self.preferences.settings.timeouts,
            split_think_tags=options.think_tags == "split",
            transport=_replay(options) if options.replay else None,
        )


def _replay(options: argparse.Namespace) -> ReplayTransport:
    from desktop_chat.api.recording import Recording, ReplayTransport

    return ReplayTransport(Recording.load(options.replay), speed=options.replay_speed or None)
