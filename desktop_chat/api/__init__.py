"""The wire: SSE decoder and chat-completions codec (sans-IO), the httpx client, retry policy, dialects."""

import sys

# WORKAROUND for httpx, which imports a command line of its own, and with it click and rich wherever they are
# installed: 55 ms and 10 MB for nothing. It copes without; None means "not to be imported".
sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]  # a module, says the stub
