"""Sphinx, only to ask the places that texts and chapters link to: `make check-links`.

The book itself is built by Jupyter Book, with _config.yml.
"""

extensions = ["myst_nb", "sphinxcontrib.bibtex"]
root_doc = "README"
include_patterns = ["*.md", "*/*.md", "book/*.ipynb"]
exclude_patterns = [".venv*", "_build"]
bibtex_bibfiles = ["book/references.bib"]
nb_execution_mode = "off"
linkcheck_retries = 2
linkcheck_timeout = 30
linkcheck_report_timeouts_as_broken = True
