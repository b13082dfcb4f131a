"""Mazes as token sequences, small transformers that solve them, and how to look inside.

Imports point one way: maze → tokens → dataset → model → training → zoo → behaviour →
internals → interventions. Nothing is imported here, so that `import mazelib` is free.
"""
