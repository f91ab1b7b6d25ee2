"""From a provider profile to a client that can talk to it: keys, models, the demo server, local servers."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import msgspec

from desktop_chat.chat.pacing import Pacer
from desktop_chat.chat.preferences import Preferences
from desktop_chat.domain.errors import ChatError, ConfigurationError
from desktop_chat.domain.profiles import Profile

if TYPE_CHECKING:
    from desktop_chat.api.client import ChatClient
    from desktop_chat.api.discovery import LocalServer
    from desktop_chat.demo.server import DemoServer
    from desktop_chat.domain.profiles import ModelInfo
    from desktop_chat.storage.secrets import SecretPlace, SecretStore

logger = logging.getLogger(__name__)


class ConnectionReport(msgspec.Struct, frozen=True, kw_only=True):
    """The result of "Test connection", ready to be shown."""

    ok: bool
    sentence: str
    advice: str = ""
    models: tuple[ModelInfo, ...] = ()


class Providers:
    """Owns the clients, one a profile and key, and the demo server.

    Args:
        preferences: where the profiles and time limits are.
        secrets: where the keys are; ``None`` means environment variables only.
        override: a profile for this run only (``--base-url``); it becomes the default.
        environment: for the keys of run-only profiles.
    """

    def __init__(
        self,
        preferences: Preferences,
        secrets: SecretStore | None,
        *,
        override: Profile | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self._preferences = preferences
        self._secrets = secrets
        self._override = override
        self._environment = environment or {}
        self._clients: dict[str, tuple[tuple[object, ...], ChatClient]] = {}
        self._retired: list[ChatClient] = []
        self._pacers: dict[str, Pacer] = {}
        self._models: dict[str, list[ModelInfo]] = {}
        self._demo: DemoServer | None = None
        self._demo_starting = asyncio.Lock()
        self._unsubscribe: Callable[[], None] = preferences.subscribe(
            lambda _settings: self._apply_demo_speed()
        )

    @property
    def profiles(self) -> tuple[Profile, ...]:
        """The saved profiles, preceded by the run-only one if there is one."""
        saved = self._preferences.settings.profiles
        return (self._override, *saved) if self._override else saved

    @property
    def default_profile(self) -> Profile:
        """What new conversations use: the run-only profile, the chosen one, or, while that is still the demo, the
        first one whose key the environment holds."""
        if self._override:
            return self._override
        settings = self._preferences.settings
        chosen = settings.default_profile
        if not chosen.is_demo:
            return chosen
        keyed = (each for each in settings.profiles if each.key_environment)
        return next((each for each in keyed if self._environment.get(each.key_environment)), chosen)

    def profile(self, profile_id: str) -> Profile:
        """The profile with this id, or the default one when it is empty or was removed."""
        found = next((profile for profile in self.profiles if profile.id == profile_id), None)
        return found or self.default_profile

    async def client(self, profile_id: str) -> ChatClient:
        """The client of a profile, made at first use. Raises ChatError when the profile cannot work."""
        profile = self.profile(profile_id)
        key = await self._key(profile)
        base_url = await self._base_url(profile)
        timeouts = self._preferences.settings.timeouts
        identity = (base_url, profile.dialect, key, timeouts)
        known = self._clients.get(profile.id)
        if known is not None:
            if known[0] == identity:
                return known[1]
            self._retired.append(known[1])
        client = self._new_client(profile, base_url, key)
        self._clients[profile.id] = (identity, client)
        return client

    def pacer(self, profile_id: str) -> Pacer:
        """What is known of a provider's rate limit."""
        return self._pacers.setdefault(self.profile(profile_id).id, Pacer())

    async def models(self, profile_id: str, refresh: bool = False) -> list[ModelInfo]:
        """The models a profile's server lists, kept for this run. Raises ChatError."""
        profile = self.profile(profile_id)
        if refresh or profile.id not in self._models:
            self._models[profile.id] = await (await self.client(profile.id)).models()
        return self._models[profile.id]

    async def model_for(self, profile_id: str, wished: str = "") -> str:
        """The model to use: the wished one, the profile's default, or the first its server lists."""
        profile = self.profile(profile_id)
        if wished or profile.default_model:
            return wished or profile.default_model
        models = await self.models(profile.id)
        if not models:
            raise ConfigurationError(
                sentence=f"{profile.name} lists no models.", advice="Type a model's name in the model picker."
            )
        return models[0].id

    async def test(self, profile: Profile, key: str | None) -> ConnectionReport:
        """Ask a profile's server for its models, without touching the saved profiles or keys."""
        try:
            base_url = await self._base_url(profile)
            async with self._new_client(profile, base_url, key or await self._key(profile)) as client:
                models = await client.models()
        except ChatError as error:
            return ConnectionReport(ok=False, sentence=error.sentence, advice=error.advice)
        count = f"{len(models)} models" if len(models) != 1 else "one model"
        return ConnectionReport(ok=True, sentence=f"Connected: {count} available.", models=tuple(models))

    async def has_key(self, profile_id: str) -> bool:
        return bool(await self._key(self.profile(profile_id)))

    async def set_key(self, profile_id: str, key: str, place: SecretPlace) -> SecretPlace:
        """Keep a key; returns where it really went. Raises ChatError when it cannot be a key or be kept."""
        if self._secrets is None:
            raise ConfigurationError(sentence="Keys cannot be kept in this run.")
        return await self._secrets.set(profile_id, key, place)

    async def delete_key(self, profile_id: str) -> None:
        if self._secrets is not None:
            await self._secrets.delete(profile_id)

    async def keychain_available(self) -> bool:
        return self._secrets is not None and await self._secrets.keychain_available()

    async def find_local_servers(self) -> list[LocalServer]:
        """Model servers on the usual loopback ports; empty when the user does not want to be asked."""
        if not self._preferences.settings.flag("privacy.find_local_servers"):
            return []
        from desktop_chat.api.discovery import find_local_servers

        return await find_local_servers()

    async def close(self) -> None:
        """Close every connection and the demo server."""
        self._unsubscribe()
        clients = [client for _identity, client in self._clients.values()] + self._retired
        self._clients.clear()
        self._retired.clear()
        for client in clients:
            await client.aclose()
        if self._demo is not None:
            demo, self._demo = self._demo, None
            await demo.stop()

    async def _key(self, profile: Profile) -> str | None:
        if profile is self._override:
            return self._environment.get(profile.key_environment) or None
        if self._secrets is not None:
            return await self._secrets.get(profile)
        return self._environment.get(profile.key_environment) or None

    async def _base_url(self, profile: Profile) -> str:
        if not profile.is_demo:
            return profile.base_url
        async with self._demo_starting:
            if self._demo is None:
                from desktop_chat.demo.server import DemoServer

                speed = self._preferences.settings.whole("demo.tokens_per_second")
                demo = DemoServer(tokens_per_second=speed)
                await demo.start()
                self._demo = demo
            return self._demo.base_url

    def _apply_demo_speed(self) -> None:
        if self._demo is not None:
            self._demo.tokens_per_second = self._preferences.settings.whole("demo.tokens_per_second")

    def _new_client(self, profile: Profile, base_url: str, key: str | None) -> ChatClient:
        if profile.needs_key and not key:
            raise ConfigurationError(
                sentence=f"{profile.name} needs an API key.",
                advice=f"Open Settings, Providers, {profile.name}, and enter your key"
                + (f", or set {profile.key_environment}." if profile.key_environment else "."),
            )
        from desktop_chat.api.client import ChatClient

        return ChatClient(base_url, profile.dialect, key, timeouts=self._preferences.settings.timeouts)
