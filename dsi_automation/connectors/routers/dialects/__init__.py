"""The words of each platform."""
