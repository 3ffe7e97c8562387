"""What the toolkit costs, as ratios measured in one run: `make bench`, or `python -m benchmarks --help`.

docs/explanation/performance.md says what is measured, how, and what came out.
"""
