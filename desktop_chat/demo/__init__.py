"""The embedded demo server: real HTTP on loopback, the Mistral wire format, no model behind it."""
