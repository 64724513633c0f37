"""ImageTo Bot: ask for container images in a chat, get them in a registry of your own."""

__version__ = "0.1.0"
