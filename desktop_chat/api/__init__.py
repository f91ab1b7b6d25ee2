"""The wire: SSE decoder and chat-completions codec (sans-IO), the httpx client, retry policy, dialects."""
