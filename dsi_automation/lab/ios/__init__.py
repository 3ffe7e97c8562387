"""An emulator of Cisco IOS: modes, archive, rollback timer, access lists; for the order of the driver's steps only.

It is no IOS and proves nothing on the grammar of IOS. Each text it prints stands in `texts.py` with its source, or is
marked as invented. What that means: `docs/explanation/what-the-ios-emulator-cannot-prove.md`.
"""
