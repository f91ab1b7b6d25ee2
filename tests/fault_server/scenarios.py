"""Everything a server has been seen to do wrong, or may do: what the client must make of each."""

from __future__ import annotations

from typing import Final

from fault_server.bodies import BODIES
from fault_server.endings import CONNECTIONS, ENDINGS
from fault_server.errors import IN_STREAM, STATUSES
from fault_server.strict import STRICT

SCENARIOS: Final = [*ENDINGS, *CONNECTIONS, *BODIES, *IN_STREAM, *STATUSES, *STRICT]
