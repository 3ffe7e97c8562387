"""Application servers: their services, ports, logs, caches and releases, and the web pages users see."""
