"""Mazes as token sequences, small transformers that solve them, and how to look inside.

Imports point one way: evidence → mazes → tokens → dataset → models → training →
behaviour → internals → figures and commands. A folder hands on the names meant for
others, each loaded when it is first used: `from mazelib.mazes import Maze`. Nothing is
imported here, so that `import mazelib` is free.
"""
