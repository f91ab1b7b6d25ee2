"""The endpoint that the command line describes, for one run: ``--base-url URL --model M --api-key-env NAME``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from desktop_chat.domain.errors import ConfigurationError
from desktop_chat.domain.profiles import Dialect, Profile

_MISTRAL_MODEL: Final = re.compile(
    r"demo-\w+|(?:open-)?(?:mistral|mixtral|ministral|magistral|codestral|devstral|pixtral|voxtral)"
    r"(?:-[\w.]+)*-(?:latest|\d{4})"
)
"""Names that only Mistral's own API gives its models (and the demo server): whoever serves them speaks its dialect."""


def run_only_profile(base_url: str, model: str, api_key_env: str, environment: Mapping[str, str]) -> Profile:
    """The profile that the command line describes; never saved.

    Raises ConfigurationError for a URL that cannot work, or a variable that holds no key.
    """
    from desktop_chat.api.base_url import normalized_base_url
    from desktop_chat.api.dialects import dialect_for

    url = normalized_base_url(base_url)
    if api_key_env and not environment.get(api_key_env):
        raise ConfigurationError(
            sentence=f"The environment variable {api_key_env} is not set.",
            advice="Put the server's API key into it, or leave --api-key-env out for a server without keys.",
        )
    dialect = dialect_for(url)
    if dialect is Dialect.OPENAI and _MISTRAL_MODEL.fullmatch(model):
        dialect = Dialect.MISTRAL
    return Profile(
        id="command-line",
        name=url.partition("://")[2],
        base_url=url,
        dialect=dialect,
        default_model=model,
        key_environment=api_key_env,
        needs_key=bool(api_key_env),
    )
