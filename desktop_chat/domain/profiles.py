"""Provider profiles: where a model lives and which dialect of chat-completions it speaks."""

from __future__ import annotations

import enum

import msgspec


class Dialect(enum.StrEnum):
    """Which fields a server accepts and how it continues an answer; see ``api/dialects.py``."""

    MISTRAL = "mistral"
    OPENAI = "openai"
    LLAMACPP = "llamacpp"
    OLLAMA = "ollama"
    VLLM = "vllm"
    LMSTUDIO = "lmstudio"
    DEEPSEEK = "deepseek"
    QWEN = "qwen"
    OPENROUTER = "openrouter"
    GROQ = "groq"


class Profile(msgspec.Struct, frozen=True, kw_only=True):
    """One provider as the user set it up. The key is not here: ``storage.secrets`` holds it by ``id``.

    Attributes:
        id: stable identifier (``demo``, ``mistral``, or a slug made from the name).
        base_url: ends in ``/v1``; empty for the demo, whose port is known only at run time.
        default_model: the model of new conversations; empty means the first that the server lists.
        key_environment: environment variable that, when set, supplies the key (``MISTRAL_API_KEY``).
    """

    id: str
    name: str
    base_url: str
    dialect: Dialect = Dialect.OPENAI
    default_model: str = ""
    key_environment: str = ""
    needs_key: bool = True

    @property
    def is_demo(self) -> bool:
        return self.id == DEMO_PROFILE_ID


DEMO_PROFILE_ID = "demo"

DEMO_PROFILE = Profile(
    id=DEMO_PROFILE_ID,
    name="Demo (on this computer)",
    base_url="",
    dialect=Dialect.MISTRAL,
    default_model="demo-tour",
    needs_key=False,
)
MISTRAL_PROFILE = Profile(
    id="mistral",
    name="Mistral",
    base_url="https://api.mistral.ai/v1",
    dialect=Dialect.MISTRAL,
    default_model="mistral-small-latest",
    key_environment="MISTRAL_API_KEY",
)
OPENAI_PROFILE = Profile(
    id="openai",
    name="OpenAI",
    base_url="https://api.openai.com/v1",
    dialect=Dialect.OPENAI,
    default_model="",
    key_environment="OPENAI_API_KEY",
)


class ModelInfo(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of ``GET /v1/models``; everything but ``id`` is optional on the wire."""

    id: str
    context_length: int | None = None
    aliases: tuple[str, ...] = ()
    deprecated: bool = False
    owned_by: str = ""
