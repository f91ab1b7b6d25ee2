"""Everything on disk: the conversation database, the settings file, secrets."""
