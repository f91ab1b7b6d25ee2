"""What the program does, on plain asyncio: turns, the library of conversations, stream handlers. No Qt."""
