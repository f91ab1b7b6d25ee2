"""The transcript: a virtualised, natively painted view of a conversation's messages."""
